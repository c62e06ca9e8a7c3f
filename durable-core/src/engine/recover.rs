//! Start-up, and going on after the store failed: what is active in the store is taken up again.
//!
//! Nothing is replayed. Active instances are found by the store's index, a page at a time; what only
//! waits for timers or messages is not read at all.

use std::{sync::Arc, time::Duration};

use durable_store::{Error as StoreError, Record, Slot};

use super::{
    advance::Event,
    attempt::{Attempt, Queued, QueuedInMemory},
    cached::Cached,
    children::to_be_created,
    error::EngineError,
    handle::REOPENED,
    inner::{Inner, Shared, Stopping},
    mail::CONTROL,
    state::Loaded,
    timers::Timers,
};

/// How many active instances are taken up at once.
const PAGE: usize = 1_000;
/// While more attempts than this wait for their turn, no further instances are taken up.
const QUEUED_ENOUGH: usize = 20_000;
/// Between two tries to open a store that failed.
const PAUSE: Duration = Duration::from_millis(200);

/// Takes up everything that is active.
pub(crate) fn recover(inner: &Arc<Inner>) -> Result<(), StoreError> {
    let generation = {
        let mut shared = inner.lock();
        shared.timers = Timers::unread();
        shared.recovering = true;
        shared.generation
    };
    inner.timers_changed.notify_one();
    let mut after = None;
    let result = 'pages: loop {
        match page(inner, after) {
            Ok(Some(last)) => after = Some(last),
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
        loop {
            let shared = inner.lock();
            if shared.stopping != Stopping::No || shared.generation != generation {
                break 'pages Ok(());
            }
            if shared.queue.len() < QUEUED_ENOUGH {
                break;
            }
            drop(shared);
            std::thread::sleep(Duration::from_millis(1));
        }
    };
    let result = result.and_then(|()| mail(inner, generation));
    let mut shared = inner.lock();
    if shared.generation == generation {
        shared.recovering = false;
        inner.tell_idle(&shared);
    }
    result
}

/// Tells those that were sent something and have not looked at it. What merely waits in a queue is left there.
fn mail(inner: &Arc<Inner>, generation: u64) -> Result<(), StoreError> {
    let mut after = None;
    loop {
        let commit = inner.commit.lock().expect("no code panics while it commits");
        let page = match inner.ask(|store| store.mailboxes(after, PAGE)) {
            Err(error @ StoreError::DamagedRecord { record: Record::Mailbox(slot), .. }) => {
                inner.report(&error.to_string());
                after = Some(slot);
                continue;
            }
            page => page?,
        };
        let Some((last, _)) = page.last() else { return Ok(()) };
        after = Some(*last);
        for (slot, mailbox) in page {
            let Some(instance) = inner.instances(&[slot])?.pop().flatten() else { continue };
            let Ok(loaded) = inner.load(slot, instance) else { continue };
            if mailbox.queue(CONTROL).is_some() || loaded.state.waits_for(&mailbox) {
                inner.post(&mut inner.lock(), slot, loaded.number, Event::Mailed);
            }
        }
        drop(commit);
        let shared = inner.lock();
        if shared.stopping != Stopping::No || shared.generation != generation {
            return Ok(());
        }
    }
}

/// At the opening of an engine; a store that fails already here is treated as one that fails later.
pub(crate) fn at_start(inner: &Arc<Inner>) {
    let generation = inner.lock().generation;
    if let Err(error) = recover(inner) {
        inner.store_failed(generation, &error);
    }
}

/// Takes up one page of active instances; gives the last slot, or nothing at the end.
///
/// The engine is at work meanwhile. No commit may come between the reading of a record and its
/// taking up: what was pending in it may be done by then, and would be done again.
fn page(inner: &Arc<Inner>, after: Option<Slot>) -> Result<Option<Slot>, StoreError> {
    let commit = inner.commit.lock().expect("no code panics while it commits");
    let slots = match inner.ask(|store| store.active(after, PAGE)) {
        // Only the mark is damaged: what it marks is looked at, and the scan goes on behind it.
        Err(StoreError::DamagedRecord { record: Record::Active(slot), .. }) => vec![slot],
        slots => slots?,
    };
    for slot in &slots {
        // One at a time: a thousand of them may be of any size.
        let Some(instance) = inner.instances(&[*slot])?.pop().flatten() else { continue };
        match inner.load(*slot, instance) {
            Ok(loaded) => take_up(inner, *slot, &loaded),
            // One record that can't be read is one instance's problem.
            Err(reason) => inner.report(&reason),
        }
    }
    drop(commit);
    let launches = inner.pump(&mut inner.lock());
    launches.launch(inner);
    Ok(slots.last().copied())
}

