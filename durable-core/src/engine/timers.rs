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

use durable_store::Timer;

use super::{
    advance::Event,
    attempt::Queued,
    inner::{Inner, Shared, Stopping},
    state::Loaded,
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

    fn needs_reading(&self) -> bool {
        self.unread || (self.near.is_empty() && self.horizon.is_some())
    }
}

impl Inner {
    /// Reads the next timers from the store if none are left in memory.
    fn read_timers(&self) {
        let (after, generation) = {
            let shared = self.lock();
            if !shared.timers.needs_reading() || shared.broken.is_some() {
                return;
            }
            (shared.timers.horizon, shared.generation)
        };
        // No commit may add a timer between this read and the new horizon: it would be missed.
        let _commit = self.commit.lock().expect("no code panics while it commits");
        match self.store.timers(after, u64::MAX, NEAR) {
            Ok(read) => {
                let mut shared = self.lock();
                if shared.generation == generation {
                    let last = (read.len() == NEAR).then(|| read.last().copied()).flatten();
                    shared.timers.horizon = last;
                    shared.timers.unread = false;
                    shared.timers.near.extend(read);
                }
            }
            Err(error) => self.report(&format!("timers can't be read: {error}")),
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
            self.read_timers();
            let mut shared = self.lock();
            while let Some(timer) = shared.timers.near.first().copied().filter(|timer| timer.deadline_ms <= now_ms) {
                shared.timers.near.remove(&timer);
                self.fire(&mut shared, timer);
            }
            if !shared.timers.needs_reading() || shared.broken.is_some() {
                break;
            }
        }
        let due: Vec<_> = {
            let mut shared = self.lock();
            let later = shared.backoffs.split_off(&(now_ms + 1, durable_store::Slot(0), durable_store::Number(0), 0));
            std::mem::replace(&mut shared.backoffs, later).into_iter().collect()
        };
        for (_, slot, number, operation) in due {
            self.retry_due(slot, number, operation);
        }
    }

    fn fire(&self, shared: &mut Shared, timer: Timer) {
        let number = shared.live.get(&timer.slot).map(|live| live.number);
        let number = match number {
            Some(number) => number,
            None => match self.store.instance(timer.slot) {
                Ok(Some(instance)) => instance.number,
                _ => return,
            },
        };
        self.post(shared, timer.slot, number, Event::Fired { operation: timer.operation });
    }

    /// A back-off is over: the attempt gets into the queue.
    fn retry_due(self: &Arc<Self>, slot: durable_store::Slot, number: durable_store::Number, operation: u64) {
        let Ok(Some(instance)) = self.store.instance(slot) else { return };
        let Ok(mut loaded) = Loaded::read(instance) else { return };
        if loaded.number != number || loaded.state.parked.is_some() {
            return;
        }
        let id = loaded.id.clone();
        let Some(activity) = loaded.state.pending_activity(operation) else { return };
        let queued = Queued::new(self, slot, number, operation, &id, activity);
        let mut shared = self.lock();
        self.enqueue(&mut shared, queued);
        self.pump(&mut shared);
    }
}

/// Fires timers as their time comes, until the engine is gone.
pub(crate) async fn run(engine: Weak<Inner>) {
    loop {
        let Some(inner) = engine.upgrade() else { return };
        if inner.lock().stopping == Stopping::Now {
            return;
        }
        inner.fire_due();
        let clock = inner.clock.clone();
        let next = inner.next_deadline();
        let changed = inner.timers_changed.notified();
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
