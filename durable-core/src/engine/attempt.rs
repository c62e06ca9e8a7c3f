//! Attempts of activities: the queue, the limits, and one attempt from its start to its end.
//!
//! An attempt's function runs as a task of the user's runtime, a blocking one on its blocking pool.
//! Time-outs and heartbeats are watched beside it, by the engine's clock.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use durable_store::{Number, Slot};

use super::{
    advance::{Attempted, Event, schedule_deadline_ms},
    inner::{Inner, Live, Shared, Stopping},
    panics::{Caught, catch},
    state::{ActivityOperation, Loaded, ParkReason},
};
use crate::{
    activity::{ActivityEntry, AttemptInfo, AttemptOutcome, AttemptState},
    context::OperationId,
    error::{CallError, Timeout},
};

/// So many queued attempts keep their arguments in memory; the others read them when their turn comes.
const PREPARED_ATTEMPTS: usize = 20_000;

/// Where the attempts of a pending activity stand.
#[derive(Debug)]
pub(crate) enum Attempt {
    Queued,
    Running { task: tokio::task::AbortHandle, state: Arc<std::sync::OnceLock<Arc<AttemptState>>> },
    BackingOff { at_ms: u64 },
}

impl Attempt {
    /// Tells a running attempt that nobody waits for it any more.
    pub(crate) fn cancel(&self) {
        if let Attempt::Running { state, .. } = self
            && let Some(state) = state.get()
        {
            state.cancel();
        }
    }
}

/// An attempt that waits for its turn.
#[derive(Debug)]
pub(crate) struct Queued {
    pub(crate) slot: Slot,
    pub(crate) number: Number,
    pub(crate) operation: OperationId,
    /// The activity's name, if it has a limit of its own.
    limited: Option<&'static str>,
    prepared: Option<Box<Prepared>>,
}

/// What an attempt needs to know.
#[derive(Debug)]
struct Prepared {
    instance: String,
    activity: ActivityOperation,
}

impl Queued {
    pub(crate) fn new(
        inner: &Inner,
        slot: Slot,
        number: Number,
        operation: OperationId,
        instance: &str,
        activity: &ActivityOperation,
    ) -> Self {
        let entry = inner.registry.activities.get(activity.name.as_str());
        let prepared = Prepared { instance: instance.into(), activity: activity.clone() };
        Queued {
            slot,
            number,
            operation,
            limited: entry.and_then(|entry| entry.meta.limit.map(|_| entry.meta.name)),
            prepared: Some(Box::new(prepared)),
        }
    }
}

impl Live {
    pub(crate) fn set_attempt(&mut self, operation: OperationId, attempt: Attempt) {
        match self.attempts.iter_mut().find(|(id, _)| *id == operation) {
            Some((_, old)) => *old = attempt,
            None => self.attempts.push((operation, attempt)),
        }
    }

    pub(crate) fn attempt(&self, operation: OperationId) -> Option<&Attempt> {
        self.attempts.iter().find(|(id, _)| *id == operation).map(|(_, attempt)| attempt)
    }
}

impl Inner {
    /// Puts an attempt into the queue, unless it is there or runs already.
    #[allow(clippy::unused_self)] // the queue is the engine's
    pub(crate) fn enqueue(&self, shared: &mut Shared, mut queued: Queued) {
        let live = shared.live.entry(queued.slot).or_insert_with(|| Live::new(queued.number));
        if live.number != queued.number {
            return;
        }
        match live.attempt(queued.operation) {
            Some(Attempt::Queued | Attempt::Running { .. }) => return,
            Some(Attempt::BackingOff { at_ms }) => {
                shared.backoffs.remove(&(*at_ms, queued.slot, queued.number, queued.operation));
            }
            None => {}
        }
        live.set_attempt(queued.operation, Attempt::Queued);
        if shared.queue.len() >= PREPARED_ATTEMPTS {
            queued.prepared = None;
        }
        shared.queue.push_back(queued);
    }

