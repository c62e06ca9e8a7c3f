//! One attempt, from its start to its end: the function as a task, its time-outs and heartbeats beside it.
//!
//! The function runs as a task of the user's runtime, a blocking one on its blocking pool; it is watched by the engine's clock.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll},
    time::Duration,
};

use durable_store::{Error as StoreError, Number, Slot};

use super::{Launched, turn::Place};
use crate::{
    activity::{ActivityEntry, AttemptInfo, AttemptOutcome, AttemptState},
    codec::Encoded,
    context::OperationId,
    engine::{
        advance::Attempted,
        inner::Inner,
        panics::{Caught, catch},
        state::{ActivityOperation, Called, Loaded, Operation, OperationKind, ParkReason},
    },
    error::{CallError, Timeout},
    registry::KnownActivity,
};

/// What an attempt needs to know.
#[derive(Debug)]
pub(super) struct Prepared {
    instance: String,
    /// None if this build does not have the activity.
    entry: Option<Arc<KnownActivity>>,
    called: Arc<Called>,
    progress: Option<Encoded>,
    attempt: u32,
}

impl Prepared {
    pub(super) fn new(inner: &Inner, instance: &str, activity: &ActivityOperation) -> Self {
        let entry = inner.registry.activities.get(&*activity.name);
        Prepared {
            instance: instance.into(),
            entry: entry.cloned(),
            called: activity.called(),
            progress: activity.progress.clone(),
            attempt: activity.failed_attempts + 1,
        }
    }

    /// What it takes up while it waits for its turn.
    pub(super) fn bytes(&self) -> usize {
        self.called.args.bytes.len() + self.progress.as_ref().map_or(0, |progress| progress.bytes.len())
    }

    /// The activity's name, if it has a limit of its own.
    pub(super) fn limited(&self) -> Option<&'static str> {
        self.entry.as_ref().filter(|entry| entry.meta.limit.is_some()).map(|entry| entry.meta.name)
    }

    /// Whether it will end at once, as far as one can tell.
    pub(super) fn is_quick(&self) -> bool {
        self.entry.as_ref().is_some_and(|entry| entry.is_quick.load(Ordering::Relaxed))
    }
}

/// A call that is pending in the store.
#[derive(Debug)]
pub(crate) struct StoredCall {
    /// The id of its instance.
    pub(crate) instance: String,
    /// No attempt of it begins: its instance is parked or paused.
    pub(crate) is_held: bool,
    pub(crate) activity: ActivityOperation,
}

/// The call that an operation in a row of its own is.
fn activity_in(row: &[u8]) -> Option<ActivityOperation> {
    match postcard::from_bytes::<Operation>(row).ok()?.kind {
        OperationKind::Activity(activity) => Some(*activity),
        _ => None,
    }
}

/// What a beginning has come to.
pub(super) enum Begun {
    /// There is nothing to run. None: the operation is not pending any more.
    Over(Option<Attempted>),
    Running(UnderWay),
}

/// An attempt whose function runs, or is about to.
pub(super) struct UnderWay {
    running: Running,
    limits: Limits,
    state: Arc<AttemptState>,
    entry: Arc<KnownActivity>,
}

impl UnderWay {
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<AttemptOutcome, Caught>> {
        Pin::new(&mut self.running).poll(cx)
    }

    /// Whether it has ended at its first poll, and soon: then a worker may poll the next one of its activity.
    pub(super) fn note_quickness(&self, is_quick: bool) {
        // Written when it changes, and read otherwise: both workers look at it.
        if self.entry.is_quick.load(Ordering::Relaxed) != is_quick {
            self.entry.is_quick.store(is_quick, Ordering::Relaxed);
        }
    }
}

