//! A machine that is loaded and not run: what it awaits is looked at and not polled, so that no user code runs but what reads values, makes
//! borrows again, and migrates.
//!
//! It works on copies. What it leaves is where the machine stands, as this build would have saved it.

use std::sync::Arc;

use super::{Caught, catch, inner::Inner, state::Loaded};
use crate::{
    clock::from_ms,
    codec::with_current,
    context::{Inspection, OperationId, Scratch, Step, StepFailure, ambient},
    instance::InstanceInfo,
    registry::{Machine, Moved, WorkflowEntry},
    time::at_time,
};

/// What was found of a machine.
pub(super) struct Looked {
    /// Where it stands; none if it has not begun, or can't be loaded.
    pub(super) moved: Option<Moved>,
    /// Why it can't be loaded.
    pub(super) failure: Option<Unloaded>,
    pub(super) found: Inspection,
}

/// Why a machine can't be loaded.
pub(super) enum Unloaded {
    Failed(StepFailure),
    Panicked(Caught),
}

impl std::fmt::Display for Unloaded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Unloaded::Failed(failure) => failure.fmt(f),
            Unloaded::Panicked(Caught { message, place }) => {
                write!(f, "its values can't be loaded: {message} ({place})")
            }
        }
    }
}

impl Looked {
    /// Its workflow is not known.
    pub(super) fn not_in_build(workflow: &str, found: Inspection) -> Self {
        let reason = format!("workflow `{workflow}` is not in this build");
        let failure = Unloaded::Failed(StepFailure::Incompatible { reason });
        Looked { moved: None, failure: Some(failure), found }
    }
}

impl Inner {
    /// Loads one of an instance's machines.
    pub(super) fn look(
        &self,
        loaded: &Loaded,
        id: OperationId,
        entry: &WorkflowEntry,
        machine: Machine,
        inspection: Inspection,
    ) -> Looked {
        let info = Arc::new(InstanceInfo {
            id: loaded.id.clone(),
            workflow: loaded.workflow.clone(),
            parent: loaded.state.origin.as_ref().map(|origin| origin.id.clone()),
            started: from_ms(loaded.started_ms),
        });
        let scratch = Scratch {
            operations: loaded.state.operations.clone(),
            held: loaded.state.held.clone(),
            scope: id,
            frame: id,
            scopes: loaded.state.scopes.clone(),
            next_operation: loaded.state.next_operation,
            frames: Some(self.frames.clone()),
            limits: self.settings.limits,
            ..Scratch::new(info, self.random.clone())
        };
        let now_ms = self.clock.now_ms();
        let mut step = Step::new(self.codec.clone(), self.frames.clone(), now_ms, scratch);
        step.dry = Some(inspection);
        let shared = step.scratch.clone();
        let looked = catch(|| {
            let run = || with_current(&self.codec, || (entry.poll)(&mut step, machine));
            at_time(now_ms, || ambient::enter(&shared, run))
        });
        let found = step.dry.take().unwrap_or_default();
        match (looked, step.failure.take()) {
            (Err(caught), _) => Looked { moved: None, failure: Some(Unloaded::Panicked(caught)), found },
            (Ok(_), Some(failure)) => Looked { moved: None, failure: Some(Unloaded::Failed(failure)), found },
            (Ok(moved), None) => Looked { moved, failure: None, found },
        }
    }
}
