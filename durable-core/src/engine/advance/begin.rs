//! What a step has started becomes part of the record, and an effect.

use durable_store::{Timer, TimerChange};

use super::Advance;
use crate::{
    context::{NewOperation, OperationId},
    engine::state::{ActivityOperation, Operation, OperationKind},
};

impl Advance<'_> {
    pub(super) fn begin(&mut self, id: OperationId, operation: NewOperation) {
        let kind = match operation {
            NewOperation::Activity { name, args, options } => {
                self.effects.dispatch.push(id);
                let key = self.engine.random.bits();
                let activity = ActivityOperation::new(name, args, options, key, self.now_ms);
                OperationKind::Activity(Box::new(activity))
            }
            NewOperation::Timer { deadline_ms } => {
                let timer = Timer { deadline_ms, slot: self.slot, operation: id };
                self.timers.push(TimerChange::Set(timer));
                self.effects.timers.push(timer);
                OperationKind::Timer { deadline_ms }
            }
        };
        self.loaded.state.operations.push(Operation { id, kind });
    }
}
