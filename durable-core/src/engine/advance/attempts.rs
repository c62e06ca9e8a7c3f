//! How an attempt ended, and what follows: a completion, another attempt, or a parked instance.

use super::Advance;
use crate::{
    activity::retry::{Policy, next_delay},
    codec::Encoded,
    context::{Completion, OperationId},
    engine::{
        history::{HistoryKind, clip},
        panics::{Caught, catch},
        state::{ActivityOperation, OperationKind, ParkReason},
    },
    error::{CallError, Timeout},
};

/// How an attempt ended.
#[derive(Debug)]
pub(crate) enum Attempted {
    Completed(Encoded),
    Failed {
        value: Encoded,
        message: String,
        retryable: bool,
        retry_after: Option<std::time::Duration>,
        progress: Option<Encoded>,
    },
    /// It gave no value of its own.
    Broke {
        error: CallError,
        progress: Option<Encoded>,
    },
    /// It can't be made at all.
    Impossible(ParkReason),
}

impl Advance<'_> {
    pub(super) fn attempted(&mut self, id: OperationId, ended: Attempted) {
        let Some(activity) = self.draft.loaded.state.pending_activity(id) else { return };
        let attempt = activity.failed_attempts + 1;
        if let Attempted::Completed(value) = ended {
            return self.complete(id, attempt, value, None);
        }
        if self.is_ending(id) {
            return self.ended(id);
        }
        let Some(activity) = self.draft.loaded.state.pending_activity(id) else { return };
        let name = activity.name.to_string();
        match ended {
            Attempted::Completed(_) => unreachable!("it was taken above"),
            Attempted::Impossible(reason) => {
                activity.next_attempt_ms = 0;
                self.draft.effects.ended.push(id);
                self.park(reason);
            }
            Attempted::Failed { value, message, retryable, retry_after, progress } => {
                activity.progress = progress.or_else(|| activity.progress.take());
                let message = clip(message);
                if retryable && self.back_off(id, attempt, &message, retry_after) {
                    return;
                }
                if self.parks_when_exhausted(&name) && !self.is_compensation(id) {
                    self.exhausted(id, attempt, message);
                } else {
                    self.complete(id, attempt, value, Some(message));
                }
            }
            Attempted::Broke { error, progress } => self.broke(id, error, progress),
        }
    }

    /// An attempt gave no value of its own.
    pub(super) fn broke(&mut self, id: OperationId, error: CallError, progress: Option<Encoded>) {
        if self.is_ending(id) {
            return self.ended(id);
        }
        let Some(activity) = self.draft.loaded.state.pending_activity(id) else { return };
        let (attempt, name) = (activity.failed_attempts + 1, activity.name.clone());
        activity.progress = progress.or_else(|| activity.progress.take());
        let message = clip(error.to_string());
        let over = matches!(error, CallError::TimedOut { what: Timeout::ScheduleToClose, .. });
        if !over && self.back_off(id, attempt, &message, None) {
            return;
        }
        let entry = self.engine.registry.activities.get(&*name);
        // The others are run before a person is asked.
        let may_park = !self.is_compensation(id);
        // The user's `From<CallError>` and `Serialize` run in here.
        let value = catch(|| {
            entry
                .filter(|entry| !(may_park && entry.meta.park_when_exhausted))
                .and_then(|entry| (entry.exhausted)(error, &self.engine.codec))
        });
        match value {
            Ok(Some(Ok(value))) => self.complete(id, attempt, value, Some(message)),
            Ok(Some(Err(error))) => {
                self.unstorable(id, format!("the error of activity `{name}`: {error}"));
            }
            Ok(None) => self.exhausted(id, attempt, message),
            Err(Caught { message, place }) => self.unstorable(
                id,
                format!("making the error of activity `{name}` panicked at {place}: {message}"),
            ),
        }
    }

    /// Whether the instance ends and waits for nothing but the end of this.
    fn is_ending(&self, id: OperationId) -> bool {
        let state = &self.draft.loaded.state;
        state.ending.is_some() && state.operations.get(id).is_some_and(|op| op.stopped)
    }

    /// Nobody sees what it gave: it is not asked of the user's code what that would be.
    fn ended(&mut self, id: OperationId) {
        let error = CallError::Cancelled { reason: "its instance ends".into() };
        self.complete_with(id, Completion::Error(error), true);
        self.draft.effects.ended.push(id);
    }

    pub(super) fn parks_when_exhausted(&self, name: &str) -> bool {
        let entry = self.engine.registry.activities.get(name);
        entry.is_some_and(|entry| entry.meta.park_when_exhausted)
    }

    pub(super) fn complete(&mut self, id: OperationId, attempt: u32, value: Encoded, error: Option<String>) {
        let now_ms = self.draft.now_ms;
        if let Some(error) = &error {
            self.compensation_failed(id, error);
        }
        let completed = self.complete_with(id, Completion::Value(value), error.is_some());
        let Some(OperationKind::Activity(activity)) = completed else { return };
        let took_ms = now_ms.saturating_sub(activity.scheduled_ms);
        self.draft.effects.ended.push(id);
        let activity = activity.into_name();
        let kind = HistoryKind::ActivityCompleted { activity, attempt, took_ms, error };
        self.draft.note_of(id, kind);
    }

    pub(super) fn exhausted(&mut self, id: OperationId, attempt: u32, message: String) {
        if self.draft.loaded.state.operations.get(id).is_some_and(|op| op.stopped) {
            // It was told to end and did, whatever it would have done otherwise.
            let error = CallError::Cancelled { reason: message };
            self.complete_with(id, Completion::Error(error), true);
            self.draft.effects.ended.push(id);
            return;
        }
        if self.is_compensation(id) {
            self.compensation_failed(id, &message);
            self.complete_with(id, Completion::Error(CallError::Cancelled { reason: message }), true);
            self.draft.effects.ended.push(id);
            return;
        }
        let Some(activity) = self.draft.loaded.state.pending_activity(id) else { return };
        activity.failed_attempts = attempt;
        activity.last_error = Some(message.clone());
        // Taken up by hand, it is tried again at once.
        activity.next_attempt_ms = 0;
        let name = activity.name.to_string();
        self.draft.effects.ended.push(id);
        self.park(ParkReason::Exhausted { activity: name, error: message });
    }

    /// A call is over, and what it gives can't be made or stored.
    pub(super) fn unstorable(&mut self, id: OperationId, reason: String) {
        self.draft.effects.ended.push(id);
        self.park(ParkReason::Incompatible { reason });
    }

    /// Sets the time of the next attempt, if the policy has one.
    pub(super) fn back_off(
        &mut self,
        id: OperationId,
        attempt: u32,
        message: &str,
        retry_after: Option<std::time::Duration>,
    ) -> bool {
        let (now_ms, engine) = (self.draft.now_ms, self.engine);
        let stopped = self.draft.loaded.state.operations.get(id).is_some_and(|op| op.stopped);
        let Some(activity) = self.draft.loaded.state.pending_activity(id).filter(|_| !stopped) else {
            return false;
        };
        let Some(entry) = engine.registry.activities.get(&*activity.name) else { return false };
        let policy = Policy::new(&entry.meta.retry, activity.options.retry.as_ref());
        let Some(delay) = next_delay(&policy, attempt, engine.random.unit()) else { return false };
        let delay_ms = u64::try_from(retry_after.unwrap_or(delay).as_millis()).unwrap_or(u64::MAX);
        let next_ms = now_ms.saturating_add(delay_ms);
        if schedule_deadline_ms(entry.meta, activity).is_some_and(|deadline_ms| next_ms >= deadline_ms) {
            return false;
        }
        activity.failed_attempts = attempt;
        activity.last_error = Some(message.into());
        activity.next_attempt_ms = next_ms;
        let name = activity.name.to_string();
        self.draft.effects.rare.backoff.push((next_ms, id));
        let error = message.into();
        self.draft.note_of(id, HistoryKind::AttemptFailed { activity: name, attempt, error, next_ms });
        true
    }
}

/// When all attempts of a call must be over, if it has such a time.
pub(crate) fn schedule_deadline_ms(
    meta: &crate::activity::ActivityMeta,
    activity: &ActivityOperation,
) -> Option<u64> {
    let limit = meta.timeouts(&activity.options).schedule_to_close?;
    Some(activity.scheduled_ms.saturating_add(u64::try_from(limit.as_millis()).unwrap_or(u64::MAX)))
}
