//! A batch that the store refuses for something in it: the others in it must not wait for ever.
//!
//! Invariant: a refused transition leaves its instance as it is in the store. The instance is parked;
//! if its record is damaged not even that can be written, and it is reported.
//!
//! Deliberately absent: what to do when the store itself has failed (`recover`).

use durable_store::{Batch, Error as StoreError};
use smallvec::SmallVec;

use super::{Advanced, Attempt, Commit, Event, Inner, Work, advance, broken};
use crate::engine::{mail::MailView, state::ParkReason};

/// Whether a commit was refused for what is in it. Nothing of it was written, and the store goes on.
pub(super) fn is_refused(error: &StoreError) -> bool {
    matches!(error, StoreError::DamagedRecord { .. } | StoreError::Conflict { .. })
}

/// Commits a refused batch one transition at a time, and keeps in `work` what is durable. A crash
/// inside leaves some of them committed, which they may be: no transition depends on another's.
pub(super) fn single_out(inner: &Inner, work: &mut Work) -> Result<(), StoreError> {
    for layout in &work.batch.layouts {
        let alone = Batch { layouts: vec![layout.clone()], ..Batch::default() };
        match inner.store.commit(&alone) {
            // What is written with it can be read by builds that have its types.
            Err(error) if is_refused(&error) => {
                inner.report(&format!("layout {:016x} is left as it is: {error}", layout.0));
            }
            committed => committed?,
        }
    }
    let transitions = std::mem::take(&mut work.batch.transitions);
    let mut outcomes = Vec::with_capacity(transitions.len());
    for transition in transitions {
        let alone = Batch { transitions: vec![transition], ..Batch::default() };
        match inner.store.commit(&alone) {
            Err(error) if !is_refused(&error) => return Err(error),
            outcome => outcomes.push(outcome),
        }
    }
    let commits = std::mem::take(&mut work.commits);
    for (mut commit, outcome) in commits.into_iter().zip(outcomes) {
        let Err(error) = outcome else {
            work.commits.push(commit);
            continue;
        };
        inner.report(&format!("the instance in slot {} can't be written: {error}", commit.slot.0));
        if let Some(callers) = commit.callers.take() {
            callers.refuse(&|| broken(&error));
        }
        for (_, answer) in &mut work.replies {
            let created = answer
                .as_ref()
                .is_ok_and(|started| started.created.is_some() && started.number == commit.number);
            if created {
                *answer = Err(broken(&error).into());
            }
        }
        // What ended counts for nothing: asked by hand, the call is made again.
        let mut shared = inner.lock();
        if shared.generation == work.generation
            && let Some(live) = shared.live.get_mut(&commit.slot).filter(|live| live.number == commit.number)
        {
            live.attempts.retain(|_, attempt| !matches!(attempt, Attempt::Ended));
        }
        drop(shared);
        work.commits.extend(park(inner, &commit, &error));
    }
    Ok(())
}

/// Parks the instance whose transition was refused, as far as its record can be read and written.
fn park(inner: &Inner, refused: &Commit, error: &StoreError) -> Option<Commit> {
    let stored = inner.store.instance(refused.slot).ok()??;
    let loaded = inner.load(refused.slot, stored).ok().filter(|loaded| loaded.number == refused.number)?;
    let reason = ParkReason::Incompatible { reason: format!("its next state can't be stored: {error}") };
    let mail = MailView::default();
    let Advanced { transition, loaded, effects, callers, .. } = advance(
        inner,
        refused.slot,
        Box::new(loaded),
        mail,
        &mut [Event::Park { reason }].into_iter(),
        false,
    );
    inner.store.commit(&Batch { transitions: vec![transition], ..Batch::default() }).ok()?;
    let loaded = loaded.map(|mut loaded| {
        // It was not looked at.
        loaded.has_mail = true;
        loaded
    });
    let (slot, number) = (refused.slot, refused.number);
    let (mailed, starts) = (Vec::new(), Vec::new());
    let due = SmallVec::new();
    Some(Commit {
        slot,
        number,
        loaded,
        effects,
        callers,
        fallback: None,
        mailed,
        due,
        starts,
        missing: None,
    })
}
