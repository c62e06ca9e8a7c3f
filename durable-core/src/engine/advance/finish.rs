//! The transition that is made of an advanced instance.

use durable_store::{Change, Closed, Mail, TimerChange, Transition};

use super::{Advanced, Callers, Draft};
use crate::{
    engine::state::{ClosedState, End, Loaded, Status},
    seldom::Seldom,
};

impl Draft {
    /// The transition.
    pub(crate) fn finish(mut self, callers: Seldom<Callers>, fallback: Option<Box<Draft>>) -> Advanced {
        let closing = self.end.is_some();
        let number = self.loaded.number;
        let mut transition = Transition::new(self.slot, number, Change::Keep);
        match self.end.take() {
            None => {
                self.put_mail(&mut transition);
                let state = &mut self.loaded.state;
                self.changed |= state.operations.take_inline_changed();
                if self.changed {
                    state.operations.flush_notes(&mut state.history);
                }
                transition.operations = state.operations.take_changes();
                if self.changed {
                    self.keeping.keep_step(self.slot, &mut self.loaded.state, self.now_ms);
                    self.take_history(&mut transition, closing);
                    transition.change = self.record();
                } else {
                    self.loaded.assert_unchanged();
                }
                self.loaded.ready = self.ready;
            }
            Some(end) => {
                self.timers.extend(self.loaded.state.timers(self.slot).map(TimerChange::Clear));
                self.effects.ended.extend(self.loaded.state.activities().map(|(id, _)| id));
                self.effects.closed = true;
                // The store takes all of it: this says what was looked at.
                transition.taken = std::mem::take(&mut self.taken);
                self.loaded.state.operations.flush_notes(&mut self.loaded.state.history);
                self.take_history(&mut transition, closing);
                transition.change = Change::Close(close(&self.loaded, end, self.mail.unread(), self.now_ms));
            }
        }
        transition.timers = self.timers;
        transition.keys = self.keys;
        transition.snapshots = self.keeping.changes;
        let loaded = (!closing).then_some(self.loaded);
        Advanced { transition, loaded, effects: self.effects, callers, fallback }
    }

    fn record(&mut self) -> Change {
        let instance = self.loaded.record();
        let active_changed = instance.active != self.loaded.stored_active;
        self.loaded.stored_active = instance.active;
        if self.create { Change::Create(instance) } else { Change::Update { instance, active_changed } }
    }

    fn take_history(&mut self, transition: &mut Transition, closing: bool) {
        let history = self.loaded.state.history.take_chunk(closing);
        (transition.history, transition.history_from) = (history.chunks, history.keep_from);
    }

    /// What has come and was not taken waits in the store.
    fn put_mail(&mut self, transition: &mut Transition) {
        transition.taken = std::mem::take(&mut self.taken);
        for (queue, seq, message) in self.mail.take_fresh() {
            let bytes = postcard::to_stdvec(&*message).expect("the engine's own records always encode");
            transition.mail.push(Mail { slot: self.slot, queue, seq, bytes });
        }
        self.loaded.has_mail = !self.mail.is_empty();
    }
}

fn close(loaded: &Loaded, end: End, unread: u32, now_ms: u64) -> Closed {
    let status = match &end {
        End::Returned { failed: false, .. } => Status::Completed,
        End::Returned { failed: true, .. } | End::DeadlineExceeded => Status::Failed,
        End::Terminated { .. } => Status::Terminated,
        End::Cancelled { .. } => Status::Cancelled,
    };
    let state = ClosedState {
        end,
        steps: loaded.state.steps,
        tags: loaded.state.tags.clone(),
        unread,
        published: loaded.state.published.clone(),
        origin: loaded.state.origin.clone(),
    };
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
