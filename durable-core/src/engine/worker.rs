//! The workers: they step the instances that are ready and commit their transitions in batches.
//!
//! Two threads do the same thing: take what is ready, step it, and commit. Only one commits at a
//! time; while it syncs, the other steps what has become ready and adds to its batch until the disk
//! is free. So a lone workflow is served by one thread from event to commit, and many share commits.
//!
//! A crash anywhere in here loses no more than what was not acknowledged: effects begin, and callers
//! are answered, only after the commit.

mod refused;

use std::{
    sync::{Arc, MutexGuard, TryLockError, atomic::Ordering},
    time::Duration,
};

use durable_store::{Batch, Error as StoreError, Number, Slot};

use super::{
    advance::{Advanced, Effects, Event, advance},
    attempt::{Attempt, Queued},
    error::EngineError,
    inner::{Inner, Live, Shared, Stopping, Unsaved},
    start::{Decision, StartReply, StartRequest, Started},
    state::Loaded,
};
use crate::clock::Patience;

/// The most transitions in one transaction.
const LARGEST_BATCH: usize = 10_000;
/// The most instances that are taken at once before looking whether the disk is free.
const LARGEST_CLAIM: usize = 256;
/// So long a worker looks out for the end of attempts that it has just launched before it sleeps.
const LINGER: Duration = Duration::from_micros(50);
/// An engine without work for this long has the store make its next opening cheap.
const IDLE: Duration = Duration::from_millis(500);

/// An instance taken from the ready queue, with what happened to it.
struct Claim {
    slot: Slot,
    /// Which run it is, as long as it is busy.
    number: Number,
    loaded: Option<Box<Loaded>>,
    events: Vec<Event>,
}

/// What one worker is about to commit.
#[derive(Default)]
struct Work {
    generation: u64,
    batch: Batch,
    commits: Vec<Commit>,
    replies: Vec<(StartReply, Result<Started, super::error::StartError>)>,
    /// Ids whose starts are in this batch, or turned out to need none.
    ids: Vec<String>,
    unsettled: Vec<(Slot, Number)>,
}

/// What follows the commit of one instance's transition.
struct Commit {
    slot: Slot,
    number: Number,
    loaded: Option<Box<Loaded>>,
    effects: Effects,
    /// Attempts that are due, made ready before the lock is taken.
    due: Vec<Queued>,
}

/// Runs until the engine stops.
pub(crate) fn run(inner: &Arc<Inner>) {
    let mut settled = false;
    let mut expecting = false;
    loop {
        if std::mem::take(&mut expecting) {
            linger(inner);
        }
        let mut shared = inner.lock();
        while shared.broken.is_some() || (shared.ready.is_empty() && shared.starts.is_empty()) {
            if shared.stopping == Stopping::Now {
                return;
            }
            if shared.broken.is_some() && !shared.reopening {
                shared.reopening = true;
                drop(shared);
                super::recover::reopen(inner);
                shared = inner.lock();
                continue;
            }
            if settled || shared.broken.is_some() {
                shared = inner.work.wait(shared).expect("no code panics under the engine's lock");
                continue;
            }
            let (guard, timeout) =
                inner.work.wait_timeout(shared, IDLE).expect("no code panics under the engine's lock");
            shared = guard;
            if timeout.timed_out() && shared.ready.is_empty() && shared.broken.is_none() {
                settled = true;
                drop(shared);
                // Best effort: what it could not make cheap is made by the next opening.
                let _ = inner.ask(durable_store::Store::settle);
                shared = inner.lock();
            }
        }
        settled = false;
        let mut work = Work { generation: shared.generation, ..Work::default() };
        let (claims, starts) = claim(inner, &mut shared);
        drop(shared);
        if let Err(error) = prepare(inner, &mut work, claims, starts) {
            fail(inner, work, &error);
            continue;
        }
        let unsaved = gather(inner, &mut work);
        match unsaved {
            Ok(guard) => expecting = commit(inner, work, guard),
            Err(error) => fail(inner, work, &error),
        }
    }
}

/// Stays awake for a moment after attempts were launched: most come back sooner than a sleeping
/// thread would be up. The disk takes several times as long for every commit, so that little is burnt.
fn linger(inner: &Inner) {
    let patience = Patience::of(LINGER);
    while !patience.is_over() && !inner.has_work.load(Ordering::Relaxed) {
        std::thread::yield_now();
    }
}

