//! What happens to an instance, and what each event does to its record.

use durable_store::{Timer, TimerChange};
use tokio::sync::oneshot;

use super::attempts::schedule_deadline_ms;
use super::{Advance, Attempted};
use crate::{
    context::{Completion, OperationId},
    engine::{
        error::EngineError,
        history::{HistoryEvent, HistoryKind, clip},
        state::{End, OperationKind, ParkReason, Parked},
    },
};

/// Something that happened to an instance.
#[derive(Debug)]
pub(crate) enum Event {
    /// It was started, and is to make its first step.
    Begin,
    /// An attempt of an activity has ended.
    Attempted { operation: OperationId, ended: Attempted },
    /// A timer is due. Its slot may hold another instance by now, so the deadline must match too.
    Fired { operation: OperationId, deadline_ms: u64 },
    /// Another build parked it, or a person asks: try again.
    Unpark { by: &'static str },
    /// Its next state can't be stored.
    Park { reason: ParkReason },
    /// From outside.
    Command { command: Command, reply: oneshot::Sender<Result<(), EngineError>> },
}

/// What a person asks of an instance.
#[derive(Debug)]
pub(crate) enum Command {
    RetryNow,
    Terminate { why: String },
}

impl Advance<'_> {
    pub(super) fn apply(&mut self, event: Event) {
        match event {
            Event::Begin => self.note(HistoryKind::Started),
            Event::Attempted { operation, ended } => self.attempted(operation, ended),
            Event::Fired { operation, deadline_ms } => self.fired(operation, deadline_ms),
            Event::Unpark { by } => self.unpark(by),
            Event::Park { reason } => self.park(reason),
            Event::Command { command, reply } => {
                match command {
                    Command::RetryNow => self.retry_now(),
                    Command::Terminate { why } => {
                        let why = clip(why);
                        self.note(HistoryKind::Terminated { why: why.clone() });
                        self.end = Some(End::Terminated { why });
                    }
                }
                self.effects.replies.push(reply);
            }
        }
    }

    pub(super) fn note(&mut self, kind: HistoryKind) {
        let event = HistoryEvent { at_ms: self.now_ms, step: self.loaded.state.steps, kind };
        self.loaded.state.history.push(&event);
    }

    pub(super) fn park(&mut self, reason: ParkReason) {
        let reason = reason.clipped();
        self.note(HistoryKind::Parked { reason: reason.to_string() });
        self.effects.parked = Some(reason.clone());
        self.loaded.state.parked = Some(Parked { reason, at_ms: self.now_ms, build: self.engine.build });
        self.loaded.state.since_ms = self.now_ms;
    }

    pub(super) fn fired(&mut self, id: OperationId, deadline_ms: u64) {
        let Some(operation) = self.loaded.state.operation(id) else { return };
        if operation.kind != (OperationKind::Timer { deadline_ms }) {
            return;
        }
        operation.kind = OperationKind::Done(Completion::Fired);
        let timer = Timer { deadline_ms, slot: self.slot, operation: id };
        self.timers.push(TimerChange::Clear(timer));
        self.note(HistoryKind::TimerFired { due_ms: deadline_ms });
    }

    pub(super) fn unpark(&mut self, by: &str) {
        if self.loaded.state.parked.take().is_none() {
            return;
        }
        self.note(HistoryKind::Unparked { by: by.into() });
        // One may have fired in a transition that the store refused.
        self.effects.timers.extend(self.loaded.state.timers(self.slot));
        let due = self.loaded.state.activities().map(|(id, _)| id).collect::<Vec<_>>();
        let engine = self.engine;
        for id in due {
            let now_ms = self.now_ms;
            let Some(activity) = self.loaded.state.pending_activity(id) else { continue };
            activity.next_attempt_ms = activity.next_attempt_ms.min(now_ms);
            let entry = engine.registry.activities.get(activity.name.as_str());
            let deadline_ms = entry.and_then(|entry| schedule_deadline_ms(entry.meta, activity));
            if deadline_ms.is_some_and(|deadline_ms| deadline_ms <= now_ms) {
                // Its time has run out; whoever takes it up again means it to be tried.
                activity.scheduled_ms = now_ms;
            }
            self.effects.dispatch.push(id);
        }
    }

    pub(super) fn retry_now(&mut self) {
        if self.loaded.state.parked.is_some() {
            self.unpark("hand");
            return;
        }
        let now_ms = self.now_ms;
        let waiting: Vec<_> = self
            .loaded
            .state
            .activities()
            .filter(|(_, activity)| activity.next_attempt_ms > now_ms)
            .map(|(id, _)| id)
            .collect();
        if !waiting.is_empty() {
            self.note(HistoryKind::RetriedByHand);
        }
        for id in waiting {
            if let Some(activity) = self.loaded.state.pending_activity(id) {
                activity.next_attempt_ms = now_ms;
                self.effects.dispatch.push(id);
            }
        }
    }
}