fn take_up(inner: &Arc<Inner>, slot: Slot, loaded: &Loaded) {
    let now_ms = inner.clock.now_ms();
    let mut shared = inner.lock();
    if loaded.state.operations.iter().any(|operation| to_be_created(operation).is_some()) {
        // It looks at its mail first: it may have come to know of it before the crash.
        inner.post(&mut shared, slot, loaded.number, Event::StartAgain);
    }
    if let Some(parked) = &loaded.state.parked {
        // Once per build: a hot fix changes the build, whatever it changes in the layouts.
        if parked.build != inner.build {
            inner.post(&mut shared, slot, loaded.number, Event::Unpark { by: "a new build" });
        }
        return;
    }
    for (operation, activity) in loaded.state.activities() {
        if loaded.state.operations.get(operation).is_some_and(|op| op.stopped) {
            // No attempt runs any more, but for one that began since the opening: the engine is at work meanwhile.
            let live = shared.live(slot, loaded.number);
            if live.is_some_and(|live| live.attempt(operation).is_none()) {
                inner.post(&mut shared, slot, loaded.number, Event::Stopped { operation });
            }
            continue;
        }
        if loaded.state.paused_ms.is_some() {
            continue;
        }
        let at_ms = activity.next_attempt_ms;
        let queued = Queued::new(inner, slot, loaded.number, operation, &loaded.id, activity);
        if at_ms > now_ms {
            back_off(&mut shared, queued, at_ms);
            inner.timers_changed.notify_one();
        } else {
            inner.enqueue(&mut shared, queued);
        }
    }
    if loaded.state.is_ready() {
        inner.post(&mut shared, slot, loaded.number, Event::GoOn);
    }
}

fn back_off(shared: &mut Shared, queued: Queued, at_ms: u64) {
    let Queued { slot, number, operation, .. } = queued;
    let Some(live) = shared.live(slot, number) else { return };
    if live.attempt(operation).is_none() {
        live.set_attempt(operation, Attempt::BackingOff { at_ms });
        shared.backoffs.insert((at_ms, slot, number, operation));
    }
}

/// Opens the store again after it failed, however long that takes, and goes on from what is durable.
/// One worker does it, the one that set `reopening`.
pub(crate) fn reopen(inner: &Arc<Inner>) {
    forget(&mut inner.lock());
    loop {
        if inner.lock().stopping == Stopping::Now {
            return;
        }
        let opened = {
            let _commit = inner.commit.lock().expect("no code panics while it commits");
            inner.store.reopen()
        };
        match opened {
            Ok(()) => break,
            Err(error) => {
                inner.report(&format!("the store can't be opened again yet: {error}"));
                inner.lock().watchers.remove(&REOPENED);
                pause(inner);
            }
        }
    }
    let generation = {
        let mut shared = inner.lock();
        shared.broken = None;
        for watcher in shared.watchers.remove(&REOPENED).unwrap_or_default() {
            let _ = watcher.send(());
        }
        shared.generation
    };
    inner.work.notify_all();
    if let Err(error) = recover(inner) {
        inner.store_failed(generation, &error);
        pause(inner);
    }
    inner.lock().reopening = false;
    inner.work.notify_all();
}

/// Gives the disk some time, unless the engine is to stop.
fn pause(inner: &Inner) {
    let shared = inner.lock();
    let goes_on = |shared: &mut Shared| shared.stopping != Stopping::Now;
    let waited = inner.work.wait_timeout_while(shared, PAUSE, goes_on);
    drop(waited.expect("no code panics under the engine's lock"));
}

/// Everything in memory may be wrong after a failed commit: running attempts are told to stop, and
/// their results no longer count.
fn forget(shared: &mut Shared) {
    for (_, live) in shared.live.drain() {
        for event in live.inbox {
            event.refuse(EngineError::Broken { reason: shared.broken.clone().unwrap_or_default() });
        }
        for attempt in live.attempts.into_values() {
            attempt.abort();
        }
    }
    shared.ready.clear();
    shared.starts_after.clear();
    shared.queue.clear();
    shared.queued = QueuedInMemory::default();
    shared.limited.clear();
    shared.backoffs.clear();
    shared.busy = 0;
    shared.running = 0;
    shared.cached = Cached::default();
    for sender in std::mem::take(&mut shared.callers).into_values().flatten() {
        sender.refuse(EngineError::Broken { reason: shared.broken.clone().unwrap_or_default() });
    }
    // Whoever waits for an end looks again.
    let reopened = shared.watchers.remove(&REOPENED);
    for watcher in shared.watchers.drain().flat_map(|(_, watchers)| watchers) {
        let _ = watcher.send(());
    }
    shared.watchers.extend(reopened.map(|waiting| (REOPENED, waiting)));
}