    /// Begins queued attempts as far as the limits allow.
    pub(crate) fn pump(self: &Arc<Self>, shared: &mut Shared) {
        while shared.running < self.settings.max_concurrent_activities && shared.stopping == Stopping::No {
            let Some(queued) = shared.queue.pop_front() else { return };
            // It may have been terminated while it waited for its turn.
            let live = shared.live.get(&queued.slot).filter(|live| live.number == queued.number);
            if !matches!(live.and_then(|live| live.attempt(queued.operation)), Some(Attempt::Queued)) {
                continue;
            }
            if let Some(name) = queued.limited {
                let most = self.registry.activities[name].meta.limit.unwrap_or(u32::MAX);
                let limited = shared.limited.entry(name).or_default();
                if limited.running >= most as usize {
                    limited.waiting.push_back(queued);
                    continue;
                }
                limited.running += 1;
            }
            self.launch(shared, queued);
        }
    }

    fn launch(self: &Arc<Self>, shared: &mut Shared, queued: Queued) {
        shared.running += 1;
        let Queued { slot, number, operation, limited, prepared } = queued;
        let mut turn = Turn {
            inner: self.clone(),
            generation: shared.generation,
            slot,
            number,
            operation,
            limited,
            over: false,
        };
        let state = Arc::new(std::sync::OnceLock::new());
        let seen = state.clone();
        let task = self.runtime.spawn(async move {
            let ended = turn.inner.clone().attempt(slot, number, operation, prepared, &seen).await;
            turn.end(ended);
        });
        if let Some(live) = shared.live.get_mut(&slot).filter(|live| live.number == number) {
            live.set_attempt(operation, Attempt::Running { task: task.abort_handle(), state });
        }
    }

    /// One attempt. `None`: the operation is not pending any more.
    async fn attempt(
        self: Arc<Self>,
        slot: Slot,
        number: Number,
        operation: OperationId,
        prepared: Option<Box<Prepared>>,
        seen: &std::sync::OnceLock<Arc<AttemptState>>,
    ) -> Option<Attempted> {
        let prepared = match prepared {
            Some(prepared) => prepared,
            None => self.read_attempt(slot, number, operation)?,
        };
        let Prepared { instance, activity } = *prepared;
        let Some(entry) = self.registry.activities.get(activity.name.as_str()).cloned() else {
            let name = format!("activity `{}`", activity.name);
            return Some(Attempted::Impossible(ParkReason::NotInBuild { name }));
        };
        for value in std::iter::once(&activity.args).chain(&activity.progress) {
            self.frames.ensure(&self.codec, value.layout);
        }
        let now_ms = self.clock.now_ms();
        let limits = Limits::new(&entry, &activity, now_ms);
        let clock = self.clock.clone();
        let info = AttemptInfo {
            instance_id: instance,
            key: activity.key(),
            attempt: activity.failed_attempts + 1,
            deadline_ms: limits.deadline().map(|(deadline_ms, ..)| deadline_ms),
            last_heartbeat: activity.progress.clone(),
            states: self.states.clone(),
            codec: self.codec.clone(),
            clock: Arc::new(move || clock.now_ms()),
        };
        let state = AttemptState::on(Arc::downgrade(&self), info, now_ms);
        let state = seen.get_or_init(|| state);
        let running = self.mocks.run(&self, &entry, &activity.args, state);
        let running = running.unwrap_or_else(|| self.run(&entry, activity.args, state));
        Some(self.watch(running, &limits, state).await)
    }

    /// The operation as it is stored now.
    fn read_attempt(&self, slot: Slot, number: Number, operation: OperationId) -> Option<Box<Prepared>> {
        let instance = self.store.instance(slot).ok()??;
        let mut loaded = Loaded::read(instance).ok().filter(|loaded| loaded.number == number)?;
        let activity = loaded.state.pending_activity(operation)?.clone();
        Some(Box::new(Prepared { instance: loaded.id, activity }))
    }

    /// The user's function, with panics caught.
    fn run(&self, entry: &ActivityEntry, args: crate::codec::Encoded, state: &Arc<AttemptState>) -> Running {
        let future = (entry.run)(args, state.context());
        if !entry.meta.blocking {
            return Box::pin(Guarded(future));
        }
        let runtime = self.runtime.clone();
        let task = self.runtime.spawn_blocking(move || runtime.block_on(Guarded(future)));
        Box::pin(async move {
            task.await.unwrap_or_else(|error| {
                Err(Caught { message: error.to_string(), place: String::new() })
            })
        })
    }

