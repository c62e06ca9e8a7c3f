//! One run of the machine: to its next suspension or to its end.

use super::Advance;
use crate::{
    codec::with_current,
    context::{Step, StepFailure},
    engine::{
        history::HistoryKind,
        panics::{Caught, catch},
        state::{End, OperationKind, ParkReason},
    },
    registry::{Machine, Moved},
    time::at_time,
};

impl Advance<'_> {
    /// Runs the machine to its next suspension. It runs on copies: a failure leaves the record as it was.
    pub(super) fn step(&mut self) {
        let Some(entry) = self.engine.registry.workflows.get(self.loaded.workflow.as_str()) else {
            self.park(ParkReason::NotInBuild { name: format!("workflow `{}`", self.loaded.workflow) });
            return;
        };
        let state = &self.loaded.state;
        let done = state.operations.iter().filter_map(|op| match &op.kind {
            OperationKind::Done(completion) => Some((op.id, completion.clone())),
            _ => None,
        });
        let engine = self.engine;
        let mut step = Step::new(
            engine.codec.clone(),
            engine.frames.clone(),
            self.now_ms,
            state.next_operation,
            done.collect(),
        );
        let machine = state.machine.clone();
        let poll = || with_current(&engine.codec, || (entry.poll)(&mut step, machine));
        let moved = catch(|| at_time(self.now_ms, poll));
        match moved {
            Ok(Some(moved)) => self.moved(step, moved),
            Ok(None) => self.park(refusal(step.failure)),
            Err(Caught { message, place }) => self.park(ParkReason::Panicked { message, place }),
        }
    }

    pub(super) fn moved(&mut self, step: Step, moved: Moved) {
        let state = &mut self.loaded.state;
        state.steps += 1;
        state.next_operation = step.next_operation;
        state.build = self.engine.build;
        state.operations.retain(|op| match op.kind {
            OperationKind::Done(_) => step.done.iter().any(|(id, _)| *id == op.id),
            _ => true,
        });
        match moved {
            Moved::Ended(value) => {
                let failed = self.engine.is_err(&value);
                self.note(if failed { HistoryKind::Failed } else { HistoryKind::Completed });
                self.end = Some(End::Returned { value, failed });
            }
            Moved::Suspended(image) => {
                self.engine.note_size(&self.loaded.workflow, image.vars.len());
                let state = &mut self.loaded.state;
                state.machine = Machine::At(image);
                state.wait = step.wait;
                state.since_ms = self.now_ms;
                for (id, operation) in step.started {
                    self.begin(id, operation);
                }
            }
        }
    }
}

fn refusal(failure: Option<StepFailure>) -> ParkReason {
    let reason = match failure {
        Some(failure) => failure.to_string(),
        None => "the step ended without a snapshot".into(),
    };
    ParkReason::Incompatible { reason }
}
