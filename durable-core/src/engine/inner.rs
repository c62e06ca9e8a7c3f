//! The engine's shared state: what is in memory of the instances that have something going on.
//!
//! Invariants:
//! - An instance has at most one uncommitted transition: while it is `busy`, what happens to it
//!   waits in its inbox.
//! - What is in memory can be lost at any time; the store alone says what an instance is.
//! - An instance that only waits for timers or messages is not in memory at all.
//!
//! Nothing in here blocks while it holds the lock, and no user code runs under it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, OnceLock,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use durable_store::{Error as StoreError, Instance, Number, Slot, Store};
use smallvec::SmallVec;
use tokio::sync::{Notify, oneshot};

use super::{
    Alive,
    advance::Event,
    attempt::{Attempts, Finished, QUICK, Queued, QueuedInMemory, SLICE},
    cached::Cached,
    error::EngineError,
    machine::Programs,
    mail::Sender,
    retention::PassedOver,
    start::StartRequest,
    state::Loaded,
    suspects::Suspects,
    timers::Timers,
    watchdog::Lanes,
};
use crate::{
    activity::States,
    clock::Clock,
    codec::Codec,
    context::{Limits, NewInstance, NewOperation},
    frame::Frames,
    hashing::ByNumber,
    program::Program,
    random::Random,
    registry::Registry,
    testing::Mocks,
};

/// What an engine was told when it was built.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) max_concurrent_activities: usize,
    /// How long closed instances are kept.
    pub(crate) retention: std::time::Duration,
    pub(crate) max_messages: u32,
    /// So many earlier snapshots are kept of an instance.
    pub(crate) keep_snapshots: u32,
    /// What one instance may grow to.
    pub(crate) limits: Limits,
    /// A step that takes longer is reported.
    pub(crate) step_timeout: std::time::Duration,
}

/// The engine.
pub(crate) struct Inner {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) codec: Arc<Codec>,
    pub(crate) frames: Arc<Frames>,
    pub(crate) registry: Registry,
    pub(crate) states: Arc<States>,
    pub(crate) mocks: Mocks,
    pub(crate) clock: Arc<dyn Clock>,
    /// The same as attempts read it at a heartbeat.
    pub(crate) beat_clock: Arc<dyn Fn() -> u64 + Send + Sync>,
    pub(crate) random: Arc<Random>,
    pub(crate) settings: Settings,
    pub(crate) build: u64,
    pub(crate) program: Arc<Program>,
    pub(super) programs: Mutex<Programs>,
    pub(crate) runtime: tokio::runtime::Handle,
    pub(crate) shared: Mutex<Shared>,
    /// Wakes the workers.
    pub(crate) work: Condvar,
    /// A hint to a worker that is about to sleep; what counts is under the lock.
    pub(crate) has_work: AtomicBool,
    /// How long one task goes on beginning attempts.
    pub(super) slice: Duration,
    /// An attempt that ends sooner is polled by a worker next time.
    pub(super) quick: Duration,
    /// Workers that stay awake for a moment and look for work before they sleep.
    pub(crate) lingering: AtomicUsize,
    /// Attempts that have ended. Locked under the engine's lock or without it, never around it.
    pub(super) finished: Mutex<Vec<Finished>>,
    /// Others wait for the place of an attempt that ends.
    pub(super) crowded: AtomicBool,
    /// Held by the worker whose batch is being committed.
    pub(crate) commit: Mutex<Unsaved>,
    /// Wakes the timer task when the earliest deadline has changed.
    pub(crate) timers_changed: Arc<Notify>,
    /// Told when nothing is left to do but to wait.
    pub(crate) idle: Notify,
    /// The handle that keeps the threads alive, for attempts that ask for their engine.
    pub(crate) alive: OnceLock<std::sync::Weak<Alive>>,
    /// The workers, and what each of them steps.
    pub(super) lanes: Lanes,
    /// Who may take the process down.
    pub(super) suspects: Suspects,
    /// Workflows whose large snapshots were warned about.
    pub(crate) warned: Mutex<std::collections::HashSet<String>>,
    /// Closed instances that began in the future, as far as that is known.
    pub(super) passed_over: PassedOver,
    next_number: AtomicU64,
    next_seq: AtomicU64,
    /// Commits made, for people and benchmarks.
    pub(crate) commits: AtomicU64,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

