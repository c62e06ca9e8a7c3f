//! Operations that end by themselves, are cancelled, or are told to end.

use durable_store::{KeyChange, Timer, TimerChange};

use super::Advance;
use crate::{
    context::{Completion, OnClose, OperationId, Refused},
    engine::{
        mail::{Body, KeyRow, end_of_parent},
        state::{Address, Done, Happened, OperationKind, PeerRequest},
    },
    error::CallError,
};

/// What whoever stops an operation gives as the reason.
const STOPPED: &str = "nobody waits for it any more";

impl Advance<'_> {
    /// An operation is over. Gives what it was.
    pub(super) fn complete_with(
        &mut self,
        id: OperationId,
        completion: Completion,
        failed: bool,
    ) -> Option<OperationKind> {
        let is_over = |id| self.draft.loaded.state.operations.get(id).is_none_or(|op| op.done().is_some());
        if is_over(id) {
            return None;
        }
        let seq = self.engine.next_seq();
        let operation = self.draft.loaded.state.operations.get_mut(id)?;
        let done = OperationKind::Done(Done { seq, failed, completion });
        let was = std::mem::replace(&mut operation.kind, done);
        operation.stopped = false;
        let detached = operation.detached;
        self.draft.changed |= !self.draft.loaded.state.operations.is_row(id);
        if detached {
            self.draft.changed = true;
            self.forget(id);
        } else {
            self.happened(Happened::Completed { seq, id, failed });
        }
        Some(was)
    }

    /// Nobody waits for the end of an operation, which goes on.
    pub(super) fn detach(&mut self, id: OperationId) {
        let Some(operation) = self.draft.loaded.state.operations.get_mut(id) else { return };
        operation.detached = true;
        if operation.done().is_some() {
            self.draft.changed = true;
            self.forget(id);
        }
    }

    /// Nobody waits for an operation any more: it goes, and what it did is told to stop.
    pub(super) fn cancel_operation(&mut self, id: OperationId) {
        let Some(operation) = self.draft.loaded.state.operations.get(id) else { return };
        match &operation.kind {
            OperationKind::Activity(_) => self.draft.effects.ended.push(id),
            OperationKind::Timer { deadline_ms } => {
                let timer = Timer { deadline_ms: *deadline_ms, slot: self.draft.slot, operation: id };
                self.clear(timer);
            }
            OperationKind::Task(_) => self.cancel_scope(id),
            OperationKind::Child { child, address: Some(address) } => {
                let (on_close, address) = (child.on_close, *address);
                self.end_child(address, on_close);
            }
            OperationKind::Call { .. } => self.unwatch(id),
            _ => {}
        }
        self.forget(id);
    }

    /// If an operation waits for the end of another instance, that one need not remember it.
    fn unwatch(&mut self, id: OperationId) {
        let kind = self.draft.loaded.state.operations.get(id).map(|operation| &operation.kind);
        if let Some(OperationKind::Call { to, request: PeerRequest::Attach }) = kind {
            let (to, number) = (*to, self.draft.loaded.number);
            let own = Address { slot: self.draft.slot, number, operation: id };
            self.post(to, Body::Unwatch(own));
        }
    }

    /// A timer is not needed any more.
    pub(super) fn clear(&mut self, timer: Timer) {
        // One that was set in this very transition was never written.
        let set = self.draft.timers.iter().position(|change| *change == TimerChange::Set(timer));
        match set {
            Some(at) => drop(self.draft.timers.remove(at)),
            None => self.draft.timers.push(TimerChange::Clear(timer)),
        }
        self.draft.effects.rare.timers.retain(|other| *other != timer);
    }

    /// What becomes of a child that its parent does not wait for any more.
    pub(super) fn end_child(&mut self, to: Address, on_close: Option<OnClose>) {
        if let Some(body) = on_close.and_then(end_of_parent) {
            self.post(to, body);
        }
    }

    /// A child is told to end, whatever becomes of it at its parent's end.
    pub(super) fn stop_child(&mut self, to: Address, on_close: Option<OnClose>) {
        let terminates = on_close == Some(OnClose::Terminate);
        self.end_child(to, Some(if terminates { OnClose::Terminate } else { OnClose::Cancel }));
    }

    /// An operation is told to end; its last word is waited for.
    pub(super) fn stop_operation(&mut self, id: OperationId) {
        let Some(operation) = self.draft.loaded.state.operations.get_mut(id) else { return };
        match &operation.kind {
            OperationKind::Done(_) => {}
            OperationKind::Activity(_) => {
                operation.stopped = true;
                let backoff = &mut self.draft.effects.rare.backoff;
                if backoff.iter().any(|(_, other)| *other == id) {
                    // Its attempt has ended in this very transition: nothing else would have a last word.
                    backoff.retain(|(_, other)| *other != id);
                    self.stopped(id);
                } else {
                    // Whether an attempt runs is not known here: if none does, `stopped` comes back at once.
                    self.draft.effects.rare.stop.push(id);
                }
            }
            OperationKind::Child { child, address } => {
                let (on_close, address) = (child.on_close, *address);
                operation.stopped = true;
                if let Some(address) = address {
                    self.stop_child(address, on_close);
                }
            }
            OperationKind::Timer { deadline_ms } => {
                let timer = Timer { deadline_ms: *deadline_ms, slot: self.draft.slot, operation: id };
                self.clear(timer);
                self.was_cancelled(id);
            }
            OperationKind::Task(_) => {
                let own = self.task_compensations(id, true);
                self.cancel_scope(id);
                // Its last word comes when what it had pushed has run.
                let error = CallError::Cancelled { reason: STOPPED.into() };
                self.return_from_task(id, Completion::Error(error), true, own);
                self.has_moved(id, true);
            }
            OperationKind::Unwind(_) | OperationKind::Compensation(_) => {}
            OperationKind::Call { .. } => {
                self.unwatch(id);
                self.was_cancelled(id);
            }
            OperationKind::External { .. }
            | OperationKind::Created
            | OperationKind::Start(_)
            | OperationKind::Send(_) => self.was_cancelled(id),
        }
    }

    /// An activity was told to end and no attempt of it runs.
    pub(super) fn stopped(&mut self, id: OperationId) {
        let stopped = self.draft.loaded.state.operations.get(id).is_some_and(|op| op.stopped);
        if stopped {
            self.broke(id, CallError::Cancelled { reason: STOPPED.into() }, None);
        }
    }

    fn was_cancelled(&mut self, id: OperationId) {
        let error = CallError::Cancelled { reason: STOPPED.into() };
        self.complete_with(id, Completion::Error(error), true);
    }

    /// The instance has ended: its children and whoever waits for it or for an answer of it are told.
    pub(super) fn tell_of_end(&mut self) {
        let Some(end) = &self.draft.end else { return };
        let (completion, failed) = end.completion();
        let state = &mut self.draft.loaded.state;
        let parent = state.origin.as_ref().filter(|origin| origin.on_close.is_some()).map(|origin| origin.by);
        let waiting: Vec<_> = parent.into_iter().chain(std::mem::take(&mut state.watchers)).collect();
        let requests = std::mem::take(&mut state.requests);
        let child = |op: &crate::engine::state::Operation| match &op.kind {
            OperationKind::Child { child, address: Some(address) } => Some((*address, child.on_close)),
            _ => None,
        };
        let children: Vec<_> = state.operations.iter().filter_map(child).collect();
        let calls = state.operations.iter().filter(|op| matches!(op.kind, OperationKind::Call { .. }));
        let calls: Vec<_> = calls.map(|op| op.id).collect();
        self.refuse_late();
        for id in calls {
            self.unwatch(id);
        }
        for to in waiting {
            let body = Body::Completed { operation: to.operation, completion: completion.clone(), failed };
            self.post(to, body);
        }
        for request in requests {
            self.give_answer(request, Err(Refused::Unanswered));
        }
        for (address, on_close) in children {
            self.end_child(address, on_close);
        }
    }

    /// Remembers what a key stands for, as long as the run is retained.
    pub(super) fn put_key(&mut self, key: [u8; 16], row: &KeyRow) {
        let bytes = postcard::to_stdvec(row).expect("the engine's own records always encode");
        self.draft.keys.retain(|KeyChange::Put(_, other, _)| *other != key);
        self.draft.keys.push(KeyChange::Put(self.draft.loaded.number, key, bytes));
    }
}
