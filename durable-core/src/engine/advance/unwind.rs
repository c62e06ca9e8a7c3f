//! Compensations: what is run, newest first, when a workflow fails, is cancelled, or passes its deadline.
//!
//! A pushed compensation is an operation of the instance (`Compensation`), and so is the running of some (`Unwind`). Each goes through
//! three commits: the one of the step that pushed it, the one that begins what it calls, as an operation with its own retries and its own
//! idempotency key, and the one that takes it off the stack and begins the next. A crash in between finds the one that runs.
//!
//! Invariants: of one unwinding at most one compensation runs at a time; one that has failed for good stays on the stack and the others
//! go on, then the instance parks; what its frame pushed stands in the order of the operations' numbers.
//!
//! Deliberately absent: which frame is the current one and what is handed to whom when a frame returns (`workflow`, `context/scratch`).

use super::{Advance, ending::is_to_be_created};
use crate::{
    context::{Completion, FrameId, OperationId, ScopeId, Undo},
    engine::{
        history::{HistoryKind, clip},
        state::{End, MAIN, Operation, OperationKind, ParkReason, Phase, Then, Unwind},
    },
};

/// What an unwinding has come to.
enum Step {
    /// A compensation runs.
    Runs,
    /// Nothing is left but what has failed for good.
    Failed,
    /// It is over, or a machine has begun.
    Moved,
}

