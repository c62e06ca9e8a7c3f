//! One of an instance's machines, run once: to its next suspension or its end, or only to be looked at.
//!
//! It runs on copies, under `catch`: whatever it does, the record is as it was.

use std::{collections::HashMap, rc::Rc, sync::Arc};

use durable_store::Slot;

use super::{
    inner::Inner,
    mail::MailView,
    panics::{Caught, catch},
    state::{Address, Loaded},
};
use crate::{
    clock::from_ms,
    codec::with_current,
    context::{Inspection, OperationId, Scratch, Step, StepFailure, Wait, ambient},
    frame::KnownLayout,
    instance::InstanceInfo,
    program::Program,
    registry::{Machine, Moved, WorkflowEntry},
    time::at_time,
};

/// What a run of a machine has come to.
pub(super) struct Ran {
    pub(super) moved: Result<Option<Moved>, Caught>,
    /// What it waits for.
    pub(super) wait: Option<Wait>,
    /// Why it could not move.
    pub(super) failure: Option<StepFailure>,
    /// The frame that could not be resumed, if that is why.
    pub(super) stuck: Option<Arc<KnownLayout>>,
    /// What was found, if it was only looked at.
    pub(super) found: Option<Inspection>,
    pub(super) scratch: Scratch,
}

impl Inner {
    /// Runs a machine. `dry`: it is loaded and what it awaits is looked at.
    pub(super) fn run_machine(
        &self,
        entry: &WorkflowEntry,
        machine: Machine,
        scratch: Scratch,
        now_ms: u64,
        dry: Option<Inspection>,
    ) -> Ran {
        let mut step = Step::new(self.codec.clone(), self.frames.clone(), now_ms, scratch);
        step.dry = dry;
        let shared = step.scratch.clone();
        let poll = || {
            let run = || with_current(&self.codec, || (entry.poll)((&mut step).into(), machine));
            ambient::enter(&shared, run)
        };
        let moved = catch(|| at_time(now_ms, poll));
        let Step { wait, failure, stuck, dry: found, scratch, .. } = step;
        drop(scratch);
        let scratch = Rc::into_inner(shared).expect("a step that is over is in nobody's hands");
        let mut scratch = scratch.into_inner();
        let failure = failure.or(scratch.rare.touched().and_then(|rare| rare.failure.take()));
        Ran { moved, wait, failure, stuck, found, scratch }
    }

    /// Loads a machine of an instance and looks at what it awaits. The error: its workflow is not here.
    pub(super) fn look_at_machine(
        &self,
        slot: Slot,
        loaded: &mut Loaded,
        id: OperationId,
        inspection: Inspection,
    ) -> Result<Ran, String> {
        let found = loaded.machines().find(|(machine, ..)| *machine == id);
        let (_, workflow, machine) = found.ok_or("it has no such machine any more")?;
        let Some(entry) = self.registry.workflows.get(workflow) else {
            return Err(format!("workflow `{workflow}` is not in this build"));
        };
        let machine = machine.clone();
        let scratch = self.scratch(slot, loaded, MailView::default(), id, 0);
        let mut ran = self.run_machine(entry, machine, scratch, self.clock.now_ms(), Some(inspection));
        loaded.state.operations = std::mem::take(&mut ran.scratch.operations);
        Ok(ran)
    }

    /// What a machine of an instance sees that came up to `cutoff`. The operations are lent to it.
    pub(super) fn scratch(
        &self,
        slot: Slot,
        loaded: &mut Loaded,
        mail: MailView,
        id: OperationId,
        cutoff: u64,
    ) -> Scratch {
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
            mail,
            held: state.held.clone(),
            stop: state.stop.clone(),
            address: Address { slot, number: loaded.number, operation: id },
            visible: cutoff,
            scope: id,
            frame: id,
            scopes: state.scopes.clone(),
            next_operation: state.next_operation,
            frames: Some(self.frames.clone()),
            limits: self.settings.limits,
            ..Scratch::new(info.clone(), self.random.clone())
        }
    }

    /// What the build was made of that took a snapshot; nothing if it is not known.
    pub(super) fn program_of(&self, build: u64) -> Arc<Program> {
        if build == self.build {
            return self.program.clone();
        }
        let known = self.programs.lock().expect(LOCK).get(&build).cloned();
        known.unwrap_or_else(|| {
            let bytes = self.store.program(build).ok().flatten().unwrap_or_default();
            let program = Arc::new(postcard::from_bytes::<Program>(&bytes).unwrap_or_default());
            self.programs.lock().expect(LOCK).insert(build, program.clone());
            program
        })
    }

    /// Where a frame stands in the source that it was saved by.
    pub(super) fn saved_at(&self, build: u64, frame: &KnownLayout) -> Option<String> {
        let (file, line) = self.program_of(build).place(frame)?;
        Some(format!("{file}:{line}"))
    }
}

const LOCK: &str = "no code panics while it holds this lock";

/// The programs of other builds that were asked for.
pub(super) type Programs = HashMap<u64, Arc<Program>>;
