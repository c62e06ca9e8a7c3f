//! Putting an engine together.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use durable_store::{Batch, Compacted, Error as StoreError, Options, RedbStore, Store};

use super::{
    Alive, Engine, WorkflowFn,
    error::OpenError,
    inner::{Inner, Parts, Settings},
    kept::MAX_KEPT_SNAPSHOTS,
    recover, retention,
    suspects::{self, Suspects},
    timers, watchdog,
};
use crate::{
    activity::{Activity, ActivityFn, States},
    clock::{Clock, SystemClock},
    codec::Codec,
    context::{Limits, MOST_BYTES},
    frame::{Frames, StandIn},
    message::MAX_MESSAGES,
    random::Random,
    registry::{Registration, Registry},
    testing::Mocks,
    workflow::RootWorkflow,
};

/// Between two tries to open a file that another process has open.
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// Two workers: while one commits, the other steps. With a third, which would have the processor while the first waits for the disk, a
/// commit waits for the processor instead: it was a tenth slower on two cores.
const WORKERS: usize = 2;

/// An engine that is being put together.
///
/// ```no_run
/// # async fn f() -> Result<(), durable_core::OpenError> {
/// struct Gateway;
/// let engine = durable_core::Engine::builder()
///     .path("orders.redb")
///     .state(Gateway)
///     .max_concurrent_activities(256)
///     .open()
///     .await?;
/// # Ok(()) }
/// ```
#[must_use = "an engine is opened by `.open().await`"]
pub struct EngineBuilder {
    pub(super) path: Option<PathBuf>,
    options: Options,
    /// How long the store's file may be another process's.
    wait_for_lock: Duration,
    suspects: Option<PathBuf>,
    pub(crate) store: Option<Arc<dyn Store>>,
    states: Arc<States>,
    registrations: Vec<Registration>,
    settings: Settings,
    pub(crate) mocks: Mocks,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Random,
    pub(crate) build: Option<u64>,
    pub(crate) stand_ins: Vec<StandIn>,
    /// A test moves its clock itself.
    pub(crate) manual_timers: bool,
}

impl std::fmt::Debug for EngineBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EngineBuilder").field("path", &self.path).finish_non_exhaustive()
    }
}

impl EngineBuilder {
    pub(crate) fn new() -> Self {
        EngineBuilder {
            path: None,
            options: Options::default(),
            wait_for_lock: Duration::ZERO,
            suspects: None,
            store: None,
            states: Arc::default(),
            registrations: Vec::new(),
            settings: Settings {
                max_concurrent_activities: 1_024,
                max_messages: MAX_MESSAGES,
                keep_snapshots: 0,
                limits: Limits::default(),
                retention: retention::DEFAULT_RETENTION,
                step_timeout: watchdog::STEP_TIMEOUT,
            },
            mocks: Mocks::default(),
            clock: Arc::new(SystemClock),
            random: Random::system(),
            build: None,
            stand_ins: Vec::new(),
            manual_timers: false,
        }
    }

    /// How long the store's file may be open in another process before that is an error: in a rolling deploy the new process waits until
    /// the old one has stopped. Default: not at all. It has no effect on a store given by [`store`](Self::store), and neither have the next four.
    pub fn wait_for_lock(mut self, longest: Duration) -> Self {
        self.wait_for_lock = longest;
        self
    }

    /// Whether a commit syncs twice. One sync protects against a loss of power; two also against somebody who chooses both what is
    /// stored and the moment of the loss. Default: no. `cargo bench --bench steps -- options` measures what it costs.
    pub fn two_phase_commit(mut self, on: bool) -> Self {
        self.options.two_phase = on;
        self
    }

    /// Whether an opening after a crash is as short as one after a clean stop, however large the store is. Default: no: after a crash amid
    /// small commits the file is read once, about 4 ms per megabyte. Each small commit costs a second sync then;
    /// `cargo bench --bench steps -- options` measures it.
    pub fn quick_repair(mut self, on: bool) -> Self {
        self.options.quick_repair = on;
        self
    }

    /// Whether every page of the file is checked while it is opened. Default: no: every record is checked when it is read, and only this finds
    /// damage that makes one unfindable. `cargo bench --bench steps -- options` measures what it costs.
    pub fn verify_at_open(mut self, on: bool) -> Self {
        self.options.verify = on;
        self
    }