/// Takes what is ready. Taken instances are busy until their transition is committed.
fn claim(inner: &Inner, shared: &mut Shared) -> (Vec<Claim>, Vec<StartRequest>) {
    let mut claims = Vec::new();
    while claims.len() < LARGEST_CLAIM
        && let Some(slot) = shared.ready.pop_front()
    {
        let Some(live) = shared.live.get_mut(&slot) else { continue };
        live.queued = false;
        live.busy = true;
        shared.busy += 1;
        let loaded = live.cached.take();
        let (number, events) = (live.number, std::mem::take(&mut live.inbox));
        shared.cached -= usize::from(loaded.is_some());
        claims.push(Claim { slot, number, loaded, events });
    }
    let mut starts = Vec::new();
    while starts.len() < LARGEST_CLAIM
        && let Some(request) = shared.starts.pop_front()
    {
        if let Some(waiting) = shared.starting.get_mut(&request.id) {
            waiting.push(request);
        } else {
            shared.starting.insert(request.id.clone(), Vec::new());
            shared.busy += 1;
            starts.push(request);
        }
    }
    inner.has_work.store(!shared.ready.is_empty() || !shared.starts.is_empty(), Ordering::Relaxed);
    (claims, starts)
}

/// Steps everything that was claimed.
fn prepare(
    inner: &Arc<Inner>,
    work: &mut Work,
    claims: Vec<Claim>,
    starts: Vec<StartRequest>,
) -> Result<(), StoreError> {
    work.unsettled.extend(claims.iter().map(|claim| (claim.slot, claim.number)));
    work.ids.extend(starts.iter().map(|request| request.id.clone()));
    let missing: Vec<Slot> =
        claims.iter().filter(|claim| claim.loaded.is_none()).map(|claim| claim.slot).collect();
    let read = if missing.is_empty() { Ok(Vec::new()) } else { inner.instances(&missing) };
    let mut read = match read {
        Ok(read) => read.into_iter(),
        Err(error) => {
            refuse(claims, starts, &error);
            return Err(error);
        }
    };
    for mut claim in claims {
        if claim.loaded.is_none() {
            claim.loaded = read.next().flatten().and_then(|instance| match Loaded::read(instance) {
                Ok(loaded) => Some(Box::new(loaded)),
                Err(reason) => {
                    inner.report(&reason);
                    None
                }
            });
        }
        let Some(loaded) = claim.loaded.filter(|loaded| loaded.number == claim.number) else {
            // It has closed since: whoever asked something of it is told.
            for event in claim.events {
                if let Event::Command { reply, .. } = event {
                    let _ = reply.send(Err(EngineError::NotFound { id: String::new() }));
                }
            }
            continue;
        };
        let advanced = advance(inner, claim.slot, loaded, claim.events, false);
        work.push(claim.slot, advanced);
    }
    let mut starts = starts.into_iter();
    while let Some(request) = starts.next() {
        if let Err(error) = start(inner, work, request) {
            refuse(Vec::new(), starts.collect(), &error);
            return Err(error);
        }
    }
    Ok(())
}

/// Tells callers that the store failed before anything was done for them.
fn refuse(claims: Vec<Claim>, starts: Vec<StartRequest>, error: &StoreError) {
    for event in claims.into_iter().flat_map(|claim| claim.events) {
        if let Event::Command { reply, .. } = event {
            let _ = reply.send(Err(broken(error)));
        }
    }
    for request in starts {
        let _ = request.reply.send(Err(broken(error).into()));
    }
}

fn broken(error: &StoreError) -> EngineError {
    EngineError::Broken { reason: error.to_string() }
}

/// Decides a start: attach to what is there, refuse, or create.
fn start(inner: &Arc<Inner>, work: &mut Work, request: StartRequest) -> Result<(), StoreError> {
    let decision = match request.decide(inner) {
        // What stands under the id is damaged, nothing else.
        Err(error @ StoreError::DamagedRecord { .. }) => {
            Ok(Decision::Answer(Err(EngineError::from(error).into())))
        }
        decision => decision,
    };
    let decided = decision.and_then(|decision| match decision {
        Decision::Answer(answer) => Ok(Err(answer)),
        Decision::Create => take_slot(inner, work.generation).map(Ok),
    });
    match decided {
        Err(error) => {
            refuse(Vec::new(), vec![request], &error);
            return Err(error);
        }
        Ok(Err(answer)) => work.replies.push((request.reply, answer)),
        Ok(Ok((slot, number))) => {
            let loaded = request.first_record(inner, number);
            work.unsettled.push((slot, number));
            let started = Started { number, created: true };
            work.replies.push((request.reply, Ok(started)));
            let advanced = advance(inner, slot, loaded, vec![Event::Begin], true);
            work.push(slot, advanced);
        }
    }
    Ok(())
}

