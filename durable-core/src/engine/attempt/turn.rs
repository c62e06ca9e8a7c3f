//! The place that a running attempt takes up, from the moment when it gets its turn to the moment when its end is taken in.
//!
//! Attempts end on the runtime's threads, by the thousand. Each leaves word under a lock of its own, and whoever holds the engine's lock next
//! (a worker as a rule) takes in all that have ended. Only the first one that leaves word has to wake a worker.

use std::{
    borrow::Borrow,
    sync::{Arc, atomic::Ordering},
};

use durable_store::{Number, Slot};

use super::{Attempt, Launches, launch::Tell};
use crate::{
    context::OperationId,
    engine::{
        advance::{Attempted, Event},
        inner::{Inner, Shared},
    },
};

/// Whose attempt it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(super) generation: u64,
    pub(super) slot: Slot,
    pub(super) number: Number,
    pub(super) operation: OperationId,
    /// The activity's name, if it has a limit of its own.
    pub(super) limited: Option<&'static str>,
}

/// An attempt that has ended and that nobody has taken in.
#[derive(Debug)]
pub(crate) struct Finished {
    place: Place,
    /// None: the operation was not pending any more.
    ended: Option<Attempted>,
}

/// The place that a running attempt takes up. Given back when the attempt ends, however it ends.
pub(super) struct Turn<I: Borrow<Arc<Inner>>> {
    inner: I,
    place: Place,
    over: bool,
}

impl<I: Borrow<Arc<Inner>>> Turn<I> {
    pub(super) fn new(inner: I, place: Place) -> Self {
        Turn { inner, place, over: false }
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    pub(super) fn inner(&self) -> &Arc<Inner> {
        self.inner.borrow()
    }

    /// The same, for a task.
    pub(super) fn owned(mut self) -> Turn<Arc<Inner>> {
        self.over = true;
        Turn::new(self.inner().clone(), self.place)
    }

    pub(super) fn end(mut self, ended: Option<Attempted>, tell: Tell) {
        self.over = true;
        let inner = self.inner();
        let is_first = inner.hand_over(Finished { place: self.place, ended });
        if is_first && tell == Tell::Worker {
            // A worker that is about to sleep has looked before, or looks once it has the lock.
            inner.wake_worker(&mut inner.lock());
        }
    }
}

impl<I: Borrow<Arc<Inner>>> Drop for Turn<I> {
    fn drop(&mut self) {
        // Aborted by a shutdown: nothing is reported, and the call runs again after the restart.
        if !self.over {
            let inner = self.inner.borrow();
            let mut shared = inner.lock();
            if shared.generation == self.place.generation {
                shared.running -= 1;
                inner.tell_idle(&shared);
            }
        }
    }
}

impl Inner {
    /// An attempt has ended. Whoever holds the engine's lock next takes it in. Gives whether it is the first that is not taken in.
    fn hand_over(&self, finished: Finished) -> bool {
        let is_first = {
            let mut all = self.finished.lock().expect("no code panics while it holds this lock");
            all.push(finished);
            all.len() == 1
        };
        self.has_work.store(true, Ordering::Relaxed);
        is_first
    }

    /// Takes in what has ended, if others wait for the places, and gives those whose turn it is.
    pub(super) fn refill(&self) -> Option<Launches> {
        if !self.crowded.load(Ordering::Relaxed) {
            return None;
        }
        let mut shared = self.lock();
        self.take_in(&mut shared);
        Some(self.pump(&mut shared))
    }

    /// Takes in the attempts that have ended: their places are free, and their instances are told.
    pub(crate) fn take_in(&self, shared: &mut Shared) {
        let mut finished = std::mem::take(&mut shared.taken_in);
        std::mem::swap(
            &mut finished,
            &mut *self.finished.lock().expect("no code panics while it holds this lock"),
        );
        if finished.is_empty() {
            shared.taken_in = finished;
            return;
        }
        for Finished { place, ended } in finished.drain(..) {
            self.take_in_one(shared, place, ended);
        }
        self.tell_idle(shared);
        shared.taken_in = finished;
    }

    fn take_in_one(&self, shared: &mut Shared, place: Place, ended: Option<Attempted>) {
        // The store was opened again since: what began before does not count.
        if shared.generation != place.generation {
            return;
        }
        shared.running -= 1;
        if let Some(limited) = place.limited.and_then(|name| shared.limited.get_mut(name)) {
            limited.running -= 1;
        }
        self.call_up(shared, place.limited);
        let Place { slot, number, operation, .. } = place;
        let live = shared.live.get_mut(&slot).filter(|live| live.number == number);
        match ended {
            Some(ended) => {
                // Nobody waits for one that is not known any more.
                if let Some(attempt) = live.and_then(|live| live.attempt_mut(operation)) {
                    *attempt = Attempt::Ended;
                    self.post(shared, slot, number, Event::Attempted { operation, ended });
                }
            }
            None => {
                if let Some(live) = live {
                    live.attempts.remove(operation);
                    if live.attempts.is_empty() && !live.busy && !live.queued {
                        let left = shared.live.remove(&slot);
                        shared.cached.without(left.and_then(|live| live.cached).as_deref());
                    }
                }
            }
        }
    }
}
