//! After a commit: effects begin, callers are answered.

use std::sync::Arc;

use durable_store::Slot;

use super::{Attempt, Commit, Effects, Event, Inner, Loaded, Queued, Shared, Work};
use crate::engine::error::EngineError;

/// Begins the effects of a committed batch.
pub(super) fn conclude(inner: &Arc<Inner>, mut work: Work) {
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
pub(super) fn begin(
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
pub(super) fn refuse_inbox(shared: &mut Shared, slot: Slot) {
    let Some(live) = shared.live.get_mut(&slot) else { return };
    for event in live.inbox.drain(..) {
        if let Event::Command { reply, .. } = event {
            let _ = reply.send(Err(EngineError::Closed { id: String::new() }));
        }
    }
}

/// Ids are free again; requests that came meanwhile are decided anew.
pub(super) fn release_ids(inner: &Inner, shared: &mut Shared, ids: Vec<String>, current: bool) {
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