/// A slot for a new instance, which is busy from now on.
///
/// The store gives a slot away again as soon as the end of its instance is committed; in memory
/// there may be something left of that instance until its commit is concluded.
///
/// A batch from before a reopening gets none: it will not be committed, and must leave no trace in memory.
fn take_slot(inner: &Inner, generation: u64) -> Result<(Slot, Number), StoreError> {
    let number = inner.next_number();
    let mut occupied = Vec::new();
    let taken = loop {
        let slot = match inner.store.allocate() {
            Ok(slot) => slot,
            Err(error) => break Err(error),
        };
        let mut shared = inner.lock();
        if shared.generation != generation {
            occupied.push(slot);
            break Err(reopened());
        }
        if shared.live.contains_key(&slot) {
            occupied.push(slot);
            continue;
        }
        let mut live = Live::new(number);
        live.busy = true;
        shared.busy += 1;
        shared.live.insert(slot, live);
        break Ok((slot, number));
    };
    for slot in occupied {
        inner.store.release(slot);
    }
    taken
}

/// Waits for the disk; meanwhile it steps what becomes ready and adds it to the batch.
fn gather<'a>(inner: &'a Arc<Inner>, work: &mut Work) -> Result<MutexGuard<'a, Unsaved>, StoreError> {
    loop {
        match inner.commit.try_lock() {
            Ok(guard) => return Ok(guard),
            Err(TryLockError::Poisoned(_)) => unreachable!("no code panics while it commits"),
            Err(TryLockError::WouldBlock) => {}
        }
        let more = {
            let mut shared = inner.lock();
            let room = work.batch.transitions.len() + LARGEST_CLAIM <= LARGEST_BATCH;
            (room
                && shared.generation == work.generation
                && (!shared.ready.is_empty() || !shared.starts.is_empty()))
            .then(|| claim(inner, &mut shared))
        };
        match more {
            Some((claims, starts)) => prepare(inner, work, claims, starts)?,
            None => return Ok(inner.commit.lock().expect("no code panics while it commits")),
        }
    }
}

/// Commits the batch; then, and only then, effects begin and callers are answered.
/// Gives whether attempts were launched that may end at any moment.
fn commit(inner: &Arc<Inner>, mut work: Work, mut unsaved: MutexGuard<'_, Unsaved>) -> bool {
    if inner.lock().generation != work.generation {
        drop(unsaved);
        abandon(inner, work, &reopened());
        return false;
    }
    unsaved.layouts.extend(inner.frames.take_new(&inner.codec));
    work.batch.layouts = std::mem::take(&mut unsaved.layouts);
    let empty = work.batch.transitions.is_empty() && work.batch.layouts.is_empty();
    if !empty {
        let committed = match inner.store.commit(&work.batch) {
            Err(error) if refused::is_refused(&error) => refused::single_out(inner, &mut work),
            committed => committed,
        };
        if let Err(error) = committed {
            unsaved.layouts = std::mem::take(&mut work.batch.layouts);
            drop(unsaved);
            fail(inner, work, &error);
            return false;
        }
    }
    drop(unsaved);
    inner.commits.fetch_add(1, Ordering::Relaxed);
    let launched = work.commits.iter().any(|commit| !commit.effects.dispatch.is_empty());
    conclude(inner, work);
    launched
}

/// Begins the effects of a committed batch.
fn conclude(inner: &Arc<Inner>, mut work: Work) {
    let mut closed = Vec::new();
    let mut replies = Vec::new();
    work.commits.iter_mut().for_each(|commit| commit.prepare(inner));
    let mut shared = inner.lock();
    // The store failed since: this batch is durable, and the recovery begins its effects.
    let current = shared.generation == work.generation;
    for Commit { slot, number, loaded, mut effects, due } in work.commits {
        replies.append(&mut effects.replies);
        if effects.closed || effects.parked.is_some() {
            // Whoever waits for the end looks again: a test's engine reports a parked instance.
            closed.extend(shared.watchers.remove(&number).unwrap_or_default());
        }
        if !current || shared.live.get(&slot).is_none_or(|live| live.number != number) {
            continue;
        }
        begin(inner, &mut shared, slot, loaded.as_deref(), &effects, due);
        if effects.again {
            inner.post(&mut shared, slot, number, Event::Unpark { by: "its start" });
        }
        if effects.closed {
            refuse_inbox(&mut shared, slot);
        }
        inner.settle_live(&mut shared, slot, loaded);
    }
    for (slot, number) in work.unsettled.into_iter().filter(|_| current) {
        // Claimed, and then there was nothing to do.
        if shared.live.get(&slot).is_some_and(|live| live.busy && live.number == number) {
            inner.settle_live(&mut shared, slot, None);
        }
    }
    release_ids(inner, &mut shared, work.ids, current);
    let launches = inner.pump(&mut shared);
    drop(shared);
    launches.launch();
    for (reply, answer) in work.replies {
        let _ = reply.send(answer);
    }
    for reply in replies {
        let _ = reply.send(Ok(()));
    }
    for watcher in closed {
        let _ = watcher.send(());
    }
    let shared = inner.lock();
    inner.tell_idle(&shared);
}

