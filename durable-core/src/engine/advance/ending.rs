//! An instance that is told to end, by a person, its parent or its deadline.
//!
//! The workflow deals with a cancellation itself if it waits for that (`cancelled()`). Else its end is decided: it does not step any more,
//! what it has started is told to end, and it closes once nothing of that runs. A crash in between finds the record with its end in it,
//! and goes on waiting.
//!
//! Deliberately absent: ending by `terminate`, which waits for nothing (`events`).

use super::Advance;
use crate::{
    context::{OnClose, OperationId, Wait},
    engine::{
        history::HistoryKind,
        state::{Cause, End, Happened, Operation, OperationKind, Stop},
    },
};

impl Advance<'_> {
    /// It is told to end. Only the first time counts, but for a deadline that passes while the workflow deals with a cancellation.
    pub(super) fn stop(&mut self, cause: Cause) {
        let state = &self.draft.loaded.state;
        let counts = match &state.stop {
            None => true,
            Some(before) => cause == Cause::Deadline && before.cause != Cause::Deadline,
        };
        if !counts || state.ending.is_some() || self.draft.end.is_some() {
            return;
        }
        self.draft.note(match &cause {
            Cause::Cancel { why } => HistoryKind::CancelRequested { why: why.clone() },
            Cause::Deadline => HistoryKind::DeadlinePassed,
        });
        let seq = self.engine.next_seq();
        let at_ms = self.draft.now_ms;
        self.draft.loaded.state.stop = Some(Stop { seq, cause, handled: false, at_ms });
        // Whoever holds it back means all of it: it ends when it is resumed.
        if self.draft.loaded.state.paused_ms.is_none() {
            self.act_on_stop();
        }
    }

    /// It was told to end, and nobody holds it back.
    pub(super) fn act_on_stop(&mut self) {
        let state = &self.draft.loaded.state;
        let Some(stop) = state.stop.as_ref().filter(|stop| !stop.handled && state.ending.is_none()) else {
            return;
        };
        if !stop.is_to_be_handled() || !self.awaits_cancellation() {
            // It ends when its machines have moved by what came before.
            return;
        }
        let seq = stop.seq;
        if state.parked.is_some() {
            self.unpark("its cancellation");
        }
        self.happened(Happened::Cancelled { seq });
    }

    fn awaits_cancellation(&self) -> bool {
        let mut machines = self.draft.loaded.state.machines();
        machines.any(|(_, wait)| wait.is_some_and(Wait::handles_cancellation))
    }

    /// The number of what ends it, if no machine deals with that: what came before still lets them move, and nothing behind it does.
    pub(super) fn ends_at(&self) -> Option<u64> {
        let state = &self.draft.loaded.state;
        let stop = state.stop.as_ref().filter(|stop| !stop.handled && state.ending.is_none())?;
        (!stop.is_to_be_handled() || !self.awaits_cancellation()).then_some(stop.seq)
    }

    /// Whoever asks for a cancellation is told if the instance returned by what had come before, and nobody looked at it.
    pub(super) fn answer_cancels(&mut self) {
        let Some(callers) = self.callers.touched() else { return };
        let cancels = std::mem::take(&mut callers.cancels);
        let unseen = self.draft.loaded.state.stop.as_ref().is_some_and(Stop::is_to_be_handled);
        let returned = matches!(self.draft.end, Some(End::Returned { .. }));
        let asked = if unseen && returned { &mut callers.too_late } else { &mut callers.replies };
        asked.extend(cancels);
    }

    /// After its machines have moved: if it was told to end and none of them waits for that any more, it is ended.
    pub(super) fn end_if_unhandled(&mut self) {
        let is_held = self.draft.loaded.state.paused_ms.is_some();
        let at_rest = self.draft.end.is_none() && !self.draft.effects.again && !is_held;
        if at_rest && self.ends_at().is_some() {
            self.end_by_force();
        }
    }

    fn end_by_force(&mut self) {
        let end = self.draft.loaded.state.stop.as_ref().map(|stop| match &stop.cause {
            Cause::Cancel { why } => End::Cancelled { why: why.clone() },
            Cause::Deadline => End::DeadlineExceeded,
        });
        if let Some(end) = end {
            self.wind_up(end);
        }
    }

    /// Its end is decided: what it has started is told to end, and what it has pushed is run after that.
    pub(super) fn wind_up(&mut self, end: End) {
        let (outlive, open) = self.outliving();
        let state = &mut self.draft.loaded.state;
        state.ending = Some(end);
        state.parked = None;
        state.wait = None;
        state.since_ms = self.draft.now_ms;
        state.scopes.keep(&open);
        state.held.clear();
        self.draft.changed = true;
        self.draft.ready.clear();
        let all: Vec<OperationId> = state.operations.iter().map(|op| op.id).collect();
        for id in all.into_iter().filter(|id| !outlive.contains(id)) {
            self.end_operation(id);
        }
    }

    /// The instance ends: what an operation does is told to end, and the operation goes if nothing is to be waited for.
    fn end_operation(&mut self, id: OperationId) {
        let Some(operation) = self.draft.loaded.state.operations.get(id) else { return };
        match &operation.kind {
            OperationKind::Activity(_) => {
                self.draft.effects.dispatch.retain(|other| *other != id);
                self.stop_operation(id);
            }
            // They are what makes up for the rest.
            OperationKind::Compensation(_) | OperationKind::Unwind(_) => {}
            // What it had started it had started in a scope of its own, and that is told as well.
            OperationKind::Task(_) => self.forget(id),
            _ if is_to_be_created(operation) => {}
            _ => self.cancel_operation(id),
        }
    }

    /// Closes an instance whose end is decided, once nothing is left that it waits for.
    pub(super) fn go_on_ending(&mut self) {
        let state = &self.draft.loaded.state;
        let held = state.paused_ms.is_some() || state.parked.is_some();
        if self.draft.end.is_some() || held || state.ending.is_none() {
            return;
        }
        let runs = |op: &Operation| op.stopped || is_to_be_created(op);
        if state.operations.iter().any(runs) || !self.unwind_all() {
            return;
        }
        let Some(end) = self.draft.loaded.state.ending.take() else { return };
        if let End::Cancelled { why } = &end {
            self.draft.note(HistoryKind::Cancelled { why: why.clone() });
        }
        self.draft.end = Some(end);
    }
}

/// Whether it stands for an instance that was not created yet and is to outlive this one.
pub(super) fn is_to_be_created(operation: &Operation) -> bool {
    match &operation.kind {
        OperationKind::Start(_) => true,
        OperationKind::Child { child, address: None } => child.on_close == Some(OnClose::Abandon),
        _ => false,
    }
}
