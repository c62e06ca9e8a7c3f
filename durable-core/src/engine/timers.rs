//! Timers: the store holds all of them in order of deadline, memory holds the earliest few.
//!
//! A million sleeping instances cost disk and no memory: `Timers` holds at most [`NEAR`] times two,
//! and everything later than its horizon is read when its time comes closer.

use std::{
    collections::BTreeSet,
    future::{Future, poll_fn},
    pin::pin,
    sync::{Arc, Weak},
    task::Poll,
};

use durable_store::{Error as StoreError, Record, Timer};

use super::{
    advance::Event,
    attempt::{Attempt, Queued, StoredCall},
    inner::{Inner, Stopping},
};

/// How many timers are read from the store at once.
const NEAR: usize = 2_000;

/// The timers that are in memory.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    near: BTreeSet<Timer>,
    /// Timers up to and including this one are all in `near`. None: all timers there are.
    horizon: Option<Timer>,
    /// Nothing has been read yet.
    unread: bool,
}

impl Timers {
    pub(crate) fn unread() -> Self {
        Timers { unread: true, ..Timers::default() }
    }

    /// Takes in a timer that was committed.
    pub(crate) fn add(&mut self, timer: Timer) {
        if self.unread || self.horizon.is_some_and(|horizon| timer > horizon) {
            return;
        }
        self.near.insert(timer);
        if self.near.len() > 2 * NEAR {
            self.near.pop_last();
            self.horizon = self.near.last().copied();
        }
    }

    fn take_due(&mut self, now_ms: u64) -> Vec<Timer> {
        let mut due = Vec::new();
        while let Some(timer) = self.near.first().copied().filter(|timer| timer.deadline_ms <= now_ms) {
            self.near.remove(&timer);
            due.push(timer);
        }
        due
    }

    /// Whether a stored timer is not forgotten.
    #[cfg(feature = "simulation")]
    pub(super) fn know(&self, timer: Timer) -> bool {
        self.unread || self.horizon.is_some_and(|horizon| timer > horizon) || self.near.contains(&timer)
    }

    fn needs_reading(&self) -> bool {
        self.unread || (self.near.is_empty() && self.horizon.is_some())
    }
}

impl Inner {
    /// Reads the next timers from the store if none are left in memory; false if it can't.
    fn read_timers(&self) -> bool {
        let (after, generation) = {
            let shared = self.lock();
            if !shared.timers.needs_reading() || shared.broken.is_some() {
                return shared.broken.is_none();
            }
            (shared.timers.horizon, shared.generation)
        };
        // No commit may add a timer between this read and the new horizon: it would be missed.
        let _commit = self.commit.lock().expect("no code panics while it commits");
        match self.timers_after(after) {
            Ok((read, horizon)) => {
                let mut shared = self.lock();
                if shared.generation == generation {
                    shared.timers.horizon = horizon;
                    shared.timers.unread = false;
                    shared.timers.near.extend(read);
                }
                true
            }
            Err(error) => {
                self.report(&format!("timers can't be read: {error}"));
                false
            }
        }
    }

