//! What a step has started becomes part of the record, and an effect.

use durable_store::{Timer, TimerChange};

use super::Advance;
use crate::{
    context::{NewOperation, OperationId, ScopeId},
    engine::state::{ActivityOperation, Compensation, Operation, OperationKind, Phase, Task},
    registry::Machine,
};

impl Advance<'_> {
    pub(super) fn begin(&mut self, id: OperationId, scope: ScopeId, operation: NewOperation) {
        let draft = &mut self.draft;
        let mut is_task = false;
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
                draft.effects.timers.push(timer);
                OperationKind::Timer { deadline_ms }
            }
            NewOperation::External { secret } => OperationKind::External { secret },
            NewOperation::Task { workflow, args } => {
                is_task = true;
                draft.loaded.state.scopes.open(id, scope);
                let machine = Machine::Start(args);
                OperationKind::Task(Box::new(Task { workflow, machine, wait: None, since_ms: draft.now_ms }))
            }
            NewOperation::Child(child) => {
                draft.effects.starts.push(id);
                OperationKind::Child { child: Box::new(child), address: None }
            }
            NewOperation::Start(start) => {
                draft.effects.starts.push(id);
                OperationKind::Start(Box::new(start))
            }
            NewOperation::Send(outgoing) => {
                draft.effects.outgoing.push(id);
                OperationKind::Send(Box::new(outgoing))
            }
            NewOperation::Unwind { frame, finally_only } => {
                OperationKind::Unwind { frame, finally_only, at: None }
            }
            NewOperation::Compensation { frame, finally, call } => {
                let entry = Compensation { frame, finally, call: *call, phase: Phase::Armed };
                OperationKind::Compensation(Box::new(entry))
            }
        };
        draft.loaded.state.operations.insert(Operation::new(id, scope, kind));
        if is_task {
            self.add_machine(id);
        }
    }
}