impl Inner {
    /// Makes an attempt ready to be polled.
    pub(super) fn begin(
        self: &Arc<Self>,
        place: &Place,
        prepared: Option<Prepared>,
        launched: &Launched,
    ) -> Begun {
        let prepared = match prepared {
            Some(prepared) => prepared,
            None => match self.read_attempt(place.slot, place.number, place.operation) {
                Ok(Some(prepared)) => prepared,
                Ok(None) => return Begun::Over(None),
                Err(error) => {
                    // A store that failed is opened again, and then the call is taken up anew.
                    self.report(&format!("a call in slot {} can't be read: {error}", place.slot.0));
                    return Begun::Over(None);
                }
            },
        };
        let Prepared { instance, entry, called, progress, attempt } = prepared;
        let Some(entry) = entry else {
            let name = format!("activity `{}`", called.name);
            return Begun::Over(Some(Attempted::Impossible(ParkReason::NotInBuild { name })));
        };
        let args = match self.frames.load_args(&self.codec, entry.meta.args, called.args.clone()) {
            Ok(args) => args,
            Err(reason) => {
                return Begun::Over(Some(Attempted::Impossible(ParkReason::Incompatible { reason })));
            }
        };
        for value in std::iter::once(&args).chain(&progress) {
            self.frames.ensure(&self.codec, value.layout);
        }
        let now_ms = self.clock.now_ms();
        let limits = Limits::new(&entry, &called, now_ms);
        if let Some((deadline_ms, after)) = limits.schedule_to_close
            && now_ms >= deadline_ms
        {
            // Its time ran out while it waited for its turn: it does not begin any more.
            let error = CallError::TimedOut { what: Timeout::ScheduleToClose, after };
            return Begun::Over(Some(Attempted::Broke { error, progress: None }));
        }
        let info = AttemptInfo {
            instance_id: instance,
            key: called.key(),
            attempt,
            deadline_ms: limits.deadline().map(|(deadline_ms, ..)| deadline_ms),
            last_heartbeat: progress,
            states: self.states.clone(),
            codec: self.codec.clone(),
            clock: self.beat_clock.clone(),
        };
        let state = launched.begin(AttemptState::on(Arc::downgrade(self), info, now_ms));
        let running = self.mocks.run(self, &entry, &args, state);
        let running = running.unwrap_or_else(|| self.run(&entry, args, state));
        Begun::Running(UnderWay { running, limits, state: state.clone(), entry })
    }

    /// The operation as it is stored now.
    fn read_attempt(
        &self,
        slot: Slot,
        number: Number,
        operation: OperationId,
    ) -> Result<Option<Prepared>, StoreError> {
        // As many may wait as the instance has: the one that stands in a row is read without its record being decoded.
        let row = self.ask(|store| store.operation(slot, operation))?;
        if let Some(activity) = row.as_deref().and_then(activity_in) {
            // If the run is there still, it was there when its row was read.
            let instance = self.ask(|store| store.instance(slot))?.filter(|found| found.number == number);
            return Ok(instance.map(|instance| Prepared::new(self, &instance.id, &activity)));
        }
        let call = self.stored_call(slot, number, operation)?;
        Ok(call.map(|call| Prepared::new(self, &call.instance, &call.activity)))
    }

    /// A call as it is stored now. The instance's other operations, which may be thousands, are not read.
    pub(crate) fn stored_call(
        &self,
        slot: Slot,
        number: Number,
        operation: OperationId,
    ) -> Result<Option<StoredCall>, StoreError> {
        let instance = self.ask(|store| store.instance(slot))?.filter(|instance| instance.number == number);
        let Some(Ok(loaded)) = instance.map(Loaded::read) else { return Ok(None) };
        let activity = if let Some(activity) = loaded.state.activity(operation) {
            Some(activity.clone())
        } else {
            let row = self.ask(|store| store.operation(slot, operation))?;
            // As above.
            let is_there = self.ask(|store| store.owner(slot))? == Some(number);
            row.filter(|_| is_there).and_then(|row| activity_in(&row))
        };
        let is_held = loaded.state.parked.is_some() || loaded.state.paused_ms.is_some();
        Ok(activity.map(|activity| StoredCall { instance: loaded.id, is_held, activity }))
    }

    /// The user's function, with panics caught.
    fn run(&self, entry: &ActivityEntry, args: Encoded, state: &Arc<AttemptState>) -> Running {
        let future = (entry.run)(args, state.context());
        if !entry.meta.blocking {
            return Running::Plain(Guarded(future));
        }
        let runtime = self.runtime.clone();
        let task = self.runtime.spawn_blocking(move || runtime.block_on(Guarded(future)));
        Running::Other(Box::pin(async move {
            task.await
                .unwrap_or_else(|error| Err(Caught { message: error.to_string(), place: String::new() }))
        }))
    }

    /// Runs an attempt against its time-outs.
    pub(super) async fn watch(&self, mut attempt: UnderWay) -> Attempted {
        let UnderWay { running, limits, state, .. } = &mut attempt;
        let ended = {
            let mut watching = pin!(self.overdue(limits, state));
            poll_fn(|cx| match Pin::new(&mut *running).poll(cx) {
                Poll::Ready(ended) => Poll::Ready(Ok(ended)),
                Poll::Pending => watching.as_mut().poll(cx).map(Err),
            })
            .await
        };
        match ended {
            Ok(outcome) => self.ended(outcome, &attempt),
            Err(error) => {
                let progress = self.progress(&attempt);
                attempt.state.cancel();
                Attempted::Broke { error, progress }
            }
        }
    }

