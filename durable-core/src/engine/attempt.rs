//! Attempts of activities: the queue and the limits. `launch` begins those that have got their turn, `turn` is the place that each takes
//! up until it ends, `running` is one attempt.

mod launch;
mod running;
mod turn;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use durable_store::{Number, Slot};

pub(crate) use launch::{Launches, QUICK, SLICE};
pub(crate) use running::{Running, StoredCall};
pub(crate) use turn::Finished;

use super::{
    inner::{Inner, Limited, Live, Shared, Stopping},
    state::ActivityOperation,
};
use crate::{activity::AttemptState, context::OperationId};
use launch::Launch;
use running::Prepared;
use turn::Place;

/// So many queued attempts keep their arguments in memory, of so many bytes; the others read them when their turn comes.
const PREPARED_ATTEMPTS: usize = 20_000;
const PREPARED_BYTES: usize = 64 << 20;

/// Where the attempts of a pending activity stand.
#[derive(Debug)]
pub(crate) enum Attempt {
    Queued,
    Running(Arc<Launched>),
    BackingOff {
        at_ms: u64,
    },
    /// It is over, and what it gave waits for the commit.
    Ended,
}

/// A running attempt, as those see it who would end it.
#[derive(Debug, Default)]
pub(crate) struct Launched {
    task: OnceLock<tokio::task::AbortHandle>,
    state: OnceLock<Arc<AttemptState>>,
    cancelled: AtomicBool,
    aborted: AtomicBool,
    /// It ended before it had a task of its own.
    over: AtomicBool,
}

impl Launched {
    /// An attempt is launched after the lock was given back: it may have been aborted before that.
    fn set_task(&self, task: tokio::task::AbortHandle) {
        let task = self.task.get_or_init(|| task);
        if self.aborted.load(Ordering::SeqCst) {
            task.abort();
        }
    }

    /// Tells it that nobody waits for it any more, or will do so once it has begun.
    fn cancel(&self) {
        self.cancelled.store(true, Ordering::SeqCst);
        if let Some(state) = self.state.get() {
            state.cancel();
        }
    }

    /// What it is told by, from its beginning on.
    fn begin(&self, state: Arc<AttemptState>) -> &Arc<AttemptState> {
        let state = self.state.get_or_init(|| state);
        if self.cancelled.load(Ordering::SeqCst) {
            state.cancel();
        }
        state
    }

    /// Ends it where it stands.
    pub(crate) fn abort(&self) {
        self.aborted.store(true, Ordering::SeqCst);
        if let Some(task) = self.task.get() {
            task.abort();
        }
    }

    fn is_aborted(&self) -> bool {
        self.aborted.load(Ordering::SeqCst)
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
            || self.task.get().is_some_and(tokio::task::AbortHandle::is_finished)
    }
}

/// Attempts that nobody waits for and that were told so: they run until they see it, and end with the engine.
#[derive(Debug, Default)]
pub(crate) struct Leaving(Vec<Arc<Launched>>);

impl Leaving {
    pub(crate) fn add(&mut self, attempt: &Attempt) {
        if let Attempt::Running(launched) = attempt {
            // Now and then, so that many cost no more each than a few.
            if self.0.len().is_power_of_two() {
                self.0.retain(|other| !other.is_over());
            }
            self.0.push(launched.clone());
        }
    }

    /// Ends all of them where they stand.
    pub(crate) fn abort(&mut self) {
        self.0.drain(..).for_each(|launched| launched.abort());
    }
}

impl Attempt {
    /// Tells a running attempt that nobody waits for it any more.
    pub(crate) fn cancel(&self) {
        if let Attempt::Running(launched) = self {
            launched.cancel();
        }
    }

    /// Ends a running attempt where it stands.
    pub(crate) fn abort(&self) {
        self.cancel();
        if let Attempt::Running(launched) = self {
            launched.abort();
        }
    }
}

/// An attempt that waits for its turn.
#[derive(Debug)]
pub(crate) struct Queued {
    pub(crate) slot: Slot,
    pub(crate) number: Number,
    pub(crate) operation: OperationId,
    /// The activity's name, if it has a limit of its own.
    limited: Option<&'static str>,
    prepared: Option<Prepared>,
}

impl Queued {
    pub(crate) fn new(
        inner: &Inner,
        slot: Slot,
        number: Number,
        operation: OperationId,
        instance: &str,
        activity: &ActivityOperation,
    ) -> Self {
        let prepared = Prepared::new(inner, instance, activity);
        Queued { slot, number, operation, limited: prepared.limited(), prepared: Some(prepared) }
    }
}

/// How many queued attempts keep their arguments in memory.
#[derive(Debug, Default)]
pub(crate) struct QueuedInMemory {
    attempts: usize,
    bytes: usize,
}

impl QueuedInMemory {
    /// One more keeps its arguments, if there is room.
    fn add(&mut self, queued: &mut Queued) {
        let Some(prepared) = &queued.prepared else { return };
        let bytes = self.bytes + prepared.bytes();
        // One has room whatever it takes: nearly always its turn comes at once.
        if self.attempts == 0 || (self.attempts < PREPARED_ATTEMPTS && bytes <= PREPARED_BYTES) {
            *self = QueuedInMemory { attempts: self.attempts + 1, bytes };
        } else {
            queued.prepared = None;
        }
    }

    /// One is not queued any more.
    fn remove(&mut self, queued: &Queued) {
        if let Some(prepared) = &queued.prepared {
            self.attempts -= 1;
            self.bytes -= prepared.bytes();
        }
    }
}

