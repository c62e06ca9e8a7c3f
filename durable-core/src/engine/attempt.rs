//! Attempts of activities: the queue, the limits, and one attempt from its start to its end.
//!
//! An attempt's function runs as a task of the user's runtime, a blocking one on its blocking pool.
//! Time-outs and heartbeats are watched beside it, by the engine's clock.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use durable_store::{Error as StoreError, Number, Slot};

use super::{
    advance::{Attempted, Event},
    inner::{Inner, Live, Shared, Stopping},
    panics::{Caught, catch},
    state::{ActivityOperation, Loaded, ParkReason},
};
use crate::{
    activity::{ActivityEntry, AttemptInfo, AttemptOutcome, AttemptState, CallOptions, IdempotencyKey},
    codec::Encoded,
    context::OperationId,
    error::{CallError, Timeout},
};

/// So many queued attempts keep their arguments in memory; the others read them when their turn comes.
const PREPARED_ATTEMPTS: usize = 20_000;

/// Where the attempts of a pending activity stand.
#[derive(Debug)]
pub(crate) enum Attempt {
    Queued,
    Running(Arc<Launched>),
    BackingOff {
        at_ms: u64,
    },
    /// It is over, and what it gave waits for the commit.
    Ended,
}

/// A running attempt, as those see it who would end it.
#[derive(Debug, Default)]
pub(crate) struct Launched {
    task: OnceLock<tokio::task::AbortHandle>,
    state: OnceLock<Arc<AttemptState>>,
    aborted: AtomicBool,
}

impl Launched {
    /// An attempt is launched after the lock was given back: it may have been aborted before that.
    fn set_task(&self, task: tokio::task::AbortHandle) {
        let task = self.task.get_or_init(|| task);
        if self.aborted.load(Ordering::SeqCst) {
            task.abort();
        }
    }
}

impl Attempt {
    /// Tells a running attempt that nobody waits for it any more.
    pub(crate) fn cancel(&self) {
        if let Attempt::Running(launched) = self
            && let Some(state) = launched.state.get()
        {
            state.cancel();
        }
    }

