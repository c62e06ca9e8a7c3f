//! Committing a batch, and what becomes of it when it can't be.

use std::sync::{Arc, MutexGuard, TryLockError, atomic::Ordering};

use durable_store::Error as StoreError;

use super::{
    Commit, Inner, LARGE_BATCH_BYTES, LARGEST_BATCH, LARGEST_CLAIM, Work, broken, claim::claim,
    conclude::conclude, prepare::prepare, refused, reopened,
};
use crate::engine::{
    inner::Unsaved,
    mail::resolve::{self, Resolving, Runs},
};

/// Waits for the disk; meanwhile it steps what becomes ready and adds it to the batch.
pub(super) fn gather<'a>(
    inner: &'a Arc<Inner>,
    work: &mut Work,
) -> Result<MutexGuard<'a, Unsaved>, StoreError> {
    loop {
        match inner.commit.try_lock() {
            Ok(guard) => return Ok(guard),
            Err(TryLockError::Poisoned(_)) => unreachable!("no code panics while it commits"),
            Err(TryLockError::WouldBlock) => {}
        }
        let more = {
            let mut shared = inner.lock();
            inner.take_in(&mut shared);
            let room = work.batch.transitions.len() + LARGEST_CLAIM <= LARGEST_BATCH
                && work.bytes < LARGE_BATCH_BYTES;
            // Whoever has lost its desk only commits what it has.
            (room
                && !work.lane.as_ref().is_some_and(|lane| lane.is_left())
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
/// Gives whether attempts were launched that may end at any moment, and the batch's memory.
pub(super) fn commit(inner: &Arc<Inner>, work: Work, unsaved: MutexGuard<'_, Unsaved>) -> (bool, Work) {
    let Some(mut work) = write(inner, work, unsaved) else { return (false, Work::default()) };
    let launched = work.commits.iter().any(|commit| !commit.effects.dispatch.is_empty());
    conclude(inner, &mut work);
    (launched, work)
}

/// Commits the batch and no more. Nothing is left if that failed: callers were told then.
pub(super) fn write(
    inner: &Arc<Inner>,
    mut work: Work,
    mut unsaved: MutexGuard<'_, Unsaved>,
) -> Option<Work> {
    let shared = inner.lock();
    let late = (shared.generation != work.generation).then(|| reopened(&shared));
    drop(shared);
    if let Some(error) = late {
        drop(unsaved);
        abandon(inner, work, &error);
        return None;
    }
    unsaved.layouts.extend(inner.frames.take_new(&inner.codec));
    work.batch.layouts = std::mem::take(&mut unsaved.layouts);
    if let Err(error) = resolve_all(inner, &mut work) {
        unsaved.layouts = std::mem::take(&mut work.batch.layouts);
        drop(unsaved);
        fail(inner, work, &error);
        return None;
    }
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
            return None;
        }
    }
    drop(unsaved);
    work.give_back();
    inner.commits.fetch_add(1, Ordering::Relaxed);
    Some(work)
}

/// What goes from one instance to another finds its receiver, now that no commit can come between.
fn resolve_all(inner: &Inner, work: &mut Work) -> Result<(), StoreError> {
    let needed = |commit: &Commit| resolve::is_needed(&commit.effects, commit.fallback.as_deref());
    if !work.commits.iter().any(needed) {
        return Ok(());
    }
    let each = |work: &mut Work, f: &mut dyn FnMut(&mut _, &mut Resolving<'_>) -> Result<(), StoreError>| {
        for (commit, transition) in work.commits.iter_mut().zip(&mut work.batch.transitions) {
            let Commit { loaded, effects, fallback, callers, mailed, .. } = commit;
            f(transition, &mut Resolving { loaded, effects, fallback, callers, mailed })?;
        }
        Ok(())
    };
    each(work, &mut |transition, resolving| resolve::fall_back(inner, transition, resolving))?;
    if !work.commits.iter().any(|commit| resolve::is_needed(&commit.effects, None)) {
        return Ok(());
    }
    // Which runs end is known only now.
    let sends = work.commits.iter().any(|commit| !commit.effects.rare.outgoing.is_empty());
    let runs = Runs::of(&work.batch, sends);
    each(work, &mut |transition, resolving| resolve::resolve(inner, &runs, transition, resolving))
}

/// The store failed: nothing of the batch is acknowledged. The engine forgets what it has in memory,
/// opens the store again and goes on from what is durable.
pub(super) fn fail(inner: &Arc<Inner>, work: Work, error: &StoreError) {
    inner.store_failed(work.generation, error);
    abandon(inner, work, error);
}

/// Answers the callers of a batch that was not committed.
pub(super) fn abandon(inner: &Arc<Inner>, work: Work, error: &StoreError) {
    for (reply, answer) in work.replies {
        let _ = reply.send(answer.and_then(|_| Err(broken(error).into())));
    }
    for mut commit in work.commits {
        if let Some(callers) = commit.callers.take() {
            callers.refuse(&|| broken(error));
        }
    }
    let mut shared = inner.lock();
    // No longer being started. Whoever came meanwhile is decided anew: an instance, which may have come after the store was opened
    // again, asks only once.
    let shared = &mut *shared;
    for id in work.ids {
        shared.starts.extend(shared.starting.remove(&id).unwrap_or_default());
    }
    if !shared.starts.is_empty() {
        inner.wake_worker(shared);
    }
}
