//! One transition of one instance: events in, the new record and the effects out.
//!
//! Pure but for the clock and the random source that it is handed: nothing is written and nothing
//! begins here. What has come in is kept even when the step that it causes fails: then the instance
//! parks, and the completion is committed with that.

use durable_store::{Change, Closed, Slot, Timer, TimerChange, Transition};
use tokio::sync::oneshot;

use super::{
    error::EngineError,
    history::{HistoryEvent, HistoryKind, clip},
    inner::Inner,
    panics::{Caught, catch},
    state::{
        ActivityOperation, ClosedState, End, Loaded, Operation, OperationKind, ParkReason, Parked, Status,
    },
};
use crate::{
    activity::retry::{Policy, next_delay},
    codec::{Encoded, with_current},
    context::{Completion, NewOperation, OperationId, Step, StepFailure},
    error::{CallError, Timeout},
    registry::{Machine, Moved},
    time::at_time,
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

/// A transition with what is to begin once it is committed.
#[derive(Debug)]
pub(crate) struct Advanced {
    pub(crate) transition: Transition,
    /// The instance as committed; none if it has closed.
    pub(crate) loaded: Option<Box<Loaded>>,
    pub(crate) effects: Effects,
}

/// What begins after the commit.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    /// Attempts due now.
    pub(crate) dispatch: Vec<OperationId>,
    /// Attempts due later.
    pub(crate) backoff: Vec<(u64, OperationId)>,
    /// Operations whose attempts are over.
    pub(crate) ended: Vec<OperationId>,
    pub(crate) timers: Vec<Timer>,
    pub(crate) replies: Vec<oneshot::Sender<Result<(), EngineError>>>,
    pub(crate) parked: Option<ParkReason>,
    pub(crate) closed: bool,
    /// It can move at once.
    pub(crate) again: bool,
}

/// An instance on its way from one record to the next.
struct Advance<'a> {
    engine: &'a Inner,
    slot: Slot,
    loaded: Box<Loaded>,
    now_ms: u64,
    timers: Vec<TimerChange>,
    effects: Effects,
    end: Option<End>,
    /// The machine is to be tried even though it is parked or waits.
    step: bool,
}

/// Applies `events` to an instance and steps it if they let it move.
pub(crate) fn advance(
    engine: &Inner,
    slot: Slot,
    loaded: Box<Loaded>,
    events: Vec<Event>,
    create: bool,
) -> Advanced {
    let now_ms = engine.clock.now_ms();
    let mut advance = Advance {
        engine,
        slot,
        loaded,
        now_ms,
        timers: Vec::new(),
        effects: Effects::default(),
        end: None,
        step: false,
    };
    for event in events {
        advance.apply(event);
    }
    let before = create.then(|| advance.loaded.clone());
    if advance.end.is_none() && (advance.step || advance.loaded.state.is_ready()) {
        advance.step();
    }
    if let Some(before) = before.filter(|_| advance.end.is_some()) {
        // A store holds an instance before it holds its end: the step is made once more after the commit.
        advance =
            Advance { loaded: before, timers: Vec::new(), effects: Effects::default(), end: None, ..advance };
        advance.effects.again = true;
    }
    advance.finish(create)
}