/// Layout rows that were taken for a commit that failed: the next one takes them along.
#[derive(Debug, Default)]
pub(crate) struct Unsaved {
    pub(crate) layouts: Vec<(u64, Vec<u8>)>,
}

/// What is guarded by the one lock.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) live: HashMap<Slot, Live, ByNumber>,
    pub(crate) ready: VecDeque<Slot>,
    pub(crate) starts: VecDeque<StartRequest>,
    /// Ids that are being started, with the requests that came meanwhile.
    pub(crate) starting: HashMap<String, Vec<StartRequest>>,
    /// Those that wait for the end of a run that has their id.
    pub(crate) starts_after: HashMap<Number, Vec<StartRequest>>,
    pub(crate) busy: usize,
    pub(crate) cached: Cached,
    pub(crate) queue: VecDeque<Queued>,
    /// What those keep in memory that wait in it, or for the place of another call of their activity.
    pub(crate) queued: QueuedInMemory,
    pub(crate) limited: HashMap<&'static str, Limited>,
    pub(crate) running: usize,
    pub(crate) timers: Timers,
    /// Attempts that nobody waits for any more and that still run.
    pub(crate) leaving: super::attempt::Leaving,
    /// Attempts that wait out a back-off: when, and whose.
    pub(crate) backoffs: BTreeSet<(u64, Slot, Number, u64)>,
    pub(crate) watchers: HashMap<Number, Vec<oneshot::Sender<()>>, ByNumber>,
    /// Callers that wait for the answer to an update: the run, and the update's number as a message.
    pub(crate) callers: BTreeMap<(Number, u64), Vec<Sender>>,
    /// Counts the reopenings: what began before one no longer counts after it.
    pub(crate) generation: u64,
    pub(crate) recovering: bool,
    /// Why the store answers nothing. A worker opens it again.
    pub(crate) broken: Option<String>,
    /// The same of its last failure, also when it was opened again.
    pub(crate) failure: String,
    /// A worker is at it.
    pub(crate) reopening: bool,
    pub(crate) stopping: Stopping,
    /// Workers that sleep, and how many of them were woken and are not up yet.
    pub(crate) asleep: usize,
    pub(crate) woken: usize,
    /// Memory for the attempts that are taken in next.
    pub(super) taken_in: Vec<Finished>,
}

/// So many instances are read at once when one of them is damaged.
const AMONG_DAMAGED: usize = 8;

/// How far a shutdown is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stopping {
    #[default]
    No,
    /// No new attempts begin; what ends is still committed.
    Draining,
    /// The workers end.
    Now,
}

/// An instance with something going on.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) number: Number,
    /// Nearly always one event at most.
    pub(crate) inbox: SmallVec<[Event; 1]>,
    pub(crate) queued: bool,
    pub(crate) busy: bool,
    pub(crate) cached: Option<Box<Loaded>>,
    pub(crate) attempts: Attempts,
}

/// An activity with a limit of its own.
#[derive(Debug, Default)]
pub(crate) struct Limited {
    pub(crate) running: usize,
    pub(crate) waiting: VecDeque<Queued>,
}

