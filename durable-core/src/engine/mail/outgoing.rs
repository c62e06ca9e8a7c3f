//! What a step sends to another instance by its id finds its receiver, under the commit lock.
//!
//! The operation that stands for it is over with that, or waits for the receiver's answer: the sender's transition, which was made
//! before, says so too.

use durable_store::{Change, Closed, Error as StoreError, Found, Number, OperationChange, Slot, Transition};

use super::{
    Body, Message,
    resolve::{Resolving, Runs, mail},
};
use crate::{
    context::{Completion, OperationId, Outgoing, Refused, Sent},
    engine::{
        inner::Inner,
        kept::Keeping,
        state::{Address, Cause, ClosedState, Done, Happened, Loaded, OperationKind, PeerRequest, ReplyTo},
    },
};

/// What has become of something that was sent.
enum Outcome {
    /// It is over, with this; the flag says whether it failed.
    Over(Completion, bool),
    /// The receiver answers.
    Asked { to: Address, request: PeerRequest },
}

/// Finds the receivers of what a transition sends by id.
pub(super) fn send(
    inner: &Inner,
    runs: &Runs,
    transition: &mut Transition,
    resolving: &mut Resolving<'_>,
) -> Result<(), StoreError> {
    let outgoing = resolving.effects.rare.touched().map(|rare| std::mem::take(&mut rare.outgoing));
    let outgoing = outgoing.unwrap_or_default();
    let Some(loaded) = resolving.loaded.as_mut().filter(|_| !outgoing.is_empty()) else { return Ok(()) };
    for id in outgoing {
        let Some(OperationKind::Send(sent)) = loaded.state.operations.get(id).map(|op| &op.kind) else {
            // It was cancelled in the step that began it.
            continue;
        };
        let Outgoing { to, what } = (**sent).clone();
        let by = Address { slot: transition.slot, number: transition.number, operation: id };
        let outcome = match inner.store.find(&to)? {
            None => refused(Refused::NotFound),
            Some(Found::Closed(number)) => match inner.store.closed(number)? {
                Some(end) => closed(inner, &end, &what),
                None => refused(Refused::NotFound),
            },
            Some(Found::Live(slot)) => match inner.store.owner(slot)? {
                Some(number) if runs.is_live(inner, slot, number)? => {
                    if let Some(full) = room(inner, transition, slot, &what)? {
                        refused(full)
                    } else {
                        let (message, outcome) = message(by, slot, number, what, inner.clock.now_ms());
                        transition.mail.push(mail(inner, slot, &message));
                        resolving.mailed.push((slot, number));
                        outcome
                    }
                }
                number => match number.and_then(|number| runs.end(number)) {
                    Some(end) => closed(inner, end, &what),
                    None => refused(Refused::NotFound),
                },
            },
        };
        apply(inner, loaded, id, outcome);
    }
    rewrite(loaded, transition, inner.settings.keep_snapshots);
    resolving.effects.again |= loaded.is_ready();
    Ok(())
}

/// A mailbox has no room. Others in the same batch that fill it are not counted: it may come to hold a few more.
fn room(
    inner: &Inner,
    transition: &Transition,
    slot: Slot,
    what: &Sent,
) -> Result<Option<Refused>, StoreError> {
    if matches!(what, Sent::Cancel { .. } | Sent::Attach) {
        return Ok(None);
    }
    let mailbox = inner.store.mailbox(slot)?.unwrap_or_default();
    let sent = transition.mail.iter().filter(|mail| mail.slot == slot).count() as u64;
    let most = u64::from(inner.settings.max_messages);
    Ok((mailbox.total() + sent >= most).then_some(Refused::Full { most }))
}

fn refused(refused: Refused) -> Outcome {
    Outcome::Over(Completion::Refused(refused), true)
}

fn message(by: Address, slot: Slot, number: Number, what: Sent, now_ms: u64) -> (Message, Outcome) {
    let to = Address { slot, number, operation: by.operation };
    let sent = Outcome::Over(Completion::Done, false);
    let (name, body, reply, outcome) = match what {
        Sent::Signal { name, value } => (name, Body::Signal(value), ReplyTo::Nobody, sent),
        Sent::Cancel { why } => (String::new(), Body::Stop(Cause::Cancel { why }), ReplyTo::Nobody, sent),
        Sent::Update { name, value } => {
            let asked = Outcome::Asked { to, request: PeerRequest::Update };
            (name, Body::Update(value), ReplyTo::Instance(by), asked)
        }
        Sent::Attach => {
            let asked = Outcome::Asked { to, request: PeerRequest::Attach };
            (String::new(), Body::Watch(by), ReplyTo::Nobody, asked)
        }
    };
    (Message { name, body, reply, key: None, sent_ms: now_ms }, outcome)
}

/// Whoever attaches to an instance that has ended gets what it ended with.
fn closed(inner: &Inner, end: &Closed, what: &Sent) -> Outcome {
    if *what != Sent::Attach {
        return refused(Refused::Closed);
    }
    match postcard::from_bytes::<ClosedState>(&end.state) {
        Ok(state) => {
            let (completion, failed) = state.end.completion();
            Outcome::Over(completion, failed)
        }
        Err(error) => {
            inner.report(&format!("the record of instance `{}` can't be read: {error}", end.id));
            refused(Refused::Closed)
        }
    }
}

fn apply(inner: &Inner, loaded: &mut Loaded, id: OperationId, outcome: Outcome) {
    let Some(operation) = loaded.state.operations.get_mut(id) else { return };
    match outcome {
        Outcome::Asked { to, request } => operation.kind = OperationKind::Call { to, request },
        Outcome::Over(completion, failed) => {
            let seq = inner.next_seq();
            operation.kind = OperationKind::Done(Done { seq, failed, completion });
            for (_, readiness) in &mut loaded.ready {
                if let Some(readiness) = readiness {
                    Happened::Completed { seq, id, failed }.tell(readiness);
                }
            }
        }
    }
}

/// Has the transition say what the instance is now.
fn rewrite(loaded: &mut Loaded, transition: &mut Transition, most_kept: u32) {
    // What is kept of the step was written before, too. Nothing was kept if it is too large.
    let _ = Keeping::kept_again(&mut transition.snapshots, most_kept, &mut loaded.state);
    for change in loaded.state.operations.take_changes() {
        let id = |change: &OperationChange| match change {
            OperationChange::Put(id, _) | OperationChange::Remove(id) => *id,
        };
        transition.operations.retain(|before| id(before) != id(&change));
        transition.operations.push(change);
    }
    if !loaded.state.operations.take_inline_changed() {
        return;
    }
    let before = match &transition.change {
        // The flag is about the store, which does not have the record of this transition yet.
        Change::Update { instance, active_changed } => instance.active != *active_changed,
        _ => loaded.stored_active,
    };
    let instance = loaded.record();
    loaded.stored_active = instance.active;
    transition.change = match &transition.change {
        Change::Create(_) => Change::Create(instance),
        _ => Change::Update { active_changed: instance.active != before, instance },
    };
}
