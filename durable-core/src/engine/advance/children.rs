//! What an instance learns of those that it has started, and what it is at its own beginning.

use durable_store::{Timer, TimerChange};

use super::Advance;
use crate::{
    context::{Completion, NewInstance, OnClose, OperationId},
    engine::{
        children::to_be_created,
        history::HistoryKind,
        mail::Body,
        panics::catch,
        state::{Address, OperationKind},
    },
};

impl Advance<'_> {
    /// It was started: its timers are set, and who started it learns of it.
    pub(super) fn begun(&mut self) {
        self.draft.note(HistoryKind::Started);
        let slot = self.draft.slot;
        let timers: Vec<Timer> = self.draft.loaded.state.timers(slot).collect();
        self.draft.timers.extend(timers.iter().map(|timer| TimerChange::Set(*timer)));
        if !timers.is_empty() {
            self.draft.effects.rare.timers.extend(timers);
        }
        if let Some(origin) = &self.draft.loaded.state.origin {
            let (by, on_close) = (origin.by, origin.on_close);
            let child = Address { slot, number: self.draft.loaded.number, operation: 0 };
            self.post(by, Body::Created { operation: by.operation, child, on_close });
        }
    }

    /// It begins where another one stood: what was under way there is under way here.
    pub(super) fn begun_as_copy(&mut self, kind: HistoryKind, original: Option<Address>) {
        self.draft.note(kind);
        self.take_up_all();
        if let Some(original) = original {
            let (id, step) = (self.draft.loaded.id.clone(), original.operation);
            self.post(original, Body::Forked { id, step });
        }
    }

    /// All that its record says to be under way is begun.
    pub(super) fn take_up_all(&mut self) {
        let slot = self.draft.slot;
        let timers: Vec<Timer> = self.draft.loaded.state.timers(slot).collect();
        self.draft.timers.extend(timers.iter().map(|timer| TimerChange::Set(*timer)));
        self.draft.effects.rare.timers.extend(timers);
        self.dispatch_all();
        self.start_again();
        let sent = self.draft.loaded.state.operations.iter();
        let sent = sent.filter(|op| matches!(op.kind, OperationKind::Send(_))).map(|op| op.id);
        self.draft.effects.rare.outgoing.extend(sent.collect::<Vec<_>>());
        for id in self.draft.loaded.state.operations.iter().map(|op| op.id).collect::<Vec<_>>() {
            self.created(id);
        }
    }

    /// An instance that it has started is there.
    pub(super) fn child_created(&mut self, id: OperationId, child: Address, on_close: Option<OnClose>) {
        let Some(operation) = self.draft.loaded.state.operations.get(id) else {
            // Nobody waits for it any more.
            return self.end_child(child, on_close);
        };
        let stopped = operation.stopped;
        let Some(name) = to_be_created(operation).map(|new| new.id.clone()) else { return };
        if let OperationKind::Start(_) = operation.kind {
            self.complete_with(id, Completion::Done, false);
        } else if let Some(operation) = self.draft.loaded.state.operations.get_mut(id)
            && let OperationKind::Child { address, .. } = &mut operation.kind
        {
            *address = Some(child);
        }
        self.draft.note_of(id, HistoryKind::ChildStarted { id: name });
        self.created(id);
        if stopped {
            self.stop_child(child, on_close);
        }
    }

    /// An instance that it has started has ended, or could not be started; or another has answered.
    pub(super) fn peer_completed(&mut self, id: OperationId, completion: Completion, failed: bool) {
        let completion = self.as_value(id, completion);
        let Some(was) = self.complete_with(id, completion, failed) else { return };
        if let OperationKind::Child { child, .. } = was {
            self.draft.note_of(id, HistoryKind::ChildEnded { id: child.id, failed });
        }
        self.created(id);
    }

    /// Whoever waits for nothing but the creation of a child goes on if that is decided. The operation is the child's, or the one after
    /// it, which waits.
    pub(super) fn created(&mut self, id: OperationId) {
        let operations = &self.draft.loaded.state.operations;
        let waits = |id| operations.get(id).is_some_and(|op| op.kind == OperationKind::Created);
        let (child, waiting) = if waits(id) { (id - 1, id) } else { (id, id + 1) };
        let decided = operations.get(child).is_none_or(|op| to_be_created(op).is_none());
        if decided && waits(waiting) {
            self.complete_with(waiting, Completion::Done, false);
        }
    }

    /// What a child ends with, as its type has it, where nobody else can make it.
    fn as_value(&self, id: OperationId, completion: Completion) -> Completion {
        let operation = self.draft.loaded.state.operations.get(id);
        match operation.map(|op| &op.kind) {
            Some(OperationKind::Child { child, .. }) => self.as_value_of(child, completion),
            _ => completion,
        }
    }

    pub(super) fn as_value_of(&self, child: &NewInstance, completion: Completion) -> Completion {
        let Completion::Error(error) = &completion else { return completion };
        let entry = self.engine.registry.workflows.get(child.workflow.as_str()).filter(|_| child.as_value);
        // The user's `From<CallError>` and `Serialize` run in here.
        let value = catch(|| entry.and_then(|entry| (entry.exhausted)(error.clone(), &self.engine.codec)));
        match value {
            Ok(Some(Ok(value))) => Completion::Value(value),
            _ => completion,
        }
    }

    /// What it was to start is started, as far as it does not know it to be there.
    pub(super) fn start_again(&mut self) {
        let starting = self.draft.loaded.state.operations.iter().filter(|op| to_be_created(op).is_some());
        let starting: Vec<_> = starting.map(|op| op.id).collect();
        self.draft.effects.rare.starts.extend(starting);
    }
}
