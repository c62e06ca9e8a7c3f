//! The workers: they step the instances that are ready and commit their transitions in batches.
//!
//! Two threads do the same thing: take what is ready, step it, and commit. Only one commits at a
//! time; while it syncs, the other steps what has become ready and adds to its batch until the disk
//! is free. So a lone workflow is served by one thread from event to commit, and many share commits.
//!
//! A crash anywhere in here loses no more than what was not acknowledged: effects begin, and callers
//! are answered, only after the commit.

#[cfg(feature = "simulation")]
mod by_hand;
mod claim;
mod commit;
mod conclude;
mod desk;
mod prepare;
mod refused;

use std::{
    sync::{Arc, MutexGuard, atomic::Ordering},
    time::Duration,
};

use durable_store::{Batch, Change, Error as StoreError, Number, OperationChange, Slot, Transition};
use smallvec::SmallVec;

#[cfg(feature = "simulation")]
pub(super) use by_hand::Turn;

use super::{
    advance::{Advanced, Callers, Draft, Effects, Event, advance},
    attempt::{Attempt, Queued},
    children::Resolved,
    error::{EngineError, StartError},
    inner::{Inner, Shared, Stopping, why},
    start::{Requester, StartReply, StartRequest, Started},
    state::Loaded,
};
use crate::{clock::Patience, seldom::Seldom};

pub(crate) use desk::{Current, Lane, Rest};

/// The most transitions in one transaction.
const LARGEST_BATCH: usize = 10_000;
/// From so many bytes on nothing is added to a transaction.
const LARGE_BATCH_BYTES: usize = 16 << 20;
/// The most instances that are taken at once before looking whether the disk is free. Of large ones fewer are read at once.
const LARGEST_CLAIM: usize = 256;
/// So long a worker looks out for the end of attempts that it has just launched before it sleeps.
const LINGER: Duration = Duration::from_micros(50);
/// The memory of larger batches is given back.
const MOST_REUSED: usize = 4_096;
/// An engine without work for this long has the store make its next opening cheap.
const IDLE: Duration = Duration::from_millis(500);

/// What one worker is about to commit.
#[derive(Default)]
struct Work {
    generation: u64,
    batch: Batch,
    /// How large that is.
    bytes: usize,
    commits: Vec<Commit>,
    replies: Vec<(StartReply, Result<Started, StartError>)>,
    /// What instances are told of the starts that they asked for and that need no commit.
    resolved: Vec<Resolved>,
    /// Ids whose starts are in this batch, or turned out to need none.
    ids: Vec<String>,
    unsettled: Vec<(Slot, Number)>,
    /// Where it lies while steps are made.
    lane: Option<Arc<Lane>>,
}

/// What one step, or one start, has come to.
#[derive(Default)]
struct Outcome {
    answer: Option<Box<(Requester, Result<Started, StartError>)>>,
    resolved: Option<Box<Resolved>>,
    unsettled: Option<(Slot, Number)>,
    advanced: Option<(Slot, Advanced)>,
}

/// What follows the commit of one instance's transition.
struct Commit {
    slot: Slot,
    number: Number,
    loaded: Option<Box<Loaded>>,
    effects: Effects,
    /// Nearly always there are none.
    callers: Seldom<Callers>,
    fallback: Option<Box<Draft>>,
    /// Other instances that get mail by it.
    mailed: Vec<(Slot, Number)>,
    /// Attempts that are due, made ready before the lock is taken.
    due: SmallVec<[Queued; 1]>,
    /// Instances that it starts, likewise.
    starts: Vec<StartRequest>,
    /// What it gets because it can't start one of them.
    missing: Option<Box<Event>>,
}

/// Runs until the engine stops, or until others have taken what lay before this worker. It begins with what another one has left.
pub(crate) fn run(inner: &Arc<Inner>, lane: &Arc<Lane>, left: Option<Rest>) {
    let mut settled = false;
    let (mut expecting, mut work) = (false, Work::default());
    if let Some(rest) = left {
        work.lane = Some(lane.clone());
        let stepped = prepare::step_all(inner, &mut work, rest);
        (expecting, work) = serve(inner, work, stepped);
    }
    loop {
        if lane.is_left() {
            // What it has left word of is for another one to take in.
            inner.wake_worker(&mut inner.lock());
            return;
        }
        let mut shared = if std::mem::take(&mut expecting) { linger(inner) } else { inner.lock() };
        // What it takes in itself is no reason to wake another one, as long as it does not turn to anything else.
        inner.lingering.fetch_add(1, Ordering::Relaxed);
        while shared.broken.is_some() || !has_work(inner, &mut shared) {
            if shared.stopping == Stopping::Now {
                inner.lingering.fetch_sub(1, Ordering::Relaxed);
                return;
            }
            if shared.broken.is_some() && !shared.reopening {
                shared.reopening = true;
                inner.lingering.fetch_sub(1, Ordering::Relaxed);
                drop(shared);
                super::recover::reopen(inner);
                shared = inner.lock();
                inner.lingering.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            let timed_out;
            inner.lingering.fetch_sub(1, Ordering::Relaxed);
            (shared, timed_out) = sleep(inner, shared, settled);
            if timed_out && !has_work(inner, &mut shared) && shared.broken.is_none() {
                settled = true;
                drop(shared);
                work = Work::default();
                // Best effort: what it could not make cheap is made by the next opening.
                let _ = inner.ask(durable_store::Store::settle);
                shared = inner.lock();
            }
            inner.lingering.fetch_add(1, Ordering::Relaxed);
        }
        settled = false;
        work.begin(shared.generation, lane);
        let (claims, starts) = claim::claim(inner, &mut shared);
        inner.lingering.fetch_sub(1, Ordering::Relaxed);
        if inner.has_work.load(Ordering::Relaxed) {
            inner.wake_worker(&mut shared);
        }
        drop(shared);
        let stepped = prepare::prepare(inner, &mut work, claims, starts);
        (expecting, work) = serve(inner, work, stepped);
    }
}

/// Commits what was stepped. Gives whether attempts were launched that may end at any moment, and memory for what is stepped next.
fn serve(inner: &Arc<Inner>, mut work: Work, stepped: Result<(), StoreError>) -> (bool, Work) {
    let error = match stepped.and_then(|()| commit::gather(inner, &mut work)) {
        Ok(guard) => return commit::commit(inner, work, guard),
        Err(error) => error,
    };
    commit::fail(inner, work, &error);
    (false, Work::default())
}

/// Whether there is something to step or to start, what has just ended included.
pub(super) fn has_work(inner: &Inner, shared: &mut Shared) -> bool {
    inner.take_in(shared);
    !shared.ready.is_empty() || !shared.starts.is_empty()
}

/// Sleeps until there is work; gives whether none came for a while. One that has nothing left to settle waits for good, and so does
/// one that waits for another to open the store again.
fn sleep<'a>(
    inner: &Inner,
    mut shared: MutexGuard<'a, Shared>,
    settled: bool,
) -> (MutexGuard<'a, Shared>, bool) {
    const LOCK: &str = "no code panics under the engine's lock";
    shared.asleep += 1;
    let (mut shared, timed_out) = if settled || shared.broken.is_some() {
        (inner.work.wait(shared).expect(LOCK), false)
    } else {
        let (shared, timeout) = inner.work.wait_timeout(shared, IDLE).expect(LOCK);
        (shared, timeout.timed_out())
    };
    shared.asleep -= 1;
    // Whether it was this one that was woken is not known: one that is woken twice does no harm.
    shared.woken = 0;
    (shared, timed_out)
}