/// The attempts of an instance, by their operations. Nearly always there is one, which costs no memory of its own.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    one: Option<(OperationId, Attempt)>,
    others: BTreeMap<OperationId, Attempt>,
}

impl Attempts {
    pub(crate) fn insert(&mut self, id: OperationId, attempt: Attempt) {
        match &mut self.one {
            Some((one, there)) if *one == id => *there = attempt,
            None if !self.others.contains_key(&id) => self.one = Some((id, attempt)),
            _ => drop(self.others.insert(id, attempt)),
        }
    }

    pub(crate) fn get(&self, id: OperationId) -> Option<&Attempt> {
        match &self.one {
            Some((one, attempt)) if *one == id => Some(attempt),
            _ => self.others.get(&id),
        }
    }

    fn get_mut(&mut self, id: OperationId) -> Option<&mut Attempt> {
        match &mut self.one {
            Some((one, attempt)) if *one == id => Some(attempt),
            _ => self.others.get_mut(&id),
        }
    }

    pub(crate) fn remove(&mut self, id: OperationId) -> Option<Attempt> {
        match self.one.take_if(|(one, _)| *one == id) {
            Some((_, attempt)) => Some(attempt),
            None => self.others.remove(&id),
        }
    }

    pub(crate) fn retain(&mut self, mut keep: impl FnMut(OperationId, &mut Attempt) -> bool) {
        self.one.take_if(|(id, attempt)| !keep(*id, attempt));
        self.others.retain(|id, attempt| keep(*id, attempt));
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = OperationId> {
        self.one.iter().map(|(id, _)| *id).chain(self.others.keys().copied())
    }

    pub(crate) fn into_values(self) -> impl Iterator<Item = Attempt> {
        self.one.into_iter().map(|(_, attempt)| attempt).chain(self.others.into_values())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.one.is_none() && self.others.is_empty()
    }
}

impl Live {
    pub(crate) fn set_attempt(&mut self, operation: OperationId, attempt: Attempt) {
        self.attempts.insert(operation, attempt);
    }

    pub(crate) fn attempt(&self, operation: OperationId) -> Option<&Attempt> {
        self.attempts.get(operation)
    }

    fn attempt_mut(&mut self, operation: OperationId) -> Option<&mut Attempt> {
        self.attempts.get_mut(operation)
    }
}

impl Inner {
    /// Puts an attempt into the queue, unless it is there or runs already.
    #[allow(clippy::unused_self)] // the queue is the engine's
    pub(crate) fn enqueue(&self, shared: &mut Shared, mut queued: Queued) {
        let Some(live) = shared.live(queued.slot, queued.number) else { return };
        let waited = match live.attempt(queued.operation) {
            Some(Attempt::Queued | Attempt::Running(_) | Attempt::Ended) => return,
            Some(Attempt::BackingOff { at_ms }) => Some(*at_ms),
            None => None,
        };
        live.set_attempt(queued.operation, Attempt::Queued);
        if let Some(at_ms) = waited {
            shared.backoffs.remove(&(at_ms, queued.slot, queued.number, queued.operation));
        }
        shared.queued.add(&mut queued);
        shared.queue.push_back(queued);
    }

    /// Puts the next call of a limited activity in front of the queue, if there is a place for it.
    fn call_up(&self, shared: &mut Shared, limited: Option<&'static str>) {
        let Some(name) = limited else { return };
        let Some(limited) = shared.limited.get_mut(name) else { return };
        if limited.running < self.most_of(name)
            && let Some(next) = limited.waiting.pop_front()
        {
            shared.queue.push_front(next);
        }
    }

    /// How many attempts of a limited activity may run at once.
    fn most_of(&self, name: &str) -> usize {
        self.registry.activities[name].meta.limit.map_or(usize::MAX, |most| most as usize)
    }

    /// Takes queued attempts out of the queue as far as the limits allow, to be launched without the lock.
    #[must_use = "what was taken must be launched"]
    pub(crate) fn pump(&self, shared: &mut Shared) -> Launches {
        let mut due = Launches::default();
        // What is in memory when the store has failed is about to be forgotten: an attempt that began now would be counted after that.
        if shared.broken.is_some() {
            return due;
        }
        while shared.running < self.settings.max_concurrent_activities && shared.stopping == Stopping::No {
            let Some(queued) = shared.queue.pop_front() else { break };
            // It may have been terminated while it waited for its turn.
            let live = shared.live.get_mut(&queued.slot).filter(|live| live.number == queued.number);
            let attempt = live.and_then(|live| live.attempt_mut(queued.operation));
            let Some(attempt) = attempt.filter(|attempt| matches!(attempt, Attempt::Queued)) else {
                shared.queued.remove(&queued);
                // It may have been called up to take the place of one that ended: the next one takes it.
                self.call_up(shared, queued.limited);
                continue;
            };
            if let Some(name) = queued.limited {
                let limited = shared.limited.entry(name).or_default();
                if limited.running >= self.most_of(name) {
                    limited.waiting.push_back(queued);
                    continue;
                }
                limited.running += 1;
            }
            shared.queued.remove(&queued);
            shared.running += 1;
            let launched = Arc::new(Launched::default());
            *attempt = Attempt::Running(launched.clone());
            let Queued { slot, number, operation, limited, prepared } = queued;
            let place = Place { generation: shared.generation, slot, number, operation, limited };
            due.add(Launch { place, prepared, launched }, shared.queue.len());
        }
        let is_waited_for = |limited: &Limited| !limited.waiting.is_empty();
        let crowded = !shared.queue.is_empty() || shared.limited.values().any(is_waited_for);
        self.crowded.store(crowded, Ordering::Relaxed);
        due
    }
}