/// Starts what a committed transition asks for.
fn begin(
    inner: &Arc<Inner>,
    shared: &mut Shared,
    slot: Slot,
    loaded: Option<&Loaded>,
    effects: &Effects,
    due: Vec<Queued>,
) {
    let Some(live) = shared.live.get_mut(&slot) else { return };
    let number = live.number;
    live.attempts.retain(|(id, attempt)| {
        let over = effects.closed || effects.ended.contains(id);
        if over {
            attempt.cancel();
            if let Attempt::BackingOff { at_ms } = attempt {
                shared.backoffs.remove(&(*at_ms, slot, number, *id));
            }
        }
        !over
    });
    for (at_ms, operation) in &effects.backoff {
        live.set_attempt(*operation, Attempt::BackingOff { at_ms: *at_ms });
        shared.backoffs.insert((*at_ms, slot, number, *operation));
        inner.timers_changed.notify_one();
    }
    for queued in due {
        inner.enqueue(shared, queued);
    }
    for timer in &effects.timers {
        shared.timers.add(*timer);
        inner.timers_changed.notify_one();
    }
    if let (Some(reason), Some(loaded)) = (&effects.parked, loaded) {
        inner.report(&format!("instance `{}` is parked: {reason}", loaded.id));
    }
}

/// What was asked of an instance that has just closed comes too late.
fn refuse_inbox(shared: &mut Shared, slot: Slot) {
    let Some(live) = shared.live.get_mut(&slot) else { return };
    for event in live.inbox.drain(..) {
        if let Event::Command { reply, .. } = event {
            let _ = reply.send(Err(EngineError::Closed { id: String::new() }));
        }
    }
}

/// Ids are free again; requests that came meanwhile are decided anew.
fn release_ids(inner: &Inner, shared: &mut Shared, ids: Vec<String>, current: bool) {
    for id in ids {
        // After a failure of the store nothing of before counts as busy.
        shared.busy -= usize::from(current);
        let waiting = shared.starting.remove(&id).unwrap_or_default();
        if !waiting.is_empty() {
            shared.starts.extend(waiting);
            inner.wake_worker();
        }
    }
}

/// The store failed: nothing of the batch is acknowledged. The engine forgets what it has in memory,
/// opens the store again and goes on from what is durable.
fn fail(inner: &Arc<Inner>, work: Work, error: &StoreError) {
    inner.store_failed(work.generation, error);
    abandon(inner, work, error);
}

/// The error of a batch that was begun before the store was opened again.
fn reopened() -> StoreError {
    StoreError::Poisoned { reason: "it was opened again meanwhile".into() }
}

/// Answers the callers of a batch that was not committed.
fn abandon(inner: &Arc<Inner>, work: Work, error: &StoreError) {
    for (reply, answer) in work.replies {
        let _ = reply.send(answer.and_then(|_| Err(broken(error).into())));
    }
    for commit in work.commits {
        for reply in commit.effects.replies {
            let _ = reply.send(Err(broken(error)));
        }
    }
    let mut shared = inner.lock();
    for id in work.ids {
        // No longer being started, whoever comes next.
        for request in shared.starting.remove(&id).unwrap_or_default() {
            let _ = request.reply.send(Err(broken(error).into()));
        }
    }
}

impl Work {
    fn push(&mut self, slot: Slot, advanced: Advanced) {
        let Advanced { transition, loaded, effects } = advanced;
        self.commits.push(Commit { slot, number: transition.number, loaded, effects, due: Vec::new() });
        self.batch.transitions.push(transition);
    }
}

impl Commit {
    /// Makes the attempts that it dispatches ready.
    fn prepare(&mut self, inner: &Inner) {
        let Some(loaded) = &self.loaded else { return };
        for operation in &self.effects.dispatch {
            if let Some((_, activity)) = loaded.state.activities().find(|(id, _)| id == operation) {
                self.due.push(Queued::new(inner, self.slot, self.number, *operation, &loaded.id, activity));
            }
        }
    }
}
