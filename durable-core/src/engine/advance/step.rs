//! One run of a machine: to its next suspension or to its end.

use super::Advance;
use crate::{
    context::{OperationId, StepFailure},
    engine::{
        machine::{Ran, give_back},
        panics::Caught,
        state::{MAIN, OperationKind, ParkReason},
    },
    frame::KnownLayout,
    registry::Machine,
};

impl Advance<'_> {
    /// Runs a machine with what came up to `cutoff`. It runs on copies: a failure leaves the record as it was, and parks the
    /// instance. Gives whether anything changed.
    pub(super) fn step(&mut self, id: OperationId, cutoff: u64) -> bool {
        let engine = self.engine;
        let Some((workflow, machine)) = self.machine(id) else { return false };
        let Some(entry) = engine.registry.workflows.get(workflow) else {
            let name = format!("workflow `{workflow}`");
            self.park(ParkReason::NotInBuild { name });
            return true;
        };
        let machine = machine.clone();
        let mail = std::mem::take(&mut self.draft.mail);
        let scratch = engine.scratch(self.draft.slot, &mut self.draft.loaded, mail, id, cutoff);
        let ran = engine.run_machine(entry, machine, scratch, self.draft.now_ms, None);
        let Ran { moved, wait, failure, stuck, scratch: shared, .. } = ran;
        let mut scratch = shared.borrow_mut();
        self.draft.loaded.state.operations = std::mem::take(&mut scratch.operations);
        self.draft.mail = std::mem::take(&mut scratch.mail);
        let mut changed = true;
        match moved {
            Ok(Some(moved)) if failure.is_none() => changed = self.moved(id, &mut scratch, wait, moved),
            Ok(_) => self.park(self.refusal(failure, stuck.as_deref())),
            Err(Caught { message, place }) => self.park(ParkReason::Panicked { message, place }),
        }
        drop(scratch);
        give_back(shared);
        changed
    }

    /// A machine, and the name of its workflow.
    fn machine(&self, id: OperationId) -> Option<(&str, &Machine)> {
        let loaded = &self.draft.loaded;
        if id == MAIN {
            return Some((&loaded.workflow, &loaded.state.machine));
        }
        match &loaded.state.operations.get(id)?.kind {
            OperationKind::Task(task) => Some((&task.workflow, &task.machine)),
            _ => None,
        }
    }

    fn refusal(&self, failure: Option<StepFailure>, stuck: Option<&KnownLayout>) -> ParkReason {
        let mut reason = match failure {
            Some(failure) if stuck.is_some() => failure.of_a_frame(),
            Some(failure) => failure.to_string(),
            None => "the step ended without a snapshot".into(),
        };
        let saved_at = |frame| self.engine.saved_at(self.draft.loaded.state.build, frame);
        if let Some(place) = stuck.and_then(saved_at) {
            reason = format!("{reason}; the snapshot was taken at {place}");
        }
        ParkReason::Incompatible { reason }
    }
}
