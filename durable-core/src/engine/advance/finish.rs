//! The transition that is made of an advanced instance.

use durable_store::{Change, Closed, TimerChange, Transition};

use super::{Advance, Advanced};
use crate::engine::state::{ClosedState, End, Loaded, Status};

impl Advance<'_> {
    pub(super) fn finish(mut self, create: bool) -> Advanced {
        let closing = self.end.is_some();
        let history = self.loaded.state.history.take_chunk(closing);
        let number = self.loaded.number;
        let (change, loaded) = match self.end.take() {
            None => {
                let instance = self.loaded.record();
                let active_changed = instance.active != self.loaded.stored_active;
                self.loaded.stored_active = instance.active;
                let change = if create {
                    Change::Create(instance)
                } else {
                    Change::Update { instance, active_changed }
                };
                (change, Some(self.loaded))
            }
            Some(end) => {
                self.timers.extend(self.loaded.state.timers(self.slot).map(TimerChange::Clear));
                self.effects.ended.extend(self.loaded.state.activities().map(|(id, _)| id));
                self.effects.closed = true;
                (Change::Close(close(&self.loaded, end, self.now_ms)), None)
            }
        };
        let transition = Transition {
            slot: self.slot,
            number,
            change,
            timers: self.timers,
            history: history.chunks,
            history_from: history.keep_from,
        };
        Advanced { transition, loaded, effects: self.effects }
    }
}

fn close(loaded: &Loaded, end: End, now_ms: u64) -> Closed {
    let status = match &end {
        End::Returned { failed: false, .. } => Status::Completed,
        End::Returned { failed: true, .. } => Status::Failed,
        End::Terminated { .. } => Status::Terminated,
    };
    let state = ClosedState { end, steps: loaded.state.steps, tags: loaded.state.tags.clone() };
    Closed {
        id: loaded.id.clone(),
        number: loaded.number,
        workflow: loaded.workflow.clone(),
        status: status.code(),
        started_ms: loaded.started_ms,
        closed_ms: now_ms,
        state: postcard::to_stdvec(&state).expect("the engine's own records always encode"),
    }
}
