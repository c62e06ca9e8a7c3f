//! A machine has moved: what it left in its scratch becomes part of the record.

use super::{Advance, Post};
use crate::{
    codec::Encoded,
    context::{
        Completion, Migrated, NewOperation, OnClose, OperationId, Rare, Refused, ScopeId, Scratch, Started,
        Undo, Wait,
    },
    engine::{
        history::HistoryKind,
        mail::{Body, KeyRow, Message},
        state::{Address, End, Held, MAIN, OpenRequest, OperationKind, ParkReason, ReplyTo},
    },
    registry::{Machine, Moved},
};

impl Advance<'_> {
    /// Gives whether anything changed.
    pub(super) fn moved(
        &mut self,
        machine: OperationId,
        scratch: &mut Scratch,
        wait: Option<Wait>,
        moved: Moved,
    ) -> bool {
        let ended = matches!(moved, Moved::Ended(_));
        if scratch.rare.asked || (ended && machine == MAIN) {
            // The machine ran on copies: this is still the record before it.
            self.fallback.get_or_insert_with(|| Box::new(self.draft.clone()));
        }
        let stands_still = !ended
            && scratch.leaves_nothing()
            && scratch.held == self.draft.loaded.state.held
            && self.draft.loaded.state.wait_of(machine) == wait.as_ref();
        let mut rare = scratch.rare.take();
        for Migrated { workflow, from, to } in rare.iter_mut().flat_map(|rare| rare.migrated.drain(..)) {
            self.draft.note(HistoryKind::Migrated { workflow: workflow.to_owned(), from, to });
        }
        let has_consumed = rare.as_ref().is_some_and(|rare| !rare.consumed.is_empty());
        let mut touched_mail = has_consumed || scratch.held != self.draft.loaded.state.held;
        let state = &mut self.draft.loaded.state;
        state.steps += 1;
        state.next_operation = scratch.next_operation;
        state.build = self.engine.build;
        state.scopes = std::mem::take(&mut scratch.scopes);
        self.draft.changed = true;
        if machine == MAIN
            && let Some(delay) = self.draft.loaded.state.held_by()
        {
            self.forget(delay);
        }
        for id in scratch.taken.drain(..) {
            self.forget(id);
        }
        let (mut asked_to_stop, mut detached) = (Vec::new(), Vec::new());
        let held = std::mem::take(&mut scratch.held);
        match rare {
            Some(mut rare) => {
                asked_to_stop = std::mem::take(&mut rare.stopped);
                detached = std::mem::take(&mut rare.detached);
                self.left(*rare, held);
            }
            None => self.receive(held, &[], &[]),
        }
        match moved {
            Moved::Ended(value) if machine == MAIN => {
                // Nothing else begins that would be cancelled at once.
                let lasting = |started: &Started| match &started.operation {
                    NewOperation::Compensation { .. } | NewOperation::Unwind { .. } => true,
                    NewOperation::Child(child) => child.on_close == Some(OnClose::Abandon),
                    _ => false,
                };
                self.begin_all(scratch.started.drain(..).filter(lasting));
                self.returned(value);
            }
            Moved::Ended(value) => {
                self.begin_all(scratch.started.drain(..));
                self.task_ended(machine, value);
                touched_mail = true;
            }
            Moved::Suspended(image) => {
                self.engine.note_size(&self.draft.loaded.workflow, image.vars.len());
                self.suspended(machine, Machine::At(image), wait);
                self.begin_all(scratch.started.drain(..));
            }
        }
        for id in asked_to_stop {
            self.stop_operation(id);
        }
        for id in detached {
            self.detach(id);
        }
        self.has_moved(machine, touched_mail);
        !stands_still
    }

    /// What few runs leave.
    fn left(&mut self, rare: Rare, held: Vec<Held>) {
        for (id, scope) in rare.rescoped {
            if let Some(operation) = self.draft.loaded.state.operations.get_mut(id) {
                operation.scope = scope;
            }
        }
        for (from, to) in rare.handed {
            self.hand_over(from, to);
        }
        for id in rare.cancelled {
            self.cancel_operation(id);
        }
        let rejected: Vec<_> =
            rare.replies.iter().filter(|(_, answer)| answer.is_err()).map(|(seq, _)| *seq).collect();
        self.receive(held, &rare.consumed, &rejected);
        for (seq, answer) in rare.replies {
            self.answer(seq, answer);
        }
        for (name, value) in rare.published {
            let published = &mut self.draft.loaded.state.published;
            published.retain(|(other, _)| *other != name);
            published.push((name, value));
        }
        if rare.stop_handled
            && let Some(stop) = &mut self.draft.loaded.state.stop
        {
            stop.handled = true;
        }
    }

    fn suspended(&mut self, id: OperationId, machine: Machine, wait: Option<Wait>) {
        let now_ms = self.draft.now_ms;
        let state = &mut self.draft.loaded.state;
        if id == MAIN {
            (state.machine, state.wait, state.since_ms) = (machine, wait, now_ms);
        } else if let Some(operation) = state.operations.get_mut(id)
            && let OperationKind::Task(task) = &mut operation.kind
        {
            (task.machine, task.wait, task.since_ms) = (machine, wait, now_ms);
        }
    }

    /// The workflow has returned. What it pushed for this case is run before the instance closes.
    fn returned(&mut self, value: Encoded) {
        let failed = self.engine.is_err(&value);
        self.draft.note(if failed { HistoryKind::Failed } else { HistoryKind::Completed });
        let which = if failed { Undo::All } else { Undo::Finally };
        self.end_after_compensations(End::Returned { value, failed }, which);
    }

    /// A spawned workflow has returned: what it left behind is cancelled, and whoever has its handle gets the value once its
    /// compensations have run.
    fn task_ended(&mut self, id: OperationId, value: Encoded) {
        let failed = self.engine.is_err(&value);
        let own = self.task_compensations(id, failed);
        self.cancel_scope(id);
        self.return_from_task(id, Completion::Value(value), failed, own);
    }

    /// Everything that was started in a scope and is still there is cancelled.
    pub(super) fn cancel_scope(&mut self, scope: ScopeId) {
        let around = self.draft.loaded.state.scopes.around(scope).unwrap_or_default();
        let within = self.draft.loaded.state.scopes.within(&[scope]);
        let frames = self.free_compensations(&within, around);
        self.unwind_unawaited(frames, around);
        let state = &mut self.draft.loaded.state;
        state.scopes.close(&within);
        state.held.retain(|held| !within.contains(&held.scope));
        let left = state.operations.iter().filter(|op| within.contains(&op.scope)).map(|op| op.id);
        for id in left.collect::<Vec<_>>() {
            self.cancel_operation(id);
        }
    }

    fn begin_all(&mut self, started: impl IntoIterator<Item = Started>) {
        for Started { id, scope, frame, operation } in started {
            let operation = self.engine.named(operation);
            self.begin(id, scope, frame, operation);
        }
    }

    /// An operation is consumed: what happened to it stays in the history.
    pub(super) fn forget(&mut self, id: OperationId) {
        if let Some(operation) = self.draft.loaded.state.operations.remove(id) {
            for note in &operation.notes {
                self.draft.loaded.state.history.push(note);
            }
        }
    }

    /// Messages that the workflow has now; updates among them are to be answered.
    /// One that is rejected in the same step leaves no trace.
    fn receive(&mut self, held: Vec<Held>, consumed: &[(u64, u64)], rejected: &[u64]) {
        self.draft.loaded.state.held = held;
        for &(queue, seq) in consumed {
            // One that was held was taken in an earlier step, and may not have been read in this one.
            if let Err(reason) = self.draft.mail.first_from(seq, queue, 1, &|_| false) {
                self.park(ParkReason::Incompatible { reason });
            }
            let message = self.draft.mail.get(queue, seq).cloned();
            self.draft.take_mail(queue, seq);
            let Some(message) = message else { continue };
            self.draft.keeping.taken(queue, seq, &message);
            let name = message.name.clone();
            match message.body {
                Body::Update(_) => {
                    let request = OpenRequest { seq, reply: message.reply, key: message.key };
                    let requests = &mut self.draft.loaded.state.requests;
                    requests.push(request);
                    let (open, most) = (requests.len(), self.engine.settings.max_messages as usize);
                    if open > most {
                        let reason = format!(
                            "it has received {open} updates that it has not answered, and {most} are the limit: answer or reject them, or raise `.max_messages(..)` of the engine's builder"
                        );
                        self.park(ParkReason::Incompatible { reason });
                    }
                    if !rejected.contains(&seq) {
                        self.draft.note(HistoryKind::UpdateReceived { name });
                    }
                }
                _ => self.draft.note(HistoryKind::SignalReceived { name }),
            }
        }
    }

    /// An update is answered: whoever asked is told after the commit, and whoever asks again with its key gets the same.
    fn answer(&mut self, seq: u64, answer: Result<Encoded, String>) {
        let requests = &mut self.draft.loaded.state.requests;
        let Some(at) = requests.iter().position(|request| request.seq == seq) else { return };
        let request = requests.remove(at);
        self.give_answer(request, answer.map_err(|why| Refused::Rejected { why }));
    }

    pub(super) fn give_answer(&mut self, request: OpenRequest, answer: Result<Encoded, Refused>) {
        if let Some(key) = request.key {
            self.put_key(key, &KeyRow::Answered(answer.clone()));
        }
        if let ReplyTo::Instance(to) = request.reply {
            let (failed, completion) = match answer {
                Ok(value) => (false, Completion::Value(value)),
                Err(refused) => (true, Completion::Refused(refused)),
            };
            self.post(to, Body::Completed { operation: to.operation, completion, failed });
        } else {
            self.draft.effects.rare.answers.push((request, answer));
        }
    }

    /// Another instance gets a message of the engine's.
    pub(super) fn post(&mut self, to: Address, body: Body) {
        self.draft.effects.rare.posts.push(Post { to, message: Message::control(body, self.draft.now_ms) });
    }
}