    /// What it has reported by now.
    fn progress(&self, UnderWay { limits, state, .. }: &UnderWay) -> Option<Encoded> {
        let progress = state.progress();
        if let Some(error) = state.progress_error() {
            self.report(&format!("the progress of activity `{}` can't be stored: {error}", limits.name));
        }
        progress
    }

    /// What the end of the function is for its call.
    pub(super) fn ended(&self, outcome: Result<AttemptOutcome, Caught>, attempt: &UnderWay) -> Attempted {
        let progress = self.progress(attempt);
        match outcome {
            Ok(AttemptOutcome::Completed(value)) => Attempted::Completed(value),
            Ok(AttemptOutcome::Failed { value, message, retryable, retry_after }) => {
                Attempted::Failed { value, message, retryable, retry_after, progress }
            }
            Ok(AttemptOutcome::BadArgs(error)) => Attempted::Impossible(ParkReason::Incompatible {
                reason: format!("the arguments of the call can't be read: {error}"),
            }),
            Ok(AttemptOutcome::BadOutput(error)) => Attempted::Impossible(ParkReason::Incompatible {
                reason: format!("the activity ran, and its result can't be stored: {error}"),
            }),
            Ok(AttemptOutcome::MissingState(missing)) => Attempted::Impossible(ParkReason::MissingState {
                activity: attempt.limits.name.into(),
                type_name: missing.type_name.into(),
            }),
            Err(Caught { message, place }) => {
                let message = if place.is_empty() { message } else { format!("{message} ({place})") };
                Attempted::Broke { error: CallError::Panicked { message }, progress }
            }
        }
    }

    /// Ends when the attempt has taken too long or was silent for too long.
    async fn overdue(&self, limits: &Limits, state: &Arc<AttemptState>) -> CallError {
        loop {
            let deadline = limits.deadline();
            let silence = limits
                .heartbeat
                .map(|longest| (state.last_beat_ms().saturating_add(millis(longest)), longest));
            let next_ms = match (deadline, silence) {
                (None, None) => return std::future::pending().await,
                (Some((at_ms, ..)), None) | (None, Some((at_ms, _))) => at_ms,
                (Some((a, ..)), Some((b, _))) => a.min(b),
            };
            self.clock.sleep_until(next_ms).await;
            let now_ms = self.clock.now_ms();
            if let Some((at_ms, what, after)) = deadline
                && now_ms >= at_ms
            {
                return CallError::TimedOut { what, after };
            }
            if let Some(longest) = limits.heartbeat
                && now_ms >= state.last_beat_ms().saturating_add(millis(longest))
            {
                return CallError::HeartbeatLost { after: longest };
            }
        }
    }
}

/// An attempt under way.
pub(crate) enum Running {
    /// The user's function, as it is.
    Plain(Guarded<Pin<Box<dyn Future<Output = AttemptOutcome> + Send>>>),
    /// A blocking one, or a mock.
    Other(Pin<Box<dyn Future<Output = Result<AttemptOutcome, Caught>> + Send>>),
}

impl Future for Running {
    type Output = Result<AttemptOutcome, Caught>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Running::Plain(running) => Pin::new(running).poll(cx),
            Running::Other(running) => running.as_mut().poll(cx),
        }
    }
}

/// When an attempt has taken too long.
struct Limits {
    name: &'static str,
    start_to_close: Option<(u64, Duration)>,
    schedule_to_close: Option<(u64, Duration)>,
    heartbeat: Option<Duration>,
}

impl Limits {
    fn new(entry: &ActivityEntry, call: &Called, now_ms: u64) -> Self {
        let timeouts = entry.meta.timeouts(&call.options);
        Limits {
            name: entry.meta.name,
            start_to_close: timeouts
                .start_to_close
                .map(|longest| (now_ms.saturating_add(millis(longest)), longest)),
            schedule_to_close: timeouts
                .schedule_to_close
                .map(|longest| (call.scheduled_ms.saturating_add(millis(longest)), longest)),
            heartbeat: timeouts.heartbeat,
        }
    }

    fn deadline(&self) -> Option<(u64, Timeout, Duration)> {
        let start = self.start_to_close.map(|(at, after)| (at, Timeout::StartToClose, after));
        let schedule = self.schedule_to_close.map(|(at, after)| (at, Timeout::ScheduleToClose, after));
        match (start, schedule) {
            (Some(start), Some(schedule)) => Some(if schedule.0 <= start.0 { schedule } else { start }),
            (start, schedule) => start.or(schedule),
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A future whose panics are caught.
pub(crate) struct Guarded<F>(pub(crate) F);

impl<T> Future for Guarded<Pin<Box<dyn Future<Output = T> + Send>>> {
    type Output = Result<T, Caught>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match catch(|| self.0.as_mut().poll(cx)) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
            Err(caught) => Poll::Ready(Err(caught)),
        }
    }
}