    /// How much memory is used for pages of the file, in bytes. Default: 128 MiB.
    pub fn cache_bytes(mut self, most: usize) -> Self {
        self.options.cache_bytes = most;
        self
    }

    /// The store's file. Created if it is missing; its directory must exist.
    pub fn path(mut self, path: impl AsRef<Path>) -> Self {
        self.path = Some(path.as_ref().to_path_buf());
        self
    }

    /// A store of your own making, in place of a file: for instance one over a backend that fails
    /// on purpose, from `durable-store`'s feature `testing`.
    pub fn store(mut self, store: Arc<dyn Store>) -> Self {
        self.store = Some(store);
        self
    }

    /// A dependency of activities: they take it as `State<T>`. Another one of the same type replaces it.
    pub fn state<T: Send + Sync + 'static>(mut self, state: T) -> Self {
        self.states_mut().insert(state);
        self
    }

    /// A dependency that is shared with others.
    pub fn state_arc<T: ?Sized + Send + Sync + 'static>(mut self, state: Arc<T>) -> Self {
        self.states_mut().insert_arc(state);
        self
    }

    /// At most so many attempts run at once. Default: 1,024.
    pub fn max_concurrent_activities(mut self, most: usize) -> Self {
        self.settings.max_concurrent_activities = most.max(1);
        self
    }

    /// How long instances are kept after their end. So long their results and histories can be read, and their ids are taken. Default: 7 days.
    ///
    /// It counts for all that have ended, also before this opening. What has passed is removed within minutes of it.
    pub fn retention(mut self, retention: Duration) -> Self {
        self.settings.retention = retention;
        self
    }

    /// So many earlier snapshots are kept of each instance, of its last steps: it can be [forked](crate::WorkflowHandle::fork_at) at one of
    /// these steps and [rewound](crate::WorkflowHandle::rewind_to) to it. Default: 0; at most [`MAX_KEPT_SNAPSHOTS`](crate::MAX_KEPT_SNAPSHOTS).
    ///
    /// Each is kept in the transaction of its step, and stays until the instance's retention passes. A step with more than some 70 operations
    /// open, or whose snapshot has more than 8 MiB, is not kept. What it costs is in `docs/operations.md`.
    pub fn keep_snapshots(mut self, most: u32) -> Self {
        self.settings.keep_snapshots = most.min(MAX_KEPT_SNAPSHOTS);
        self
    }

    /// At most so many messages wait for one instance; one more is refused with [`SignalError::Full`](crate::SignalError::Full).
    /// Default: 100,000.
    pub fn max_messages(mut self, most: u32) -> Self {
        self.settings.max_messages = most.max(1);
        self
    }

    /// A message, an answer to an update or a published value has at most so many bytes as it is written; a larger one is refused with
    /// [`SignalError::TooLarge`](crate::SignalError::TooLarge), or parks the workflow that gave it. Default: 100 MiB; at most 1 GiB.
    pub fn max_message_bytes(mut self, most: usize) -> Self {
        self.settings.limits.message_bytes = most.clamp(1, MOST_BYTES);
        self
    }

    /// At most so many operations of one instance are open at once: activities, timers, children, what is spawned or was pushed as a
    /// compensation, with those whose result nobody has awaited yet. One more parks the instance. Default: 100,000.
    pub fn max_operations(mut self, most: usize) -> Self {
        self.settings.limits.operations = most.max(1);
        self
    }

    /// The snapshot of one workflow function has at most so many bytes; a larger one parks the instance where it stood before. Default:
    /// 512 MiB; at most 1 GiB.
    pub fn max_snapshot_bytes(mut self, most: usize) -> Self {
        self.settings.limits.snapshot_bytes = most.clamp(1, MOST_BYTES);
        self
    }

    /// A step that takes longer is reported: in the log, by [`describe`](crate::WorkflowHandle::describe) and by [`list`](Engine::list). Another
    /// thread takes the place of the one that makes it, so that other instances go on. If the step ends after all, it counts. Default: 10 s;
    /// at least 100 ms.
    ///
    /// A step is what a workflow does between two awaits. It should take microseconds; what takes longer belongs into an activity.
    pub fn step_timeout(mut self, longest: Duration) -> Self {
        self.settings.step_timeout = longest.max(Duration::from_millis(100));
        self
    }

    /// Where it is noted which instances are being stepped, so that one which takes the process down is found out and parked. Default: beside the
    /// store's file, under its name with `.suspects` appended; none for a store that has no [`path`](Self::path).
    ///
    /// It is small, is never synced, and goes at a clean stop. While no engine runs it may be deleted.
    pub fn suspects_file(mut self, path: impl AsRef<Path>) -> Self {
        self.suspects = Some(path.as_ref().to_path_buf());
        self
    }

    /// Makes a workflow known. Needed only where linked items do not register themselves.
    pub fn register<P, F: WorkflowFn<P, Workflow: RootWorkflow>>(mut self, workflow: F) -> Self {
        let _ = workflow;
        self.registrations.push(F::Workflow::REGISTRATION);
        self
    }

    /// Makes an activity known. Needed only where linked items do not register themselves.
    pub fn register_activity<P, F: ActivityFn<P>>(mut self, activity: F) -> Self
    where
        F::Activity: Activity,
    {
        let _ = activity;
        self.registrations.push(Registration::activity::<F::Activity>());
        self
    }

    fn states_mut(&mut self) -> &mut States {
        Arc::get_mut(&mut self.states).expect("a builder shares its states only once it is complete")
    }

    /// Another builder of the same engine.
    pub(crate) fn again(&self) -> Self {
        EngineBuilder {
            path: self.path.clone(),
            options: self.options.clone(),
            wait_for_lock: self.wait_for_lock,
            suspects: self.suspects.clone(),
            states: self.states.clone(),
            registrations: self.registrations.clone(),
            settings: self.settings.clone(),
            ..EngineBuilder::new()
        }
    }

    /// Opens the store and takes up what was going on in it.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open(mut self) -> Result<Engine, OpenError> {
        let runtime = tokio::runtime::Handle::try_current().map_err(|_| OpenError::NoRuntime)?;
        let registry = self.registry()?;
        let manual_timers = self.manual_timers;
        let opening = runtime.clone();
        let inner = runtime
            .spawn_blocking(move || {
                let store = self.open_store()?;
                let inner = Arc::new(self.assemble(store, registry, opening)?);
                inner.save_program()?;
                suspects::judge(&inner);
                Ok::<_, OpenError>(inner)
            })
            .await
            .map_err(|_| OpenError::NoRuntime)??;
        let engine = start(inner)?;
        if !manual_timers {
            runtime.spawn(timers::run(Arc::downgrade(&engine.inner)));
            runtime.spawn(retention::run(Arc::downgrade(&engine.inner)));
        }
        Ok(engine)
    }

    /// Gives the store's free room back to the file system, without starting an engine: the file is open here alone meanwhile, for about
    /// as long as it takes to write it anew. A crash in the middle leaves the contents as they are.
    /// [`Engine::disk_usage`] says beforehand how much is free.
    ///
    /// Room that closed instances leave is used again by later ones, so a store with steady traffic needs none of this. It is for one
    /// that has become much smaller for good.
    ///
    /// ```no_run
    /// # async fn maintain() -> Result<(), durable_core::OpenError> {
    /// let compacted = durable_core::Engine::builder().path("orders.redb").compact().await?;
    /// println!("{} bytes, {} fewer", compacted.after_bytes, compacted.given_back_bytes());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`open`](Self::open): [`OpenError::Store`] if another process has the file open, or it can't be written.
    pub async fn compact(mut self) -> Result<Compacted, OpenError> {
        let runtime = tokio::runtime::Handle::try_current().map_err(|_| OpenError::NoRuntime)?;
        let compacted = runtime.spawn_blocking(move || {
            let store = self.open_store()?;
            Ok::<_, OpenError>(store.compact()?)
        });
        compacted.await.map_err(|_| OpenError::NoRuntime)?
    }

    /// Opens the store and starts nothing: the engine moves when it is told to.
    #[cfg(feature = "simulation")]
    pub(super) fn open_by_hand(mut self, runtime: tokio::runtime::Handle) -> Result<Engine, OpenError> {
        let registry = self.registry()?;
        let store = self.open_store()?;
        let mut inner = self.assemble(store, registry, runtime)?;
        // How fast the machine is must decide nothing.
        inner.slice = std::time::Duration::from_secs(3600);
        inner.quick = std::time::Duration::ZERO;
        let inner = Arc::new(inner);
        inner.save_program()?;
        inner.lock().recovering = true;
        Ok(of_inner(inner))
    }

    /// The items that this build has.
    pub(super) fn registry(&self) -> Result<Registry, OpenError> {
        let mut registry = Registry::collect(&self.registrations).map_err(|duplicate| {
            OpenError::Duplicate { name: duplicate.name, first: duplicate.first, second: duplicate.second }
        })?;
        registry.stand_in(&self.stand_ins);
        Ok(registry)
    }

    fn open_store(&mut self) -> Result<Arc<dyn Store>, OpenError> {
        if let Some(store) = self.store.take() {
            return Ok(store);
        }
        let path = self.path.as_ref().ok_or(OpenError::NoStore)?;
        let beside = || {
            let mut beside = path.clone().into_os_string();
            beside.push(".suspects");
            PathBuf::from(beside)
        };
        self.suspects.get_or_insert_with(beside);
        let mut left = self.wait_for_lock;
        loop {
            match RedbStore::open_with(path, self.options.clone()) {
                Err(StoreError::Locked { .. }) if !left.is_zero() => {
                    let pause = LOCK_PAUSE.min(left);
                    std::thread::sleep(pause);
                    left -= pause;
                }
                opened => return Ok(Arc::new(opened?)),
            }
        }
    }

    pub(super) fn assemble(
        self,
        store: Arc<dyn Store>,
        registry: Registry,
        runtime: tokio::runtime::Handle,
    ) -> Result<Inner, OpenError> {
        let build = match self.build {
            Some(build) => build,
            None => crate::build::id().map_err(OpenError::Build)?,
        };
        let layouts = store.clone();
        let source = Box::new(move |id| layouts.layout(id).ok().flatten());
        // The store is open, and so nobody else has the file.
        let suspects = Suspects::at(self.suspects.as_deref(), build);
        let parts = Parts {
            store,
            codec: Arc::new(Codec::new()),
            frames: Arc::new(Frames::new(source, self.stand_ins)),
            registry,
            states: self.states,
            mocks: self.mocks,
            clock: self.clock,
            random: self.random,
            settings: self.settings,
            suspects,
            build,
        };
        Ok(Inner::new(parts, runtime))
    }
}