impl Advance<'_> {
    fn apply(&mut self, event: Event) {
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

    fn note(&mut self, kind: HistoryKind) {
        let event = HistoryEvent { at_ms: self.now_ms, step: self.loaded.state.steps, kind };
        self.loaded.state.history.push(&event);
    }

    fn park(&mut self, reason: ParkReason) {
        let reason = reason.clipped();
        self.note(HistoryKind::Parked { reason: reason.to_string() });
        self.effects.parked = Some(reason.clone());
        self.loaded.state.parked = Some(Parked { reason, at_ms: self.now_ms, build: self.engine.build });
        self.loaded.state.since_ms = self.now_ms;
    }

    fn fired(&mut self, id: OperationId, deadline_ms: u64) {
        let Some(operation) = self.loaded.state.operation(id) else { return };
        if operation.kind != (OperationKind::Timer { deadline_ms }) {
            return;
        }
        operation.kind = OperationKind::Done(Completion::Fired);
        let timer = Timer { deadline_ms, slot: self.slot, operation: id };
        self.timers.push(TimerChange::Clear(timer));
        self.note(HistoryKind::TimerFired { due_ms: deadline_ms });
    }

    fn unpark(&mut self, by: &str) {
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

    fn retry_now(&mut self) {
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

    fn attempted(&mut self, id: OperationId, ended: Attempted) {
        let Some(activity) = self.loaded.state.pending_activity(id) else { return };
        let attempt = activity.failed_attempts + 1;
        if let Attempted::Completed(value) = ended {
            return self.complete(id, attempt, value, None);
        }
        let name = activity.name.clone();
        match ended {
            Attempted::Completed(_) => unreachable!("it was taken above"),
            Attempted::Impossible(reason) => {
                activity.next_attempt_ms = 0;
                self.effects.ended.push(id);
                self.park(reason);
            }
            Attempted::Failed { value, message, retryable, retry_after, progress } => {
                activity.progress = progress.or_else(|| activity.progress.take());
                let message = clip(message);
                if retryable && self.back_off(id, attempt, &message, retry_after) {
                    return;
                }
                if self.parks_when_exhausted(&name) {
                    self.exhausted(id, attempt, message);
                } else {
                    self.complete(id, attempt, value, Some(message));
                }
            }
            Attempted::Broke { error, progress } => {
                activity.progress = progress.or_else(|| activity.progress.take());
                let message = clip(error.to_string());
                let over = matches!(error, CallError::TimedOut { what: Timeout::ScheduleToClose, .. });
                if !over && self.back_off(id, attempt, &message, None) {
                    return;
                }
                let entry = self.engine.registry.activities.get(name.as_str());
                // The user's `From<CallError>` and `Serialize` run in here.
                let value = catch(|| {
                    entry
                        .filter(|entry| !entry.meta.park_when_exhausted)
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
        }
    }

    fn parks_when_exhausted(&self, name: &str) -> bool {
        let entry = self.engine.registry.activities.get(name);
        entry.is_some_and(|entry| entry.meta.park_when_exhausted)
    }

    fn complete(&mut self, id: OperationId, attempt: u32, value: Encoded, error: Option<String>) {
        let now_ms = self.now_ms;
        let Some(operation) = self.loaded.state.operation(id) else { return };
        let done = OperationKind::Done(Completion::Value(value));
        let OperationKind::Activity(activity) = std::mem::replace(&mut operation.kind, done) else { return };
        let took_ms = now_ms.saturating_sub(activity.scheduled_ms);
        self.effects.ended.push(id);
        self.note(HistoryKind::ActivityCompleted { activity: activity.name, attempt, took_ms, error });
    }

    fn exhausted(&mut self, id: OperationId, attempt: u32, message: String) {
        let Some(activity) = self.loaded.state.pending_activity(id) else { return };
        activity.failed_attempts = attempt;
        activity.last_error = Some(message.clone());
        // Taken up by hand, it is tried again at once.
        activity.next_attempt_ms = 0;
        let name = activity.name.clone();
        self.effects.ended.push(id);
        self.park(ParkReason::Exhausted { activity: name, error: message });
    }

    /// A call is over, and what it gives can't be made or stored.
    fn unstorable(&mut self, id: OperationId, reason: String) {
        self.effects.ended.push(id);
        self.park(ParkReason::Incompatible { reason });
    }

    /// Sets the time of the next attempt, if the policy has one.
    fn back_off(
        &mut self,
        id: OperationId,
        attempt: u32,
        message: &str,
        retry_after: Option<std::time::Duration>,
    ) -> bool {
        let (now_ms, engine) = (self.now_ms, self.engine);
        let Some(activity) = self.loaded.state.pending_activity(id) else { return false };
        let Some(entry) = engine.registry.activities.get(activity.name.as_str()) else { return false };
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
        let name = activity.name.clone();
        self.effects.backoff.push((next_ms, id));
        self.note(HistoryKind::AttemptFailed { activity: name, attempt, error: message.into(), next_ms });
        true
    }

    /// Runs the machine to its next suspension. It runs on copies: a failure leaves the record as it was.
    fn step(&mut self) {
        let Some(entry) = self.engine.registry.workflows.get(self.loaded.workflow.as_str()) else {
            self.park(ParkReason::NotInBuild { name: format!("workflow `{}`", self.loaded.workflow) });
            return;
        };
        let state = &self.loaded.state;
        let done = state.operations.iter().filter_map(|op| match &op.kind {
            OperationKind::Done(completion) => Some((op.id, completion.clone())),
            _ => None,
        });
        let engine = self.engine;
        let mut step = Step::new(
            engine.codec.clone(),
            engine.frames.clone(),
            self.now_ms,
            state.next_operation,
            done.collect(),
        );
        let machine = state.machine.clone();
        let poll = || with_current(&engine.codec, || (entry.poll)(&mut step, machine));
        let moved = catch(|| at_time(self.now_ms, poll));
        match moved {
            Ok(Some(moved)) => self.moved(step, moved),
            Ok(None) => self.park(refusal(step.failure)),
            Err(Caught { message, place }) => self.park(ParkReason::Panicked { message, place }),
        }
    }

    fn moved(&mut self, step: Step, moved: Moved) {
        let state = &mut self.loaded.state;
        state.steps += 1;
        state.next_operation = step.next_operation;
        state.build = self.engine.build;
        state.operations.retain(|op| match op.kind {
            OperationKind::Done(_) => step.done.iter().any(|(id, _)| *id == op.id),
            _ => true,
        });
        match moved {
            Moved::Ended(value) => {
                let failed = self.engine.is_err(&value);
                self.note(if failed { HistoryKind::Failed } else { HistoryKind::Completed });
                self.end = Some(End::Returned { value, failed });
            }
            Moved::Suspended(image) => {
                self.engine.note_size(&self.loaded.workflow, image.vars.len());
                let state = &mut self.loaded.state;
                state.machine = Machine::At(image);
                state.wait = step.wait;
                state.since_ms = self.now_ms;
                for (id, operation) in step.started {
                    self.begin(id, operation);
                }
            }
        }
    }

    fn begin(&mut self, id: OperationId, operation: NewOperation) {
        let kind = match operation {
            NewOperation::Activity { name, args, options } => {
                self.effects.dispatch.push(id);
                let key = self.engine.random.bits();
                let activity = ActivityOperation::new(name, args, options, key, self.now_ms);
                OperationKind::Activity(Box::new(activity))
            }
            NewOperation::Timer { deadline_ms } => {
                let timer = Timer { deadline_ms, slot: self.slot, operation: id };
                self.timers.push(TimerChange::Set(timer));
                self.effects.timers.push(timer);
                OperationKind::Timer { deadline_ms }
            }
        };
        self.loaded.state.operations.push(Operation { id, kind });
    }

    fn finish(mut self, create: bool) -> Advanced {
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
            timers: self.timers,
            history: history.chunks,
            history_from: history.keep_from,
            ..Transition::new(self.slot, number, change)
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

fn refusal(failure: Option<StepFailure>) -> ParkReason {
    let reason = match failure {
        Some(failure) => failure.to_string(),
        None => "the step ended without a snapshot".into(),
    };
    ParkReason::Incompatible { reason }
}

/// When all attempts of a call must be over, if it has such a time.
pub(crate) fn schedule_deadline_ms(
    meta: &crate::activity::ActivityMeta,
    activity: &ActivityOperation,
) -> Option<u64> {
    let limit = meta.timeouts(&activity.options).schedule_to_close?;
    Some(activity.scheduled_ms.saturating_add(u64::try_from(limit.as_millis()).unwrap_or(u64::MAX)))
}
