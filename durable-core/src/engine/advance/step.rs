//! One run of a machine: to its next suspension or to its end.

use std::sync::Arc;

use super::Advance;
use crate::{
    clock::from_ms,
    codec::with_current,
    context::{OperationId, Scratch, Step, StepFailure, ambient},
    engine::{
        panics::{Caught, catch},
        state::{Address, MAIN, OperationKind, ParkReason},
    },
    instance::InstanceInfo,
    registry::Machine,
    time::at_time,
};

impl Advance<'_> {
    /// Runs a machine with what came up to `cutoff`. It runs on copies: a failure leaves the record as it was, and parks the
    /// instance. Gives whether anything changed.
    pub(super) fn step(&mut self, id: OperationId, cutoff: u64) -> bool {
        let Some((workflow, machine)) = self.machine(id) else { return false };
        let engine = self.engine;
        let Some(entry) = engine.registry.workflows.get(workflow.as_str()) else {
            self.park(ParkReason::NotInBuild { name: format!("workflow `{workflow}`") });
            return true;
        };
        let scratch = self.scratch(id, cutoff);
        let mut step = Step::new(engine.codec.clone(), engine.frames.clone(), self.draft.now_ms, scratch);
        let shared = step.scratch.clone();
        let poll = || {
            let run = || with_current(&engine.codec, || (entry.poll)(&mut step, machine));
            ambient::enter(&shared, run)
        };
        let moved = catch(|| at_time(self.draft.now_ms, poll));
        let (wait, failure) = (step.wait.take(), step.failure.take());
        drop(step);
        let scratch = std::rc::Rc::into_inner(shared).expect("a step that is over is in nobody's hands");
        let mut scratch = scratch.into_inner();
        self.draft.loaded.state.operations = std::mem::take(&mut scratch.operations);
        self.draft.mail = std::mem::take(&mut scratch.mail);
        let failure = failure.or(scratch.failure.take());
        match moved {
            Ok(Some(moved)) if failure.is_none() => return self.moved(id, scratch, wait, moved),
            Ok(_) => self.park(refusal(failure)),
            Err(Caught { message, place }) => self.park(ParkReason::Panicked { message, place }),
        }
        true
    }

    /// A machine, and the name of its workflow.
    fn machine(&self, id: OperationId) -> Option<(String, Machine)> {
        let loaded = &self.draft.loaded;
        if id == MAIN {
            return Some((loaded.workflow.clone(), loaded.state.machine.clone()));
        }
        match &loaded.state.operations.get(id)?.kind {
            OperationKind::Task(task) => Some((task.workflow.clone(), task.machine.clone())),
            _ => None,
        }
    }

    /// What the machine sees. The operations and the mail are lent to it.
    fn scratch(&mut self, id: OperationId, cutoff: u64) -> Scratch {
        let loaded = &mut self.draft.loaded;
        let info = loaded.info.get_or_insert_with(|| {
            Arc::new(InstanceInfo {
                id: loaded.id.clone(),
                workflow: loaded.workflow.clone(),
                parent: loaded.state.origin.as_ref().map(|origin| origin.id.clone()),
                started: from_ms(loaded.started_ms),
            })
        });
        let state = &mut loaded.state;
        Scratch {
            operations: std::mem::take(&mut state.operations),
            mail: std::mem::take(&mut self.draft.mail),
            held: state.held.clone(),
            stop: state.stop.clone(),
            address: Address { slot: self.draft.slot, number: loaded.number, operation: id },
            visible: cutoff,
            scope: id,
            frame: id,
            scopes: state.scopes.clone(),
            next_operation: state.next_operation,
            frames: Some(self.engine.frames.clone()),
            ..Scratch::new(info.clone(), self.engine.random.clone())
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