/// Starts the workers and the recovery.
fn start(inner: Arc<Inner>) -> Result<Engine, OpenError> {
    inner.lock().recovering = true;
    let Engine { inner, alive } = of_inner(inner);
    let spawn = |name: &str, run: Box<dyn FnOnce() + Send>| {
        let thread = std::thread::Builder::new().name(name.into()).spawn(run).map_err(OpenError::Thread)?;
        alive.threads.lock().expect("no code panics while it holds this lock").push(thread);
        Ok::<_, OpenError>(())
    };
    for _ in 0..WORKERS {
        inner.lanes.hire(&inner, None).map_err(OpenError::Thread)?;
    }
    let watched = inner.clone();
    spawn("durable-watchdog", Box::new(move || watchdog::run(&watched)))?;
    let recovering = inner.clone();
    spawn("durable-recovery", Box::new(move || recover::at_start(&recovering)))?;
    Ok(Engine { inner, alive })
}

/// An engine without threads.
fn of_inner(inner: Arc<Inner>) -> Engine {
    let alive = Arc::new(Alive {
        inner: inner.clone(),
        threads: std::sync::Mutex::default(),
        closed: std::sync::Mutex::default(),
    });
    // Nobody else has it yet, so it is not set.
    let _ = inner.alive.set(Arc::downgrade(&alive));
    Engine { inner, alive }
}

impl Inner {
    /// Stores what this build is made of, if the store has not seen it.
    fn save_program(&self) -> Result<(), OpenError> {
        if self.store.program(self.build)?.is_some() {
            return Ok(());
        }
        let bytes = postcard::to_stdvec(&*self.program).expect("the engine's own records always encode");
        let batch = Batch { programs: vec![(self.build, bytes)], ..Batch::default() };
        Ok(self.store.commit(&batch)?)
    }
}