    /// Runs an attempt against its time-outs.
    async fn watch(&self, mut running: Running, limits: &Limits, state: &Arc<AttemptState>) -> Attempted {
        let mut watching = pin!(self.overdue(limits, state));
        let ended = poll_fn(|cx| match running.as_mut().poll(cx) {
            Poll::Ready(ended) => Poll::Ready(Ok(ended)),
            Poll::Pending => watching.as_mut().poll(cx).map(Err),
        })
        .await;
        let progress = state.progress();
        if let Some(error) = state.progress_error() {
            self.report(&format!("the progress of activity `{}` can't be stored: {error}", limits.name));
        }
        match ended {
            Ok(Ok(AttemptOutcome::Completed(value))) => Attempted::Completed(value),
            Ok(Ok(AttemptOutcome::Failed { value, message, retryable, retry_after })) => {
                Attempted::Failed { value, message, retryable, retry_after, progress }
            }
            Ok(Ok(AttemptOutcome::BadArgs(error))) => Attempted::Impossible(ParkReason::Incompatible {
                reason: format!("the arguments of the call can't be read: {error}"),
            }),
            Ok(Ok(AttemptOutcome::BadOutput(error))) => Attempted::Impossible(ParkReason::Incompatible {
                reason: format!("the activity ran, and its result can't be stored: {error}"),
            }),
            Ok(Ok(AttemptOutcome::MissingState(missing))) => {
                Attempted::Impossible(ParkReason::MissingState {
                    activity: limits.name.into(),
                    type_name: missing.type_name.into(),
                })
            }
            Ok(Err(Caught { message, place })) => {
                let message = if place.is_empty() { message } else { format!("{message} ({place})") };
                Attempted::Broke { error: CallError::Panicked { message }, progress }
            }
            Err(error) => {
                state.cancel();
                Attempted::Broke { error, progress }
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
pub(crate) type Running = Pin<Box<dyn Future<Output = Result<AttemptOutcome, Caught>> + Send>>;

/// When an attempt has taken too long.
struct Limits {
    name: &'static str,
    start_to_close: Option<(u64, Duration)>,
    schedule_to_close: Option<(u64, Duration)>,
    heartbeat: Option<Duration>,
}

impl Limits {
    fn new(entry: &ActivityEntry, activity: &ActivityOperation, now_ms: u64) -> Self {
        let timeouts = entry.meta.timeouts(&activity.options);
        Limits {
            name: entry.meta.name,
            start_to_close: timeouts
                .start_to_close
                .map(|longest| (now_ms.saturating_add(millis(longest)), longest)),
            schedule_to_close: schedule_deadline_ms(entry.meta, activity).zip(timeouts.schedule_to_close),
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

/// The place that a running attempt takes up. Given back when the attempt ends, however it ends.
struct Turn {
    inner: Arc<Inner>,
    generation: u64,
    slot: Slot,
    number: Number,
    operation: OperationId,
    limited: Option<&'static str>,
    over: bool,
}

impl Turn {
    fn end(&mut self, ended: Option<Attempted>) {
        self.over = true;
        let inner = self.inner.clone();
        let mut shared = inner.lock();
        if shared.generation != self.generation {
            return;
        }
        shared.running -= 1;
        if let Some(limited) = self.limited.and_then(|name| shared.limited.get_mut(name)) {
            limited.running -= 1;
            if let Some(next) = limited.waiting.pop_front() {
                shared.queue.push_front(next);
            }
        }
        match ended {
            Some(ended) => {
                let event = Event::Attempted { operation: self.operation, ended };
                inner.post(&mut shared, self.slot, self.number, event);
            }
            None => {
                if let Some(live) = shared.live.get_mut(&self.slot).filter(|live| live.number == self.number) {
                    live.attempts.retain(|(id, _)| *id != self.operation);
                }
            }
        }
        inner.pump(&mut shared);
        inner.tell_idle(&shared);
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // Aborted by a shutdown: nothing is reported, and the call runs again after the restart.
        if !self.over {
            let mut shared = self.inner.lock();
            if shared.generation == self.generation {
                shared.running -= 1;
            }
        }
    }
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