    /// Ends a running attempt where it stands.
    pub(crate) fn abort(&self) {
        self.cancel();
        if let Attempt::Running(launched) = self {
            launched.aborted.store(true, Ordering::SeqCst);
            if let Some(task) = launched.task.get() {
                task.abort();
            }
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
    /// The activity, or the name of one that this build does not have.
    entry: Result<Arc<ActivityEntry>, String>,
    args: Encoded,
    progress: Option<Encoded>,
    key: IdempotencyKey,
    attempt: u32,
    options: CallOptions,
    scheduled_ms: u64,
}

impl Prepared {
    fn new(inner: &Inner, instance: &str, activity: &ActivityOperation) -> Self {
        let entry = inner.registry.activities.get(activity.name.as_str());
        Prepared {
            instance: instance.into(),
            entry: entry.cloned().ok_or_else(|| activity.name.clone()),
            args: activity.args.clone(),
            progress: activity.progress.clone(),
            key: activity.key(),
            attempt: activity.failed_attempts + 1,
            options: activity.options.clone(),
            scheduled_ms: activity.scheduled_ms,
        }
    }
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
        let prepared = Prepared::new(inner, instance, activity);
        let limited = prepared.entry.as_ref().ok().filter(|entry| entry.meta.limit.is_some());
        Queued {
            slot,
            number,
            operation,
            limited: limited.map(|entry| entry.meta.name),
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

    fn attempt_mut(&mut self, operation: OperationId) -> Option<&mut Attempt> {
        self.attempts.iter_mut().find(|(id, _)| *id == operation).map(|(_, attempt)| attempt)
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
            Some(Attempt::Queued | Attempt::Running(_) | Attempt::Ended) => return,
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

    /// Puts the next call of a limited activity in front of the queue, if there is a place for it.
    fn call_up(&self, shared: &mut Shared, limited: Option<&'static str>) {
        let Some(name) = limited else { return };
        let Some(limited) = shared.limited.get_mut(name) else { return };
        if limited.running < self.most_of(name)
            && let Some(next) = limited.waiting.pop_front()
        {
            shared.queue.push_front(next);
        }
    }

    /// How many attempts of a limited activity may run at once.
    fn most_of(&self, name: &str) -> usize {
        self.registry.activities[name].meta.limit.map_or(usize::MAX, |most| most as usize)
    }

    /// Takes queued attempts out of the queue as far as the limits allow, to be launched without the lock.
    #[must_use = "what was taken must be launched"]
    pub(crate) fn pump(self: &Arc<Self>, shared: &mut Shared) -> Launches {
        let mut due = Launches { inner: self.clone(), attempts: Vec::new() };
        while shared.running < self.settings.max_concurrent_activities && shared.stopping == Stopping::No {
            let Some(queued) = shared.queue.pop_front() else { break };
            // It may have been terminated while it waited for its turn.
            let live = shared.live.get_mut(&queued.slot).filter(|live| live.number == queued.number);
            let attempt = live.and_then(|live| live.attempt_mut(queued.operation));
            let Some(attempt) = attempt.filter(|attempt| matches!(attempt, Attempt::Queued)) else {
                // It may have been called up to take the place of one that ended: the next one takes it.
                self.call_up(shared, queued.limited);
                continue;
            };
            if let Some(name) = queued.limited {
                let limited = shared.limited.entry(name).or_default();
                if limited.running >= self.most_of(name) {
                    limited.waiting.push_back(queued);
                    continue;
                }
                limited.running += 1;
            }
            shared.running += 1;
            let launched = Arc::new(Launched::default());
            *attempt = Attempt::Running(launched.clone());
            let Queued { slot, number, operation, limited, prepared } = queued;
            let inner = self.clone();
            let generation = shared.generation;
            let turn = Turn { inner, generation, slot, number, operation, limited, over: false };
            due.attempts.push((turn, prepared, launched));
        }
        due
    }

    /// One attempt. `None`: the operation is not pending any more.
    async fn attempt(
        self: Arc<Self>,
        slot: Slot,
        number: Number,
        operation: OperationId,
        prepared: Option<Box<Prepared>>,
        launched: &Launched,
    ) -> Option<Attempted> {
        let prepared = match prepared {
            Some(prepared) => prepared,
            None => match self.read_attempt(slot, number, operation) {
                Ok(prepared) => prepared?,
                Err(error) => {
                    // A store that failed is opened again, and then the call is taken up anew.
                    self.report(&format!("a call in slot {} can't be read: {error}", slot.0));
                    return None;
                }
            },
        };
        let prepared = *prepared;
        let entry = match &prepared.entry {
            Ok(entry) => entry.clone(),
            Err(name) => {
                let name = format!("activity `{name}`");
                return Some(Attempted::Impossible(ParkReason::NotInBuild { name }));
            }
        };
        for value in std::iter::once(&prepared.args).chain(&prepared.progress) {
            self.frames.ensure(&self.codec, value.layout);
        }
        let now_ms = self.clock.now_ms();
        let limits = Limits::new(&entry, &prepared, now_ms);
        if let Some((deadline_ms, after)) = limits.schedule_to_close
            && now_ms >= deadline_ms
        {
            // Its time ran out while it waited for its turn: it does not begin any more.
            let error = CallError::TimedOut { what: Timeout::ScheduleToClose, after };
            return Some(Attempted::Broke { error, progress: None });
        }
        let info = AttemptInfo {
            instance_id: prepared.instance,
            key: prepared.key,
            attempt: prepared.attempt,
            deadline_ms: limits.deadline().map(|(deadline_ms, ..)| deadline_ms),
            last_heartbeat: prepared.progress,
            states: self.states.clone(),
            codec: self.codec.clone(),
            clock: self.beat_clock.clone(),
        };
        let state = AttemptState::on(Arc::downgrade(&self), info, now_ms);
        let state = launched.state.get_or_init(|| state);
        let running = self.mocks.run(&self, &entry, &prepared.args, state);
        let running = running.unwrap_or_else(|| self.run(&entry, prepared.args, state));
        Some(self.watch(running, &limits, state).await)
    }

    /// The operation as it is stored now.
    fn read_attempt(
        &self,
        slot: Slot,
        number: Number,
        operation: OperationId,
    ) -> Result<Option<Box<Prepared>>, StoreError> {
        let instance = self.ask(|store| store.instance(slot))?;
        let loaded = instance.and_then(|instance| Loaded::read(instance).ok());
        Ok(loaded.filter(|loaded| loaded.number == number).and_then(|mut loaded| {
            let activity = loaded.state.pending_activity(operation)?;
            Some(Box::new(Prepared::new(self, &loaded.id, activity)))
        }))
    }

    /// The user's function, with panics caught.
    fn run(&self, entry: &ActivityEntry, args: Encoded, state: &Arc<AttemptState>) -> Running {
        let future = (entry.run)(args, state.context());
        if !entry.meta.blocking {
            return Box::pin(Guarded(future));
        }
        let runtime = self.runtime.clone();
        let task = self.runtime.spawn_blocking(move || runtime.block_on(Guarded(future)));
        Box::pin(async move {
            task.await
                .unwrap_or_else(|error| Err(Caught { message: error.to_string(), place: String::new() }))
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
    fn new(entry: &ActivityEntry, call: &Prepared, now_ms: u64) -> Self {
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

/// Attempts that have got their turn.
pub(crate) struct Launches {
    inner: Arc<Inner>,
    attempts: Vec<(Turn, Option<Box<Prepared>>, Arc<Launched>)>,
}

impl Launches {
    /// Makes a task of each attempt. From outside of the runtime every task would wake a thread of
    /// it: more than a few are spawned from within.
    pub(crate) fn launch(self) {
        const FEW: usize = 4;
        let Launches { inner, attempts } = self;
        if attempts.len() <= FEW {
            for (turn, prepared, launched) in attempts {
                launch(&inner, turn, prepared, &launched);
            }
        } else {
            let runtime = inner.runtime.clone();
            runtime.spawn(async move {
                for (turn, prepared, launched) in attempts {
                    launch(&inner, turn, prepared, &launched);
                }
            });
        }
    }
}

fn launch(inner: &Arc<Inner>, mut turn: Turn, prepared: Option<Box<Prepared>>, launched: &Arc<Launched>) {
    let seen = launched.clone();
    let task = inner.runtime.spawn(async move {
        let Turn { slot, number, operation, .. } = turn;
        let ended = turn.inner.clone().attempt(slot, number, operation, prepared, &seen).await;
        turn.end(ended);
    });
    launched.set_task(task.abort_handle());
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
        }
        inner.call_up(&mut shared, self.limited);
        let live = shared.live.get_mut(&self.slot).filter(|live| live.number == self.number);
        match ended {
            Some(ended) => {
                if let Some(attempt) = live.and_then(|live| live.attempt_mut(self.operation)) {
                    *attempt = Attempt::Ended;
                }
                let event = Event::Attempted { operation: self.operation, ended };
                inner.post(&mut shared, self.slot, self.number, event);
            }
            None => {
                if let Some(live) = live {
                    live.attempts.retain(|(id, _)| *id != self.operation);
                    if live.attempts.is_empty() && !live.busy && !live.queued {
                        let cached = live.cached.is_some();
                        shared.live.remove(&self.slot);
                        shared.cached -= usize::from(cached);
                    }
                }
            }
        }
        let launches = inner.pump(&mut shared);
        inner.tell_idle(&shared);
        drop(shared);
        launches.launch();
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // Aborted by a shutdown: nothing is reported, and the call runs again after the restart.
        if !self.over {
            let mut shared = self.inner.lock();
            if shared.generation == self.generation {
                shared.running -= 1;
                self.inner.tell_idle(&shared);
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