impl Shared {
    /// What is in memory of a run. Nothing if a later one has its slot: then it has closed.
    ///
    /// What is there of an earlier run is what came for it after its end, and must not hide this one. A worker that has just taken it
    /// finds no such run in the store, and leaves it at that.
    pub(crate) fn live(&mut self, slot: Slot, number: Number) -> Option<&mut Live> {
        let live = self.live.entry(slot).or_insert_with(|| Live::new(number));
        if live.number < number {
            // It stands in the queue only once.
            let of_later = Live { queued: live.queued, ..Live::new(number) };
            let left = std::mem::replace(live, of_later);
            self.busy -= usize::from(left.busy);
            self.cached.without(left.cached.as_deref());
            for event in left.inbox {
                event.refuse(EngineError::Closed { id: String::new() });
            }
        }
        (live.number == number).then_some(live)
    }
}

impl Shared {
    /// Whether a run is in memory as its last commit left it. If so it has not ended, and whoever waits for its end is told.
    pub(crate) fn has_at_rest(&self, slot: Slot, number: Number) -> bool {
        let live = self.live.get(&slot).filter(|live| live.number == number);
        self.stopping == Stopping::No && live.is_some_and(|live| live.cached.is_some())
    }
}

impl Live {
    pub(crate) fn new(number: Number) -> Self {
        Live {
            number,
            inbox: SmallVec::new(),
            queued: false,
            busy: false,
            cached: None,
            attempts: Attempts::default(),
        }
    }
}

/// The parts that a builder puts together.
pub(crate) struct Parts {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) codec: Arc<Codec>,
    pub(crate) frames: Arc<Frames>,
    pub(crate) registry: Registry,
    pub(crate) states: Arc<States>,
    pub(crate) mocks: Mocks,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Random,
    pub(crate) settings: Settings,
    pub(super) suspects: Suspects,
    pub(crate) build: u64,
}

