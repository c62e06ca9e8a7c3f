//! What a step has started becomes part of the record, and an effect.

use durable_store::{Timer, TimerChange};

use super::Advance;
use crate::{
    context::{Completion, FrameId, NewOperation, OperationId, ScopeId},
    engine::{
        start::is_id,
        state::{ActivityOperation, Compensation, Operation, OperationKind, Phase, Task, Then, Unwind},
    },
    error::CallError,
    registry::Machine,
};

impl Advance<'_> {
    /// Begins an operation whose arguments are [`named`](crate::engine::inner::Inner::named).
    pub(super) fn begin(&mut self, id: OperationId, scope: ScopeId, frame: FrameId, operation: NewOperation) {
        let draft = &mut self.draft;
        let mut is_task = false;
        let mut bad_id = None;
        let kind = match operation {
            NewOperation::Activity { name, args, options } => {
                draft.effects.dispatch.push(id);
                let key = self.engine.random.bits();
                let activity = ActivityOperation::new(name, args, options, key, draft.now_ms);
                OperationKind::Activity(Box::new(activity))
            }
            NewOperation::Timer { deadline_ms } => {
                let timer = Timer { deadline_ms, slot: draft.slot, operation: id };
                draft.timers.push(TimerChange::Set(timer));
                draft.effects.rare.timers.push(timer);
                OperationKind::Timer { deadline_ms }
            }
            NewOperation::External { secret } => OperationKind::External { secret },
            NewOperation::Task { workflow, args } => {
                is_task = true;
                draft.loaded.state.scopes.open(id, scope);
                let machine = Machine::Start(args);
                let since_ms = draft.now_ms;
                OperationKind::Task(Box::new(Task { workflow, machine, wait: None, since_ms, caller: frame }))
            }
            NewOperation::Child(child) => {
                bad_id = (!is_id(&child.id)).then_some(child.id.len());
                draft.effects.rare.starts.push(id);
                OperationKind::Child { child: Box::new(child), address: None }
            }
            NewOperation::Start(start) => {
                bad_id = (!is_id(&start.id)).then_some(start.id.len());
                draft.effects.rare.starts.push(id);
                OperationKind::Start(Box::new(start))
            }
            NewOperation::Created { child } => {
                debug_assert_eq!(child + 1, id, "it is found beside the child");
                OperationKind::Created
            }
            NewOperation::Send(outgoing) => {
                draft.effects.rare.outgoing.push(id);
                OperationKind::Send(Box::new(outgoing))
            }
            NewOperation::Unwind { frames, which, awaited } => {
                let then = if awaited { Then::Complete } else { Then::Forget };
                OperationKind::Unwind(Box::new(Unwind { frames: Some(frames), which, then }))
            }
            NewOperation::Compensation { frame, finally, call } => {
                let entry = Compensation { frame, finally, call: *call, phase: Phase::Armed, error: None };
                OperationKind::Compensation(Box::new(entry))
            }
        };
        draft.loaded.state.operations.insert(Operation::new(id, scope, kind));
        if is_task {
            self.add_machine(id);
        }
        // Of a child with a bad id whose creation is waited for, that is started after this: see `created`.
        if let Some(len) = bad_id {
            self.draft.effects.rare.starts.retain(|other| *other != id);
            self.complete_with(id, Completion::Error(CallError::BadId { len }), true);
        }
        self.created(id);
    }
}
