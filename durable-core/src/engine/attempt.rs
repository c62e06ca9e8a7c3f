//! Attempts of activities: the queue, the limits, and the turn of each; `running` is one attempt.

mod running;

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering},
};

use durable_store::{Number, Slot};

pub(crate) use running::{Running, StoredCall};

use super::{
    advance::{Attempted, Event},
    inner::{Inner, Live, Shared, Stopping},
    state::ActivityOperation,
};
use crate::{activity::AttemptState, context::OperationId};
use running::Prepared;

/// So many queued attempts keep their arguments in memory; the others read them when their turn comes.
const PREPARED_ATTEMPTS: usize = 20_000;

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

    fn is_over(&self) -> bool {
        self.task.get().is_some_and(tokio::task::AbortHandle::is_finished)
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
    prepared: Option<Box<Prepared>>,
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
        Queued { slot, number, operation, limited: prepared.limited(), prepared: Some(Box::new(prepared)) }
    }
}

impl Live {
    pub(crate) fn set_attempt(&mut self, operation: OperationId, attempt: Attempt) {
        self.attempts.insert(operation, attempt);
    }

    pub(crate) fn attempt(&self, operation: OperationId) -> Option<&Attempt> {
        self.attempts.get(&operation)
    }

    fn attempt_mut(&mut self, operation: OperationId) -> Option<&mut Attempt> {
        self.attempts.get_mut(&operation)
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
        if shared.queue.len() >= PREPARED_ATTEMPTS {
            queued.prepared = None;
        }
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
    pub(crate) fn pump(self: &Arc<Self>, shared: &mut Shared) -> Launches {
        let mut due = Launches { inner: self.clone(), attempts: Vec::new() };
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
            shared.running += 1;
            let launched = Arc::new(Launched::default());
            *attempt = Attempt::Running(launched.clone());
            let Queued { slot, number, operation, limited, prepared } = queued;
            let inner = self.clone();
            let generation = shared.generation;
            let turn = Turn { inner, generation, slot, number, operation, limited, over: false };
            due.attempts.push((turn, prepared, launched));
        }
        due
    }
}

/// Attempts that have got their turn.
pub(crate) struct Launches {
    inner: Arc<Inner>,
    attempts: Vec<(Turn, Option<Box<Prepared>>, Arc<Launched>)>,
}

impl Launches {
    /// Makes a task of each attempt. From outside of the runtime every task would wake a thread of
    /// it: more than a few are spawned from within.
    pub(crate) fn launch(self) {
        const FEW: usize = 4;
        let Launches { inner, attempts } = self;
        if attempts.len() <= FEW {
            for (turn, prepared, launched) in attempts {
                launch(&inner, turn, prepared, &launched);
            }
        } else {
            let runtime = inner.runtime.clone();
            runtime.spawn(async move {
                for (turn, prepared, launched) in attempts {
                    launch(&inner, turn, prepared, &launched);
                }
            });
        }
    }
}

fn launch(inner: &Arc<Inner>, mut turn: Turn, prepared: Option<Box<Prepared>>, launched: &Arc<Launched>) {
    let seen = launched.clone();
    let task = inner.runtime.spawn(async move {
        let Turn { slot, number, operation, .. } = turn;
        let ended = turn.inner.clone().attempt(slot, number, operation, prepared, &seen).await;
        turn.end(ended);
    });
    launched.set_task(task.abort_handle());
}

/// The place that a running attempt takes up. Given back when the attempt ends, however it ends.
struct Turn {
    inner: Arc<Inner>,
    generation: u64,
    slot: Slot,
    number: Number,
    operation: OperationId,
    limited: Option<&'static str>,
    over: bool,
}

impl Turn {
    fn end(&mut self, ended: Option<Attempted>) {
        self.over = true;
        let inner = self.inner.clone();
        let mut shared = inner.lock();
        if shared.generation != self.generation {
            return;
        }
        shared.running -= 1;
        if let Some(limited) = self.limited.and_then(|name| shared.limited.get_mut(name)) {
            limited.running -= 1;
        }
        inner.call_up(&mut shared, self.limited);
        let live = shared.live.get_mut(&self.slot).filter(|live| live.number == self.number);
        match ended {
            Some(ended) => {
                // Nobody waits for one that is not known any more.
                if let Some(attempt) = live.and_then(|live| live.attempt_mut(self.operation)) {
                    *attempt = Attempt::Ended;
                    let event = Event::Attempted { operation: self.operation, ended };
                    inner.post(&mut shared, self.slot, self.number, event);
                }
            }
            None => {
                if let Some(live) = live {
                    live.attempts.remove(&self.operation);
                    if live.attempts.is_empty() && !live.busy && !live.queued {
                        let left = shared.live.remove(&self.slot);
                        shared.cached.without(left.and_then(|live| live.cached).as_deref());
                    }
                }
            }
        }
        let launches = inner.pump(&mut shared);
        inner.tell_idle(&shared);
        drop(shared);
        launches.launch();
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // Aborted by a shutdown: nothing is reported, and the call runs again after the restart.
        if !self.over {
            let mut shared = self.inner.lock();
            if shared.generation == self.generation {
                shared.running -= 1;
                self.inner.tell_idle(&shared);
            }
        }
    }
}