impl Inner {
    pub(crate) fn new(parts: Parts, runtime: tokio::runtime::Handle) -> Self {
        // Every opening numbers its instances from a range of its own.
        let first_number = parts.store.epoch() << 32;
        let first_seq = parts.store.epoch() << 40;
        let clock = parts.clock.clone();
        // What a test sees must not depend on how fast the machine is: there, the user's runtime alone decides who goes first.
        let quick = if parts.mocks.is_testing() { Duration::ZERO } else { QUICK };
        Inner {
            program: Arc::new(Program::of(&parts.registry)),
            programs: Mutex::default(),
            store: parts.store,
            codec: parts.codec,
            frames: parts.frames,
            registry: parts.registry,
            states: parts.states,
            mocks: parts.mocks,
            clock: parts.clock,
            beat_clock: Arc::new(move || clock.now_ms()),
            random: Arc::new(parts.random),
            lanes: Lanes::new(parts.settings.step_timeout),
            suspects: parts.suspects,
            settings: parts.settings,
            build: parts.build,
            runtime,
            shared: Mutex::default(),
            work: Condvar::new(),
            has_work: AtomicBool::new(false),
            slice: SLICE,
            quick,
            lingering: AtomicUsize::new(0),
            finished: Mutex::default(),
            crowded: AtomicBool::new(false),
            commit: Mutex::default(),
            timers_changed: Arc::default(),
            idle: Notify::new(),
            alive: OnceLock::new(),
            warned: Mutex::default(),
            passed_over: PassedOver::default(),
            next_number: AtomicU64::new(first_number),
            next_seq: AtomicU64::new(first_seq),
            commits: AtomicU64::new(0),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().expect("no code panics while it holds the engine's lock")
    }

    /// Asks the store something. If that shows that the store has stopped, a worker opens it again:
    /// whoever meets the error first, nobody must wait for a commit to meet it too.
    pub(crate) fn ask<T>(
        &self,
        question: impl FnOnce(&dyn Store) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let generation = self.lock().generation;
        question(&*self.store).inspect_err(|error| {
            if matches!(error, StoreError::Io { .. } | StoreError::Poisoned { .. }) {
                self.store_failed(generation, error);
            }
        })
    }

    /// Reads instances: fewer than were asked for if they are large. One whose record is damaged stays where it is, and is missing here.
    pub(crate) fn instances(&self, slots: &[Slot]) -> Result<Vec<Option<Instance>>, StoreError> {
        match self.ask(|store| store.instances(slots)) {
            Err(StoreError::DamagedRecord { .. }) => {}
            instances => return instances,
        }
        let read = |slot: &Slot| match self.ask(|store| store.instance(*slot)) {
            Err(error @ StoreError::DamagedRecord { .. }) => {
                self.report(&error.to_string());
                Ok(None)
            }
            read => read,
        };
        // Each may be of any size, and this is the rare case: a few at a time.
        slots.iter().take(AMONG_DAMAGED).map(read).collect()
    }

    /// Has the store opened again, unless that has happened since `generation`.
    pub(crate) fn store_failed(&self, generation: u64, error: &StoreError) {
        let mut shared = self.lock();
        if shared.generation != generation || shared.stopping == Stopping::Now {
            // What stopped the store may be reported after what only follows from it.
            if shared.broken.is_some() && matches!(error, StoreError::Io { .. }) {
                shared.failure = why(error);
                shared.broken = Some(shared.failure.clone());
            }
            return;
        }
        shared.generation += 1;
        shared.failure = why(error);
        shared.broken = Some(shared.failure.clone());
        // A shutdown does not wait for what is forgotten now.
        self.tell_idle(&shared);
        drop(shared);
        self.report(&format!("the store failed: {error}"));
        self.work.notify_all();
        self.timers_changed.notify_one();
    }

    pub(crate) fn next_number(&self) -> Number {
        Number(self.next_number.fetch_add(1, Ordering::Relaxed))
    }

    /// Numbers what happens to instances: for each of them, in the order in which it is committed.
    pub(crate) fn next_seq(&self) -> u64 {
        self.next_seq.fetch_add(1, Ordering::Relaxed)
    }

    /// A stored instance with its operations, those in rows of their own included.
    pub(crate) fn load(&self, slot: Slot, instance: Instance) -> Result<Loaded, String> {
        let mut loaded = Loaded::read(instance)?;
        if loaded.state.operations.has_rows() {
            let rows = self.ask(|store| store.operations(slot)).map_err(|error| unread(&loaded, &error))?;
            for row in rows {
                let operation = postcard::from_bytes(&row.bytes).map_err(|error| unread(&loaded, &error))?;
                loaded.state.operations.add_row(operation);
            }
        }
        Ok(loaded)
    }

    /// A call that a workflow makes, or arms as a compensation, as it is stored: its arguments have the names of its parameters. One that
    /// has them stays as it is.
    pub(crate) fn named(&self, operation: NewOperation) -> NewOperation {
        match operation {
            NewOperation::Activity { name, args, options } => {
                let entry = self.registry.activities.get(&*name);
                let names = entry.map_or(&[][..], |entry| entry.meta.args);
                NewOperation::Activity { name, args: self.frames.store_args(names, args), options }
            }
            NewOperation::Task { workflow, args } => {
                let args = self.stored_args(&workflow, args);
                NewOperation::Task { workflow, args }
            }
            NewOperation::Child(new) => NewOperation::Child(self.named_instance(new)),
            NewOperation::Start(new) => NewOperation::Start(self.named_instance(new)),
            NewOperation::Compensation { frame, finally, call } => {
                NewOperation::Compensation { frame, finally, call: Box::new(self.named(*call)) }
            }
            other => other,
        }
    }

    fn named_instance(&self, new: NewInstance) -> NewInstance {
        NewInstance { args: self.stored_args(&new.workflow, new.args), ..new }
    }

    /// The arguments of a workflow that begins, with the names of its parameters.
    pub(crate) fn stored_args(&self, workflow: &str, args: crate::codec::Encoded) -> crate::codec::Encoded {
        match self.registry.workflows.get(workflow) {
            Some(entry) => self.frames.store_args(entry.meta.args, args),
            None => args,
        }
    }

    /// Puts an event into an instance's inbox and makes the instance ready.
    pub(crate) fn post(&self, shared: &mut Shared, slot: Slot, number: Number, event: Event) {
        if shared.stopping == Stopping::Now || shared.broken.is_some() {
            return;
        }
        let Some(live) = shared.live(slot, number) else { return };
        live.inbox.push(event);
        if !live.busy && !live.queued {
            live.queued = true;
            shared.ready.push_back(slot);
            self.wake_worker(shared);
        }
    }

    /// There is something to step or to start.
    ///
    /// A thread is woken by a system call, so nobody is who is awake: a worker looks for work under the lock before it sleeps.
    pub(crate) fn wake_worker(&self, shared: &mut Shared) {
        self.has_work.store(true, Ordering::Relaxed);
        let is_enough = self.lingering.load(Ordering::Relaxed) > 0 && shared.ready.len() <= 1;
        if shared.woken < shared.asleep && !is_enough {
            shared.woken += 1;
            self.work.notify_one();
        }
    }

    /// After an instance's transition was committed, or came to nothing.
    pub(crate) fn settle_live(&self, shared: &mut Shared, slot: Slot, loaded: Option<Box<Loaded>>) {
        let Some(live) = shared.live.get_mut(&slot) else { return };
        shared.busy -= usize::from(std::mem::take(&mut live.busy));
        if !live.inbox.is_empty() {
            live.queued = true;
            shared.ready.push_back(slot);
            live.cached = loaded.filter(|loaded| shared.cached.has_room(loaded));
            return self.wake_worker(shared);
        } else if live.attempts.is_empty() {
            shared.live.remove(&slot);
            return;
        }
        live.cached = loaded.filter(|loaded| shared.cached.has_room(loaded));
    }

    /// Whether nothing is left to do but to wait for a deadline or a caller.
    pub(crate) fn is_idle(&self, shared: &Shared) -> bool {
        shared.ready.is_empty()
            && shared.starts.is_empty()
            && shared.busy == 0
            && shared.running == self.clock.asleep()
            && !self.clock.is_waking()
            && (shared.queue.is_empty()
                || shared.stopping != Stopping::No
                || shared.running >= self.settings.max_concurrent_activities)
            && !shared.recovering
            && shared.broken.is_none()
    }

    /// Whether nothing is left that a shutdown waits for.
    pub(crate) fn is_drained(&self, shared: &Shared) -> bool {
        let drained =
            shared.running == 0 && shared.busy == 0 && shared.ready.is_empty() && shared.starts.is_empty();
        // An attempt that waits for a test's clock waits for ever: nobody moves it meanwhile.
        drained || shared.broken.is_some() || (self.mocks.is_testing() && self.is_idle(shared))
    }

    pub(crate) fn tell_idle(&self, shared: &Shared) {
        if self.is_idle(shared) || (shared.stopping != Stopping::No && self.is_drained(shared)) {
            self.idle.notify_waiters();
        }
    }

    /// The error that callers get while the engine can't work.
    #[allow(clippy::unused_self)] // reads as the engine's answer
    pub(crate) fn refuse(&self, shared: &Shared) -> Result<(), EngineError> {
        if shared.stopping != Stopping::No {
            return Err(EngineError::Stopped);
        }
        match &shared.broken {
            Some(reason) => Err(EngineError::Broken { reason: reason.clone() }),
            None => Ok(()),
        }
    }
}

/// Why a store failed: the first error, and not those that follow from it.
pub(super) fn why(error: &StoreError) -> String {
    match error {
        StoreError::Poisoned { reason } => reason.clone(),
        error => error.to_string(),
    }
}

fn unread(loaded: &Loaded, error: &dyn std::fmt::Display) -> String {
    format!("the operations of instance `{}` can't be read: {error}", loaded.id)
}
