//! Going back: an instance stands again where it stood after an earlier step.
//!
//! What is under way now and was then goes on as it is. What was and is no more is done anew, under the key that it had: it is the same call
//! of the same instance. What was begun since is cancelled. Messages that were taken since wait again, in their old places.
//!
//! Invariants: nothing is changed before it is known that all of it can be; steps go on being counted, so that what happened before is told
//! from what happens after; ids of operations are never used for others.
//!
//! Deliberately absent: taking back what was done outside, and running the compensations that were pushed since.

use std::collections::BTreeSet;

use durable_store::SnapshotChange;

use super::Advance;
use crate::{
    context::{Completion, OperationId, Outgoing, Sent},
    engine::{
        copies::HELD,
        error::EngineError,
        history::HistoryKind,
        kept::{Kept, RewindError},
        mail::{Body, Placed},
        state::{ClosedState, Done, InstanceState, Operation, OperationKind, PeerRequest, ReplyTo, Stop},
    },
};

/// Where it goes back to.
struct Earlier {
    state: InstanceState,
    /// What was taken since.
    taken: Vec<Placed>,
    /// The places of the snapshots of the steps between.
    places: Vec<u32>,
}

impl Advance<'_> {
    pub(super) fn rewind(&mut self, step: u64) -> Result<(), RewindError> {
        let id = self.draft.loaded.id.clone();
        let impossible = |reason: String| RewindError::Impossible { id: id.clone(), step, reason };
        if self.draft.end.is_some() || self.draft.loaded.state.ending.is_some() {
            return Err(impossible(
                "its end is decided, and it only waits for what it has told to end".into(),
            ));
        }
        let Earlier { mut state, taken, places } = self.earlier(step)?;
        if state.ending.is_some() {
            return Err(impossible("its end was decided there, and it only ran its compensations".into()));
        }
        let operations: Vec<_> = std::mem::take(&mut state.operations).iter().cloned().collect();
        let again: Vec<_> = operations
            .into_iter()
            .map(|operation| self.again(operation))
            .collect::<Result<_, _>>()
            .map_err(impossible)?;
        for held in &state.held {
            let is_back = taken.iter().any(|(_, seq, _)| *seq == held.seq);
            let is_there = self.draft.mail.find(held.queue, held.seq).map_err(impossible)?;
            if !is_back && !is_there {
                return Err(impossible(HELD.into()));
            }
        }
        self.draft.note(HistoryKind::Rewound { to: step });
        self.cancel_all_but(&again.iter().map(|operation| operation.id).collect());
        for operation in again {
            self.draft.loaded.state.operations.put(operation);
        }
        self.give_back(taken, &state);
        self.stand_at(state);
        self.draft.keeping.rewound(step, places.into_iter().map(SnapshotChange::Remove));
        self.take_up_all();
        Ok(())
    }

    /// The snapshot, and what has come since: the steps between are all kept, each with the one before it.
    fn earlier(&self, step: u64) -> Result<Earlier, RewindError> {
        let loaded = &self.draft.loaded;
        let mut kept = self.engine.kept(loaded.number).map_err(EngineError::from)?;
        let not_kept =
            |kept: &[(u32, Kept)]| RewindError::NotKept(self.engine.not_kept(&loaded.id, kept, step));
        if !kept.iter().any(|(_, kept)| kept.step == step) {
            return Err(not_kept(&kept));
        }
        let (mut taken, mut places) = (Vec::new(), Vec::new());
        let mut at = loaded.state.steps;
        loop {
            let Some(found) = kept.iter().position(|(_, kept)| kept.step == at) else {
                let reason =
                    format!("the snapshot after step {at}, with the messages that it has taken, is not kept");
                return Err(RewindError::Impossible { id: loaded.id.clone(), step, reason });
            };
            let (place, one) = kept.swap_remove(found);
            if at == step {
                return Ok(Earlier { state: one.into_state(), taken, places });
            }
            places.push(place);
            taken.extend(one.taken);
            if one.before >= at || one.before < step {
                let reason = format!("it did not stand there before it came to step {at}");
                return Err(RewindError::Impossible { id: loaded.id.clone(), step, reason });
            }
            at = one.before;
        }
    }

    /// An operation of the earlier state as it is now, or as it is when it is done anew.
    fn again(&self, mut then: Operation) -> Result<Operation, String> {
        let now = self.draft.loaded.state.operations.get(then.id);
        let same = |one: &OperationKind, other: &OperationKind| {
            std::mem::discriminant(one) == std::mem::discriminant(other)
        };
        then.notes.clear();
        if then.done().is_some() {
            return Ok(then);
        }
        // A spawned workflow and what is on a stack of compensations stand where they stood; everything else goes on.
        let stands = matches!(
            then.kind,
            OperationKind::Task(_) | OperationKind::Unwind(_) | OperationKind::Compensation(_)
        );
        if stands {
            return Ok(then);
        }
        if let Some(now) = now {
            let goes_on = now.done().is_some()
                || same(&now.kind, &then.kind)
                || matches!(then.kind, OperationKind::Send(_));
            let was_told_to_end = now.stopped && !then.stopped;
            if goes_on && !was_told_to_end {
                then.kind = now.kind.clone();
                if let OperationKind::Activity(activity) = &mut then.kind {
                    activity.next_attempt_ms = activity.next_attempt_ms.min(self.draft.now_ms);
                }
                return Ok(then);
            }
        }
        let over = |completion, failed| {
            OperationKind::Done(Done { seq: self.engine.next_seq(), failed, completion })
        };
        then.kind = match then.kind {
            OperationKind::Activity(activity) => {
                OperationKind::Activity(Box::new(activity.again(None, self.draft.now_ms)))
            }
            OperationKind::Child { child, .. } => {
                let end = self.end_of_child(&child.id, then.id)?;
                let (completion, failed) = end.end.completion();
                over(self.as_value_of(&child, completion), failed)
            }
            OperationKind::Start(_) | OperationKind::Created => over(Completion::Done, false),
            OperationKind::Call { to, request: PeerRequest::Attach } => {
                let to = self.engine.id_of(to).map_err(|error| error.to_string())?;
                let to = to.ok_or("it waited there for the end of an instance that is not kept any more")?;
                OperationKind::Send(Box::new(Outgoing { to, what: Sent::Attach }))
            }
            OperationKind::Call { request: PeerRequest::Update, .. } => {
                return Err("it waited there for the answer to an update that it had sent to another instance, and has had it".into());
            }
            kept => kept,
        };
        Ok(then)
    }

    /// How a child of this run has ended.
    fn end_of_child(&self, child: &str, operation: OperationId) -> Result<ClosedState, String> {
        let closed = self.engine.ask(|store| match store.find(child)? {
            Some(durable_store::Found::Closed(number)) => store.closed(number),
            _ => Ok(None),
        });
        let closed = closed.map_err(|error| error.to_string())?;
        let state = closed.and_then(|closed| postcard::from_bytes::<ClosedState>(&closed.state).ok());
        let of_this = |state: &ClosedState| {
            let by = state.origin.as_ref().map(|origin| origin.by);
            by.is_some_and(|by| by.number == self.draft.loaded.number && by.operation == operation)
        };
        state.filter(of_this).ok_or_else(|| {
            format!("its child `{child}`, for whose end it waited there, is not kept any more")
        })
    }

    /// What was begun since is cancelled, but nothing is run for that.
    fn cancel_all_but(&mut self, kept: &BTreeSet<OperationId>) {
        let all = self.draft.loaded.state.operations.iter().map(|op| op.id);
        for id in all.filter(|id| !kept.contains(id)).collect::<Vec<_>>() {
            let kind = self.draft.loaded.state.operations.get(id).map(|op| &op.kind);
            let stands = matches!(
                kind,
                Some(OperationKind::Task(_) | OperationKind::Unwind(_) | OperationKind::Compensation(_))
            );
            if stands { self.forget(id) } else { self.cancel_operation(id) }
        }
    }

    /// Messages that were taken since wait again. Updates among them that were answered have nobody who waits.
    fn give_back(&mut self, taken: Vec<Placed>, earlier: &InstanceState) {
        let state = &mut self.draft.loaded.state;
        for (queue, seq, mut message) in taken {
            let is_open = state.requests.iter().any(|request| request.seq == seq);
            if matches!(message.body, Body::Update(_)) && !is_open {
                (message.reply, message.key) = (ReplyTo::Nobody, None);
            }
            self.draft.mail.arrived(queue, seq, message);
        }
        let was_open = |seq: u64| earlier.requests.iter().any(|request| request.seq == seq);
        state.requests.retain(|request| was_open(request.seq));
    }

    fn stand_at(&mut self, earlier: InstanceState) {
        let now_ms = self.draft.now_ms;
        let state = &mut self.draft.loaded.state;
        state.steps += 1;
        (state.build, state.machine, state.wait) = (earlier.build, earlier.machine, earlier.wait);
        (state.scopes, state.held, state.published) = (earlier.scopes, earlier.held, earlier.published);
        state.since_ms = now_ms;
        state.parked = None;
        // A cancellation that came since is dealt with once more.
        let asked = state.stop.take().map(|stop| Stop { handled: false, ..stop });
        state.stop = earlier.stop.filter(|stop| stop.handled).or(asked);
        self.draft.ready.clear();
        self.draft.changed = true;
    }
}