    /// The next timers, and the last one of them if there may be more.
    fn timers_after(&self, mut after: Option<Timer>) -> Result<(Vec<Timer>, Option<Timer>), StoreError> {
        let mut timers = Vec::new();
        loop {
            match self.ask(|store| store.timers(after, u64::MAX, NEAR)) {
                Ok(page) => {
                    let Some(last) = page.last().copied() else { return Ok((timers, None)) };
                    timers.extend(page);
                    if timers.len() >= NEAR {
                        return Ok((timers, Some(last)));
                    }
                    // A short page may end in front of a damaged record.
                    after = Some(last);
                }
                Err(error @ StoreError::DamagedRecord { .. }) => {
                    self.report(&error.to_string());
                    let StoreError::DamagedRecord { record: Record::Timer(timer), .. } = error else {
                        return Err(error);
                    };
                    after = Some(timer);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The earliest deadline there is, of a timer or of a back-off.
    pub(crate) fn next_deadline(&self) -> Option<u64> {
        self.read_timers();
        let shared = self.lock();
        let timer = shared.timers.near.first().map(|timer| timer.deadline_ms);
        let backoff = shared.backoffs.first().map(|(at_ms, ..)| *at_ms);
        timer.into_iter().chain(backoff).min()
    }

    /// Fires everything that is due.
    pub(crate) fn fire_due(self: &Arc<Self>) {
        let now_ms = self.clock.now_ms();
        loop {
            let read = self.read_timers();
            let due = self.lock().timers.take_due(now_ms);
            if !due.is_empty() {
                self.fire(&due);
            }
            // What can't be read now is read after the store was opened again.
            if !read || !self.lock().timers.needs_reading() {
                break;
            }
        }
        let due: Vec<_> = {
            let mut shared = self.lock();
            let later =
                shared.backoffs.split_off(&(now_ms + 1, durable_store::Slot(0), durable_store::Number(0), 0));
            std::mem::replace(&mut shared.backoffs, later).into_iter().collect()
        };
        for (_, slot, number, operation) in due {
            self.retry_due(slot, number, operation);
        }
    }

    /// Tells the instances whose timers are due.
    fn fire(&self, due: &[Timer]) {
        let mut owners = Vec::with_capacity(due.len());
        for timer in due {
            match self.ask(|store| store.owner(timer.slot)) {
                Ok(owner) => owners.push(owner),
                // Its timer stays in the store with it.
                Err(error @ StoreError::DamagedRecord { .. }) => {
                    self.report(&error.to_string());
                    owners.push(None);
                }
                // The store is broken: its reopening reads the timers again.
                Err(error) => {
                    return self.report(&format!("instances whose timers are due can't be read: {error}"));
                }
            }
        }
        let mut shared = self.lock();
        for (timer, owner) in due.iter().zip(owners) {
            if let Some(number) = owner {
                let event = Event::Fired { operation: timer.operation, deadline_ms: timer.deadline_ms };
                self.post(&mut shared, timer.slot, number, event);
            }
        }
    }

    /// A back-off is over: the attempt gets into the queue.
    fn retry_due(self: &Arc<Self>, slot: durable_store::Slot, number: durable_store::Number, operation: u64) {
        let Ok(Some(StoredCall { instance, is_held: false, activity })) =
            self.stored_call(slot, number, operation)
        else {
            return;
        };
        let queued = Queued::new(self, slot, number, operation, &instance, &activity);
        let mut shared = self.lock();
        // By hand it may have been made already since the record was read, and be done.
        let live = shared.live.get(&slot).filter(|live| live.number == number);
        if !matches!(live.and_then(|live| live.attempt(operation)), Some(Attempt::BackingOff { .. })) {
            return;
        }
        self.enqueue(&mut shared, queued);
        let launches = self.pump(&mut shared);
        drop(shared);
        launches.launch(self);
    }
}

/// Fires timers as their time comes, until the engine is gone. While it waits it does not keep the
/// engine: the store's file is free as soon as the last handle is dropped.
pub(crate) async fn run(engine: Weak<Inner>) {
    loop {
        let Some(inner) = engine.upgrade() else { return };
        if inner.lock().stopping == Stopping::Now {
            return;
        }
        inner.fire_due();
        let (clock, timers_changed) = (inner.clock.clone(), inner.timers_changed.clone());
        let next = inner.next_deadline();
        drop(inner);
        let changed = timers_changed.notified();
        let mut changed = pin!(changed);
        let sleep = async {
            match next {
                Some(deadline_ms) => clock.sleep_until(deadline_ms).await,
                None => std::future::pending().await,
            }
        };
        let mut sleep = pin!(sleep);
        poll_fn(|cx| {
            if changed.as_mut().poll(cx).is_ready() || sleep.as_mut().poll(cx).is_ready() {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
}
