//! Closed instances are kept for a while, so that their results can be read and their ids are not used again; then they go.
//!
//! Numbers of instances grow with time, so whoever looks for what has expired reads the oldest ones and stops at the first that began
//! too late to have expired. It reads nothing twice but what lived long and closed lately. There are no timers for this: a close stays
//! as cheap as a step, and another retention counts for what has closed already.

use std::{sync::Weak, time::Duration};

use durable_store::{Batch, Error as StoreError, Number, Record};

use super::inner::{Inner, Stopping};

/// How long closed instances are kept unless the builder is told otherwise.
pub(super) const DEFAULT_RETENTION: Duration = Duration::from_secs(7 * 86_400);
/// So many are looked at, and removed in one transaction, before others get their turn.
const PAGE: usize = 1_000;
/// How often it is looked for what has expired.
const OFTEN: Duration = Duration::from_secs(600);

impl Inner {
    /// Removes the closed instances whose retention has passed.
    pub(crate) fn expire(&self) -> Result<(), StoreError> {
        let retention_ms = u64::try_from(self.settings.retention.as_millis()).unwrap_or(u64::MAX);
        let Some(until_ms) = self.clock.now_ms().checked_sub(retention_ms) else { return Ok(()) };
        let mut after = None;
        while let Some((last, expired)) = self.expired(after, until_ms)? {
            after = Some(last);
            if expired.is_empty() {
                continue;
            }
            let _commit = self.commit.lock().expect("no code panics while it commits");
            // In one transaction with their ids, history and keys: a crash leaves all of it or nothing.
            self.ask(|store| store.commit(&Batch { expired, ..Batch::default() }))?;
        }
        Ok(())
    }

    /// Those of one page that closed before a moment, and the last that was looked at; nothing if there are none left to look at.
    fn expired(
        &self,
        after: Option<Number>,
        until_ms: u64,
    ) -> Result<Option<(Number, Vec<Number>)>, StoreError> {
        let page = match self.ask(|store| store.scan_closed(after, PAGE)) {
            // One that can't be read stays, and those behind it have their turn.
            Err(StoreError::DamagedRecord { record: Record::Closed(number), .. }) => {
                return Ok(Some((number, Vec::new())));
            }
            page => page?,
        };
        let old: Vec<_> = page.into_iter().take_while(|closed| closed.started_ms <= until_ms).collect();
        let Some(last) = old.last() else { return Ok(None) };
        let last = last.number;
        let expired = old.into_iter().filter(|closed| closed.closed_ms <= until_ms);
        Ok(Some((last, expired.map(|closed| closed.number).collect())))
    }
}

/// Removes what has expired now and then, until the engine is gone. While it waits it does not keep the engine.
pub(super) async fn run(engine: Weak<Inner>) {
    loop {
        let Some(inner) = engine.upgrade() else { return };
        let (clock, runtime) = (inner.clock.clone(), inner.runtime.clone());
        let stopping = inner.lock().stopping;
        if stopping == Stopping::Now {
            return;
        }
        let next_ms = clock.now_ms().saturating_add(OFTEN.as_millis() as u64);
        // A store that fails is opened again by a worker; what has expired waits for the next time.
        let looked = runtime.spawn_blocking(move || inner.expire()).await;
        if let Ok(Err(error)) = looked {
            log::warn!(target: "durable", "closed instances can't be removed yet: {error}");
        }
        clock.sleep_until(next_ms).await;
    }
}