/// Stays awake for a moment after attempts were launched: most come back sooner than a sleeping
/// thread would be up. The disk takes several times as long for every commit, so that little is burnt.
fn linger(inner: &Inner) -> MutexGuard<'_, Shared> {
    inner.lingering.fetch_add(1, Ordering::Relaxed);
    let patience = Patience::of(LINGER);
    while !patience.is_over() && !inner.has_work.load(Ordering::Relaxed) {
        std::thread::yield_now();
    }
    let shared = inner.lock();
    // Under the lock: whoever did not wake another worker for this one has given the lock back, and this one sees why.
    inner.lingering.fetch_sub(1, Ordering::Relaxed);
    shared
}

/// About how many bytes a transition has the store write.
fn bytes(transition: &Transition) -> usize {
    let state = match &transition.change {
        Change::Create(instance) | Change::Update { instance, .. } => instance.state.len(),
        Change::Close(closed) => closed.state.len(),
        Change::Keep => 0,
    };
    let operation = |change: &OperationChange| match change {
        OperationChange::Put(_, bytes) => bytes.len(),
        OperationChange::Remove(_) => 0,
    };
    let operations: usize = transition.operations.iter().map(operation).sum();
    let mail: usize = transition.mail.iter().map(|mail| mail.bytes.len()).sum();
    state + operations + mail
}

fn broken(error: &StoreError) -> EngineError {
    EngineError::Broken { reason: why(error) }
}

/// The error of a batch that was begun before the store was opened again: why it had to be.
fn reopened(shared: &Shared) -> StoreError {
    StoreError::Poisoned { reason: shared.failure.clone() }
}

impl Work {
    /// For what is stepped now. What it was used for before has been concluded.
    fn begin(&mut self, generation: u64, lane: &Arc<Lane>) {
        if self.commits.capacity() > MOST_REUSED {
            *self = Work::default();
        }
        self.bytes = 0;
        self.generation = generation;
        self.lane = Some(lane.clone());
    }

    /// Whoever asked for a start is told what it has come to, once the batch is committed.
    fn answer(&mut self, by: Requester, answer: Result<Started, StartError>) {
        match by {
            Requester::Caller(reply) => self.replies.push((reply, answer)),
            // It learns of a creation by its mail; of what is damaged it hears nothing, and asks again after a restart.
            Requester::Instance(_) => {}
        }
    }

    #[inline]
    fn add(&mut self, outcome: Outcome) {
        let Outcome { answer, resolved, unsettled, advanced } = outcome;
        if let Some(asked) = answer {
            let (by, answer) = *asked;
            self.answer(by, answer);
        }
        self.resolved.extend(resolved.map(|resolved| *resolved));
        self.unsettled.extend(unsettled);
        if let Some((slot, advanced)) = advanced {
            self.push(slot, advanced);
        }
    }

    /// What was written goes back to whoever writes next, for its memory. After a commit of the whole batch.
    fn give_back(&mut self) {
        if self.commits.len() != self.batch.transitions.len() {
            // One was refused, and they were committed one by one.
            return;
        }
        for (commit, transition) in self.commits.iter_mut().zip(self.batch.transitions.drain(..)) {
            if let Some(loaded) = &mut commit.loaded
                && let Change::Create(instance) | Change::Update { instance, .. } = transition.change
            {
                loaded.has_written(instance);
            }
        }
    }

    #[inline]
    fn push(&mut self, slot: Slot, advanced: Advanced) {
        let Advanced { transition, loaded, effects, callers, fallback } = advanced;
        let number = transition.number;
        let (mailed, due, starts) = (Vec::new(), SmallVec::new(), Vec::new());
        let missing = None;
        self.commits.push(Commit {
            slot,
            number,
            loaded,
            effects,
            callers,
            fallback,
            mailed,
            due,
            starts,
            missing,
        });
        self.bytes += bytes(&transition);
        self.batch.transitions.push(transition);
    }
}
