//! Closed instances are kept for a while, so that their results can be read and their ids are not used again; then they go.
//!
//! Numbers of instances grow with time, so whoever looks for what has expired reads the oldest ones and stops at the first that began
//! too late to have expired. It reads nothing twice but what lived long and closed lately. There are no timers for this: a close stays
//! as cheap as a step, and another retention counts for what has closed already.
//!
//! One that began *in the future* says nothing of those behind it: the clock was ahead then, and was set back. It is passed over. What was
//! passed over is remembered, in memory, as ranges of numbers with the time before which nothing in them expires: it is not read each time.

use std::{
    sync::{Mutex, Weak},
    time::Duration,
};

use durable_store::{Batch, Closed, Error as StoreError, Number, Record};

use super::inner::{Inner, Stopping};

/// How long closed instances are kept unless the builder is told otherwise.
pub(super) const DEFAULT_RETENTION: Duration = Duration::from_secs(7 * 86_400);
/// So many are looked at, and removed in one transaction, before others get their turn.
const PAGE: usize = 1_000;
/// How often it is looked for what has expired.
const OFTEN: Duration = Duration::from_secs(600);
/// So many ranges are remembered: there is one for each time that the clock was set back. More of them are read each time.
const MOST_PASSED: usize = 100;

/// What began in the future, and was passed over. Locked by whoever looks for what has expired, as long as it does.
pub(crate) type PassedOver = Mutex<Vec<Passed>>;

/// Runs that lie side by side and began in the future.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Passed {
    first: Number,
    last: Number,
    /// None of them expires before, nor does one among them that was live when they were looked at.
    until_ms: u64,
}

/// One search for what has expired.
struct Search {
    now_ms: u64,
    retention_ms: u64,
    /// What need not be looked at.
    known: Vec<Passed>,
    /// What is passed over now.
    passed: Vec<Passed>,
    /// The last run that was looked at was passed over.
    is_passing: bool,
}

/// What was found on a page.
struct Found {
    expired: Vec<Number>,
    /// Behind which run to go on; nothing if all behind it began too late.
    after: Option<Number>,
}

impl Search {
    /// Looks at the next closed instances, of which there are some.
    fn look_at(&mut self, page: &[Closed]) -> Found {
        let mut found = Found { expired: Vec::new(), after: None };
        let expires_ms = |closed_ms: u64| closed_ms.saturating_add(self.retention_ms);
        for closed in page {
            let is_known = |known: &&Passed| (known.first..=known.last).contains(&closed.number);
            if let Some(known) = self.known.iter().find(is_known) {
                self.is_passing = false;
                found.after = Some(known.last);
                return found;
            }
            if expires_ms(closed.closed_ms) <= self.now_ms {
                found.expired.push(closed.number);
                self.is_passing = false;
            } else if closed.started_ms > self.now_ms {
                // One that closes from now on expires later than this.
                let until_ms = expires_ms(closed.closed_ms.min(self.now_ms));
                match self.passed.last_mut().filter(|_| self.is_passing) {
                    Some(passed) => {
                        passed.last = closed.number;
                        passed.until_ms = passed.until_ms.min(until_ms);
                    }
                    None => {
                        self.passed.push(Passed { first: closed.number, last: closed.number, until_ms });
                    }
                }
                self.is_passing = true;
            } else if expires_ms(closed.started_ms) > self.now_ms {
                found.after = None;
                return found;
            } else {
                self.is_passing = false;
            }
            found.after = Some(closed.number);
        }
        found
    }
}

impl Inner {
    /// Removes the closed instances whose retention has passed.
    pub(crate) fn expire(&self) -> Result<(), StoreError> {
        let mut passed = self.passed_over.lock().expect("no code panics while it looks for what has expired");
        let now_ms = self.clock.now_ms();
        passed.retain(|range| now_ms < range.until_ms);
        let retention_ms = u64::try_from(self.settings.retention.as_millis()).unwrap_or(u64::MAX);
        if retention_ms > now_ms {
            return Ok(());
        }
        let known = passed.clone();
        let mut search = Search { now_ms, retention_ms, known, passed: Vec::new(), is_passing: false };
        let mut after = None;
        loop {
            let page = match self.ask(|store| store.scan_closed(after, PAGE)) {
                // One that can't be read stays, and those behind it have their turn.
                Err(StoreError::DamagedRecord { record: Record::Closed(number), .. }) => {
                    after = Some(number);
                    continue;
                }
                page => page?,
            };
            if page.is_empty() {
                break;
            }
            let found = search.look_at(&page);
            drop(page);
            self.remove(found.expired)?;
            let Some(last) = found.after else { break };
            after = Some(last);
        }
        passed.extend(search.passed);
        passed.truncate(MOST_PASSED);
        Ok(())
    }

    fn remove(&self, expired: Vec<Number>) -> Result<(), StoreError> {
        if expired.is_empty() {
            return Ok(());
        }
        let _commit = self.commit.lock().expect("no code panics while it commits");
        // In one transaction with their ids, history and keys: a crash leaves all of it or nothing.
        self.ask(|store| store.commit(&Batch { expired, ..Batch::default() }))
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