impl Advance<'_> {
    /// Runs compensations as far as they can. Gives whether that may let a machine move or the instance close.
    pub(super) fn unwind(&mut self) -> bool {
        let state = &self.draft.loaded.state;
        if self.draft.end.is_some() || state.operations.unwinds().next().is_none() {
            return false;
        }
        self.settle();
        if !self.draft.loaded.state.can_move() {
            return false;
        }
        let unwinds: Vec<_> = self.draft.loaded.state.operations.unwinds().map(|(id, _)| id).collect();
        let steps: Vec<_> = unwinds.into_iter().map(|id| self.unwind_one(id)).collect();
        if steps.iter().any(|step| matches!(step, Step::Moved)) {
            return true;
        }
        if !steps.is_empty() && steps.iter().all(|step| matches!(step, Step::Failed)) {
            self.park_for_compensations();
        }
        false
    }

    /// What has ended is taken off its stack, or stays there with its error.
    fn settle(&mut self) {
        let running = self.draft.loaded.state.operations.compensations();
        let running = running.filter_map(|(id, entry)| match entry.phase {
            Phase::Running(run) => Some((id, run)),
            Phase::Armed | Phase::Failed => None,
        });
        for (id, run) in running.collect::<Vec<_>>() {
            let operations = &self.draft.loaded.state.operations;
            let Some(done) = operations.get(run).and_then(Operation::done) else { continue };
            let error = done.failed.then(|| self.message(&done.completion));
            let Some(entry) = self.draft.loaded.state.operations.compensation_mut(id) else { continue };
            let name = entry.name().to_owned();
            let error = error.map(|error| entry.error.take().unwrap_or(error));
            if let Some(error) = &error {
                entry.phase = Phase::Failed;
                entry.error = Some(error.clone());
            } else {
                self.forget(id);
            }
            self.forget(run);
            self.draft.note(HistoryKind::Compensated { name, error });
        }
    }

    /// What people are told of a failure that came without a message.
    fn message(&self, completion: &Completion) -> String {
        clip(match completion {
            Completion::Value(value) => match self.engine.json(value.layout, &value.bytes) {
                serde_json::Value::Object(fields) if fields.len() == 1 && fields.contains_key("Err") => {
                    fields["Err"].as_str().map_or_else(|| fields["Err"].to_string(), str::to_owned)
                }
                value => value.to_string(),
            },
            Completion::Error(error) => error.to_string(),
            Completion::Refused(refused) => format!("it was refused: {refused:?}"),
            Completion::Fired | Completion::Done => "it failed".to_owned(),
        })
    }

    fn unwind_one(&mut self, id: OperationId) -> Step {
        let operations = &self.draft.loaded.state.operations;
        let Some(OperationKind::Unwind(unwind)) = operations.get(id).map(|op| &op.kind) else {
            return Step::Moved;
        };
        let entries =
            operations.compensations().filter(|(_, entry)| unwind.covers(entry.frame, entry.finally));
        let (mut next, mut failed) = (None, false);
        for (entry, compensation) in entries {
            match compensation.phase {
                Phase::Running(_) => return Step::Runs,
                Phase::Armed => next = Some(entry),
                Phase::Failed => failed = true,
            }
        }
        match next {
            Some(entry) => self.compensate(entry),
            None if failed => Step::Failed,
            None => {
                self.unwound(id);
                Step::Moved
            }
        }
    }

    /// Begins a compensation.
    fn compensate(&mut self, id: OperationId) -> Step {
        let state = &mut self.draft.loaded.state;
        let run = state.next_operation;
        let Some(entry) = state.operations.compensation_mut(id) else { return Step::Moved };
        entry.phase = Phase::Running(run);
        let call = self.engine.named(entry.call.clone());
        state.next_operation += 1;
        self.draft.changed = true;
        // It belongs to no frame, and to no scope that could be cancelled.
        self.begin(run, 0, run, call);
        if self.draft.loaded.state.is_task(run) { Step::Moved } else { Step::Runs }
    }

    /// Nothing of an unwinding is left.
    fn unwound(&mut self, id: OperationId) {
        self.draft.changed = true;
        let operation = self.draft.loaded.state.operations.get(id);
        let Some(OperationKind::Unwind(unwind)) = operation.map(|op| &op.kind) else { return };
        match unwind.then.clone() {
            Then::Forget => self.forget(id),
            Then::Complete => drop(self.complete_with(id, Completion::Done, false)),
            Then::Return { completion, failed, caller } => {
                self.pass_on(id, caller);
                self.complete_with(id, completion, failed);
            }
        }
    }

    /// Nothing can go on: whoever looks at it finds out what failed.
    fn park_for_compensations(&mut self) {
        let compensations = self.draft.loaded.state.operations.compensations();
        let failed = compensations.rev().filter(|(_, entry)| entry.phase == Phase::Failed);
        let failed =
            failed.map(|(_, entry)| (entry.name().to_owned(), entry.error.clone().unwrap_or_default()));
        let reason = ParkReason::Compensation { failed: failed.collect() };
        self.park(reason);
    }

    /// Those that have failed are tried again.
    pub(super) fn arm_again(&mut self) {
        for id in self.compensations_that(|phase| *phase == Phase::Failed) {
            if let Some(entry) = self.draft.loaded.state.operations.compensation_mut(id) {
                (entry.phase, entry.error) = (Phase::Armed, None);
            }
        }
    }

    fn compensations_that(&self, is: impl Fn(&Phase) -> bool) -> Vec<OperationId> {
        let compensations = self.draft.loaded.state.operations.compensations();
        compensations.filter(|(_, entry)| is(&entry.phase)).map(|(id, _)| id).collect()
    }

    /// Whether an operation is what a compensation runs.
    pub(super) fn is_compensation(&self, id: OperationId) -> bool {
        self.draft.loaded.state.operations.compensated_by(id).is_some()
    }

    /// What a compensation runs has failed for good.
    pub(super) fn compensation_failed(&mut self, run: OperationId, error: &str) {
        let operations = &mut self.draft.loaded.state.operations;
        if let Some(id) = operations.compensated_by(run)
            && let Some(entry) = operations.compensation_mut(id)
        {
            entry.error = Some(error.to_owned());
        }
    }

    /// A frame has ended well: what it pushed is its caller's.
    pub(super) fn hand_over(&mut self, from: FrameId, to: FrameId) {
        self.pass_on(from, Some(to));
    }

    /// What a frame pushed is its caller's, or is not needed by anybody.
    fn pass_on(&mut self, from: FrameId, to: Option<FrameId>) {
        let compensations = self.draft.loaded.state.operations.compensations();
        let of: Vec<_> = compensations.filter(|(_, entry)| entry.frame == from).map(|(id, _)| id).collect();
        for id in of {
            match (to, self.draft.loaded.state.operations.compensation_mut(id)) {
                (Some(to), Some(entry)) => entry.frame = to,
                _ => self.forget(id),
            }
        }
    }

    /// Scopes end: the compensations pushed in them outlive that. Gives the frames that pushed them, or that were unwound there.
    pub(super) fn free_compensations(&mut self, within: &[ScopeId], around: ScopeId) -> Vec<FrameId> {
        let operations = &self.draft.loaded.state.operations;
        let is_in = |id: &OperationId| operations.get(*id).is_some_and(|op| within.contains(&op.scope));
        let entries: Vec<_> = operations.compensations().map(|(id, _)| id).filter(is_in).collect();
        let unwinds: Vec<_> = operations.unwinds().map(|(id, _)| id).filter(is_in).collect();
        let mut frames = Vec::new();
        for id in entries {
            let Some(operation) = self.draft.loaded.state.operations.get_mut(id) else { continue };
            operation.scope = around;
            if let OperationKind::Compensation(entry) = &operation.kind {
                frames.push(entry.frame);
            }
        }
        for id in unwinds {
            self.forget(id);
        }
        frames.sort_unstable();
        frames.dedup();
        frames
    }

    /// Runs the compensations of frames that were cancelled.
    pub(super) fn unwind_unawaited(&mut self, frames: Vec<FrameId>, scope: ScopeId) {
        if !frames.is_empty() {
            let unwind = Unwind { frames: Some(frames), which: Undo::All, then: Then::Forget };
            self.add_unwind(unwind, scope);
        }
    }

    fn add_unwind(&mut self, unwind: Unwind, scope: ScopeId) {
        let state = &mut self.draft.loaded.state;
        let id = state.next_operation;
        state.next_operation += 1;
        state.operations.insert(Operation::new(id, scope, OperationKind::Unwind(Box::new(unwind))));
        self.draft.changed = true;
    }

    /// A spawned workflow has ended: its compensations leave its scope. Gives the frames that are unwound before whoever has its
    /// handle gets the value; those of what is cancelled with it are unwound besides.
    pub(super) fn task_compensations(&mut self, id: OperationId, failed: bool) -> Vec<FrameId> {
        let around = self.draft.loaded.state.scopes.around(id).unwrap_or_default();
        let within = self.draft.loaded.state.scopes.within(&[id]);
        let mut frames = self.free_compensations(&within, around);
        if failed {
            return frames;
        }
        frames.retain(|frame| *frame != id);
        self.unwind_unawaited(frames, around);
        let compensations = &mut self.draft.loaded.state.operations.compensations();
        if compensations.any(|(_, entry)| entry.frame == id && entry.finally) { vec![id] } else { Vec::new() }
    }

    /// A spawned workflow has ended, and what it pushed for this case is run first.
    pub(super) fn return_from_task(
        &mut self,
        id: OperationId,
        completion: Completion,
        failed: bool,
        frames: Vec<FrameId>,
    ) {
        let state = &mut self.draft.loaded.state;
        let Some(OperationKind::Task(task)) = state.operations.get(id).map(|op| &op.kind) else { return };
        // A compensation that has run needs none itself.
        let caller = state.operations.compensated_by(id).is_none().then_some(task.caller);
        if frames.is_empty() {
            self.pass_on(id, caller);
            self.complete_with(id, completion, failed);
        } else {
            let which = if failed { Undo::All } else { Undo::Finally };
            let then = Then::Return { completion, failed, caller };
            state.operations.make_unwind(id, Unwind { frames: Some(frames), which, then });
            self.draft.changed = true;
        }
    }

    /// The instance ends: what it has pushed is run before, as far as it is for this end, and what is to outlive it is created.
    pub(super) fn end_after_compensations(&mut self, end: End, own: Undo) {
        let unneeded = self.draft.loaded.state.operations.compensations();
        let unneeded = unneeded.filter(|(_, entry)| entry.frame == MAIN && !own.covers(entry.finally));
        for id in unneeded.map(|(id, _)| id).collect::<Vec<_>>() {
            self.forget(id);
        }
        let operations = &self.draft.loaded.state.operations;
        let is_unwound = operations.compensations().next().is_none() && operations.unwinds().next().is_none();
        if is_unwound && !operations.iter().any(is_to_be_created) {
            self.draft.end = Some(end);
            return;
        }
        self.wind_up(end);
    }

    /// Operations and scopes that the end of the workflow does not cancel: compensations, and what runs for them.
    pub(super) fn outliving(&self) -> (Vec<OperationId>, Vec<ScopeId>) {
        let state = &self.draft.loaded.state;
        let running = |entry: &Phase| match entry {
            Phase::Running(run) => Some(*run),
            Phase::Armed | Phase::Failed => None,
        };
        let runs: Vec<_> =
            state.operations.compensations().filter_map(|(_, entry)| running(&entry.phase)).collect();
        let within = state.scopes.within(&runs);
        let outlives = |op: &&Operation| {
            let is_undo = matches!(op.kind, OperationKind::Compensation(_) | OperationKind::Unwind(_));
            is_undo || runs.contains(&op.id) || within.contains(&op.scope)
        };
        let outliving = state.operations.iter().filter(outlives).map(|op| op.id).collect();
        (outliving, within)
    }

    /// Its end is decided, and nothing else runs: all compensations are run. Gives whether none is left.
    pub(super) fn unwind_all(&mut self) -> bool {
        let operations = &self.draft.loaded.state.operations;
        if operations.compensations().next().is_none() {
            return operations.unwinds().next().is_none();
        }
        if operations.unwinds().all(|(_, unwind)| unwind.frames.is_some()) {
            // In the order of all of them, whatever ran by itself; what a compensation unwinds is its own.
            let others = operations.unwinds().map(|(id, _)| id).filter(|id| !self.is_compensation(*id));
            for id in others.collect::<Vec<_>>() {
                self.forget(id);
            }
            self.add_unwind(Unwind { frames: None, which: Undo::All, then: Then::Forget }, 0);
        }
        false
    }
}

impl Unwind {
    fn covers(&self, frame: FrameId, finally: bool) -> bool {
        self.frames.as_ref().is_none_or(|frames| frames.contains(&frame)) && self.which.covers(finally)
    }
}
