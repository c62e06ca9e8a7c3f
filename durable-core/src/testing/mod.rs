//! Tests for users: an engine in memory with a virtual clock, mocks of activities, and crashes.
//!
//! The clock stands still while there is work to do. It skips to the next deadline only inside
//! [`advance`](TestEngine::advance) and while a test awaits a `result()`; there, what would be a hang
//! (a parked instance, an instance that nothing will ever move, 1,000 attempts of one call) is an error.
//!
//! ```
//! use durable_core::testing;
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! let engine = testing::engine().open().await;
//! assert!(engine.list(durable_core::Filter::new()).await.unwrap().is_empty());
//! # }
//! ```

pub(crate) mod clock;
mod crash;
mod lock;
mod mock;

use std::{
    future::{Future, IntoFuture},
    ops::Deref,
    pin::{Pin, pin},
    sync::{
        Arc, OnceLock, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    task::Poll,
    time::{Duration, SystemTime},
};

use durable_store::{Batch, Error as StoreError, Layer, MemoryImage, RedbStore, Store};
use tokio::sync::oneshot;

pub use self::crash::{CrashReport, CrashTest, crash_at_every_step};
pub use self::lock::lock_file;
pub(crate) use self::mock::Mocks;
pub use self::mock::{Calls, Mock, mock};
pub use crate::activity::{UnitCall, call};
use crate::{
    activity::{Activity, ActivityFn},
    clock::{Clock as _, from_ms},
    engine::{Engine, EngineBuilder, Exported, RunError, WorkflowFn, inner::Inner},
    frame::StandIn,
    random::Random,
};
use clock::VirtualClock;

/// How often a test makes way for the attempts of an engine that was killed.
const LAST_MOVES: usize = 100_000;

/// A test's engine begins at this time: 2030-01-01 00:00 UTC.
const START_MS: u64 = 1_893_456_000_000;

/// The builder of an engine in memory with a virtual clock.
pub fn engine() -> TestBuilder {
    let clock = Arc::new(VirtualClock::new(START_MS));
    TestBuilder {
        plan: Plan {
            builder: EngineBuilder::new(),
            mocks: Mocks::testing(),
            clock,
            seed: 0,
            build: 1,
            stand_ins: Vec::new(),
            openings: Arc::default(),
        },
        image: MemoryImage::new(),
        timed: false,
    }
}

/// An engine in memory with an instance in it that was [exported](crate::WorkflowHandle::export): the regression test of what went wrong
/// elsewhere. `testing::engine().mock(..).resume(exported)` is the same with mocks.
///
/// ```ignore
/// let engine = testing::resume(include_str!("order-1042.json")).await;
/// assert_eq!(engine.handle("order-1042").of(fulfil).result().await?.total, 90);
/// ```
///
/// # Panics
/// As [`TestBuilder::resume`].
pub async fn resume(exported: impl Into<Exported>) -> TestEngine {
    engine().resume(exported).await
}

/// How to make an engine, as often as a test wants.
pub(crate) struct Plan {
    builder: EngineBuilder,
    mocks: Mocks,
    pub(crate) clock: Arc<VirtualClock>,
    seed: u64,
    build: u64,
    stand_ins: Vec<StandIn>,
    /// How often an engine was made of it; of the plan alone, so that a seed repeats.
    openings: Arc<AtomicU64>,
}

impl Plan {
    /// A builder like the one that the test described, over `store`.
    pub(crate) fn builder(&self, store: Arc<dyn durable_store::Store>) -> EngineBuilder {
        let mut builder = self.builder.again();
        builder.store = Some(store);
        self.mocks.set_clock(&self.clock);
        builder.mocks = self.mocks.clone();
        builder.clock = self.clock.clone();
        // Another opening draws other keys, as it would with real random numbers.
        builder.random =
            Random::seeded(self.seed ^ self.openings.fetch_add(1, Ordering::Relaxed).rotate_left(32));
        builder.build = Some(self.build);
        builder.stand_ins.clone_from(&self.stand_ins);
        builder.manual_timers = true;
        builder
    }
}

/// Puts a test's engine together.
#[must_use = "an engine is opened by `.open().await`"]
pub struct TestBuilder {
    pub(crate) plan: Plan,
    image: MemoryImage,
    /// The clock starts at a time of the test's own.
    timed: bool,
}

impl std::fmt::Debug for TestBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TestBuilder").finish_non_exhaustive()
    }
}

impl TestBuilder {
    /// Replaces an activity by a script.
    pub fn mock<A: Activity, P>(self, mock: Mock<A, P>) -> Self {
        self.plan.mocks.add(mock);
        self
    }

    /// A dependency of activities.
    pub fn state<T: Send + Sync + 'static>(mut self, state: T) -> Self {
        self.plan.builder = self.plan.builder.state(state);
        self
    }

    /// A dependency that is shared with the test.
    pub fn state_arc<T: ?Sized + Send + Sync + 'static>(mut self, state: Arc<T>) -> Self {
        self.plan.builder = self.plan.builder.state_arc(state);
        self
    }

    /// At most so many attempts run at once.
    pub fn max_concurrent_activities(mut self, most: usize) -> Self {
        self.plan.builder = self.plan.builder.max_concurrent_activities(most);
        self
    }

    /// See [`EngineBuilder::retention`]. Here it passes while the test moves the clock, and not while the clock skips.
    pub fn retention(mut self, retention: Duration) -> Self {
        self.plan.builder = self.plan.builder.retention(retention);
        self
    }

    /// See [`EngineBuilder::keep_snapshots`].
    pub fn keep_snapshots(mut self, most: u32) -> Self {
        self.plan.builder = self.plan.builder.keep_snapshots(most);
        self
    }

    /// At most so many messages wait for one instance.
    pub fn max_messages(mut self, most: u32) -> Self {
        self.plan.builder = self.plan.builder.max_messages(most);
        self
    }

    /// See [`EngineBuilder::max_message_bytes`].
    pub fn max_message_bytes(mut self, most: usize) -> Self {
        self.plan.builder = self.plan.builder.max_message_bytes(most);
        self
    }

    /// See [`EngineBuilder::max_operations`].
    pub fn max_operations(mut self, most: usize) -> Self {
        self.plan.builder = self.plan.builder.max_operations(most);
        self
    }

    /// See [`EngineBuilder::max_snapshot_bytes`].
    pub fn max_snapshot_bytes(mut self, most: usize) -> Self {
        self.plan.builder = self.plan.builder.max_snapshot_bytes(most);
        self
    }

    /// The seed of jitter and keys. Default: 0.
    pub fn seed(mut self, seed: u64) -> Self {
        self.plan.seed = seed;
        self
    }

    /// Pretends to be another build of the program: parked instances are tried again. Default: 1.
    pub fn build(mut self, build: u64) -> Self {
        self.plan.build = build;
        self
    }

    /// Workflow `new` reads what was started as `old`, by their stored names: [`TestEngine::deploy`] for whoever has many of them.
    #[doc(hidden)]
    pub fn stand_in(mut self, old: &'static str, new: &'static str) -> Self {
        self.plan.stand_ins.push(StandIn { old, new });
        self
    }

    /// The store's bytes, to be shared by several engines one after another.
    pub fn image(mut self, image: &MemoryImage) -> Self {
        self.image = image.clone();
        self
    }

    /// The time at which the clock starts. Default: 2030-01-01 00:00 UTC.
    pub fn starting_at(mut self, time: SystemTime) -> Self {
        self.plan.clock = Arc::new(VirtualClock::new(crate::clock::to_ms(time)));
        self.timed = true;
        self
    }

    /// Opens the engine with an exported instance in it, which goes on as [`Engine::import`] says. Unless the test sets the clock, it stands at the
    /// time of the export, so that what the instance waits for is as far away as it was.
    ///
    /// # Panics
    /// If the engine can't be opened or the instance not be imported: a test has nothing to go on with.
    pub async fn resume(mut self, exported: impl Into<Exported>) -> TestEngine {
        let exported = exported.into();
        if let Some(exported_ms) = exported.exported_ms().filter(|_| !self.timed) {
            self.plan.clock = Arc::new(VirtualClock::new(exported_ms));
        }
        let engine = self.open().await;
        let imported = engine.import(exported).await;
        imported.unwrap_or_else(|error| panic!("the exported instance: {error}"));
        engine
    }

    /// Opens the engine.
    ///
    /// # Panics
    /// If it can't be opened: a test has nothing to go on with.
    pub async fn open(self) -> TestEngine {
        let TestBuilder { plan, image, .. } = self;
        let first = open(&plan, image).await;
        TestEngine { plan: Arc::new(plan), first: Arc::new(first) }
    }
}

async fn open(plan: &Plan, image: MemoryImage) -> Opened {
    let store = RedbStore::open_image(&image).unwrap_or_else(|error| panic!("the test's store: {error}"));
    let store = Arc::new(Mortal { store, image, dead: RwLock::new(false) });
    let opened = plan.builder(store.clone()).open().await;
    let engine = opened.unwrap_or_else(|error| panic!("the test's engine: {error}"));
    Opened { engine, store, next: OnceLock::new() }
}

/// A store that commits nothing more from the moment of the crash on: what its engine did after that moment would be lost, and yet
/// have had effects.
struct Mortal {
    store: RedbStore,
    image: MemoryImage,
    dead: RwLock<bool>,
}

impl Mortal {
    /// What the crash leaves.
    fn die(&self) -> MemoryImage {
        let mut dead = self.dead.write().expect("no code panics while it holds this lock");
        *dead = true;
        self.image.fork()
    }
}

impl Layer for Mortal {
    fn beneath(&self) -> &dyn Store {
        &self.store
    }

    fn commit(&self, batch: &Batch) -> Result<(), StoreError> {
        let dead = self.dead.read().expect("no code panics while it holds this lock");
        if *dead { Err(crashed()) } else { self.store.commit(batch) }
    }

    fn reopen(&self) -> Result<(), StoreError> {
        let dead = self.dead.read().expect("no code panics while it holds this lock");
        if *dead { Err(crashed()) } else { self.store.reopen() }
    }
}

fn crashed() -> StoreError {
    StoreError::Poisoned { reason: "crashed on purpose".into() }
}

/// An engine in memory with a virtual clock. It is an [`Engine`] with more methods.
#[derive(Clone)]
pub struct TestEngine {
    plan: Arc<Plan>,
    first: Arc<Opened>,
}

/// One opening of a test's engine, and the one after its crash.
struct Opened {
    engine: Engine,
    store: Arc<Mortal>,
    next: OnceLock<Box<Opened>>,
}

impl std::fmt::Debug for TestEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TestEngine").finish_non_exhaustive()
    }
}

impl Deref for TestEngine {
    type Target = Engine;

    fn deref(&self) -> &Engine {
        &self.last().engine
    }
}

impl Opened {
    /// Ends the engine as a crash would. Its attempts are gone then: one that still sleeps would be taken for one of the next engine's.
    async fn kill(&self, clock: &VirtualClock) {
        self.engine.kill().await;
        for _ in 0..LAST_MOVES {
            if clock.asleep() == 0 {
                return;
            }
            tokio::task::yield_now().await;
        }
    }
}

impl TestEngine {
    fn last(&self) -> &Opened {
        let mut last = &*self.first;
        while let Some(next) = last.next.get() {
            last = next;
        }
        last
    }

    /// Moves the clock on. What is due on the way happens at its own time. Await it, or whatever
    /// comes next, to let it happen.
    pub fn advance(&self, by: Duration) -> Advance {
        self.plan.clock.aim(by);
        Advance { engine: self.clone() }
    }

    /// Waits until nothing is left to do but to wait for the clock or for a caller.
    pub async fn idle(&self) {
        let inner = self.inner.clone();
        settle(&inner, &self.plan.clock).await;
        // Not while a result is waited for: the clock skips then, and what others have ended with is to be read.
        inner.expire().unwrap_or_else(|error| panic!("what has expired can't be removed: {error}"));
    }

    /// The time on the virtual clock.
    pub fn now(&self) -> SystemTime {
        from_ms(self.plan.clock.target())
    }

    /// Sets the clock, forward or back, as whoever keeps a machine's clock does: no time passes. What is due by then happens at the
    /// new time, once the engine is awaited.
    pub fn set_clock(&self, time: SystemTime) {
        self.plan.clock.jump(crate::clock::to_ms(time));
    }

    /// The attempts made of an activity, with their arguments.
    pub fn calls<P, F: ActivityFn<P>>(&self, activity: F) -> Calls<<F::Activity as Activity>::Args> {
        let _ = activity;
        self.plan.mocks.calls::<F::Activity>(&self.inner)
    }

    /// Kills the engine as a power cut would and opens it again over what was committed. The test's
    /// engine is the new one from then on; older handles refer to the dead one.
    ///
    /// # Panics
    /// If it can't be opened again.
    pub async fn crash_and_reopen(&self) -> TestEngine {
        let last = self.last();
        let image = last.store.die();
        last.kill(&self.plan.clock).await;
        let reopened = open(&self.plan, image).await;
        assert!(last.next.set(Box::new(reopened)).is_ok(), "two crashes of one engine at once");
        self.clone()
    }

    /// Closes this engine and opens one that stands for another build of the program.
    ///
    /// # Panics
    /// If it can't be opened again.
    pub async fn reopen_as_build(&self, build: u64) -> TestEngine {
        self.reopen_with(build, self.plan.stand_ins.clone()).await
    }

    /// Closes this engine and opens one that stands for a build in which workflow `old` reads like `new`: what was started as the one
    /// goes on as the other, or is parked with the reason. That is how the effect of an edit on running instances is tested.
    ///
    /// In the same test several functions may get later versions, one after the other: a workflow, and one that it calls.
    ///
    /// ```ignore
    /// // It waits in the version that is deployed, and goes on in the one that is to be.
    /// engine.start("order-1", fulfil_before("tea".into())).await?;
    /// engine.idle().await;
    /// let engine = engine.deploy(fulfil_before, fulfil).await;
    /// assert_eq!(engine.handle("order-1").of(fulfil).result().await?, "tea is on its way");
    /// ```
    ///
    /// # Panics
    /// If it can't be opened again.
    pub async fn deploy<P, Q, F: WorkflowFn<P>, G: WorkflowFn<Q>>(&self, old: F, new: G) -> TestEngine {
        let _ = (old, new);
        let mut stand_ins = self.plan.stand_ins.clone();
        stand_ins.push(StandIn { old: F::META.name, new: G::META.name });
        self.reopen_with(self.plan.build + 1, stand_ins).await
    }

    async fn reopen_with(&self, build: u64, stand_ins: Vec<StandIn>) -> TestEngine {
        let last = self.last();
        last.kill(&self.plan.clock).await;
        let plan = Plan {
            builder: self.plan.builder.again(),
            mocks: self.plan.mocks.clone(),
            clock: self.plan.clock.clone(),
            seed: self.plan.seed,
            build,
            stand_ins,
            openings: self.plan.openings.clone(),
        };
        let first = open(&plan, last.store.die()).await;
        TestEngine { plan: Arc::new(plan), first: Arc::new(first) }
    }
}

/// The clock on its way; see [`TestEngine::advance`].
#[derive(Debug)]
pub struct Advance {
    engine: TestEngine,
}

impl IntoFuture for Advance {
    type Output = ();
    type IntoFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.engine.idle().await })
    }
}

/// Waits until the engine is idle.
async fn quiet(inner: &Inner) {
    loop {
        let idle = inner.idle.notified();
        if inner.is_idle(&inner.lock()) {
            return;
        }
        idle.await;
    }
}

/// Lets everything happen up to the time that the test has aimed at.
async fn settle(inner: &Arc<Inner>, clock: &VirtualClock) {
    loop {
        quiet(inner).await;
        let target = clock.target();
        match next_deadline(inner, clock).filter(|next| *next <= target) {
            Some(next) => clock.set(next),
            None if clock.now() < target => clock.set(target),
            None => return,
        }
        inner.fire_due();
    }
}

fn next_deadline(inner: &Inner, clock: &VirtualClock) -> Option<u64> {
    inner.next_deadline().into_iter().chain(clock.next_sleeper()).min()
}

/// Waits for the end of an instance; a test's engine moves its clock meanwhile.
pub(crate) async fn wait(
    inner: &Arc<Inner>,
    id: &str,
    closed: oneshot::Receiver<()>,
) -> Result<(), RunError> {
    let mut closed = pin!(closed);
    let Some(clock) = inner.mocks.clock() else {
        let _ = closed.await;
        return Ok(());
    };
    loop {
        let ended = {
            let mut settled = pin!(settle(inner, &clock));
            std::future::poll_fn(|cx| {
                if closed.as_mut().poll(cx).is_ready() {
                    Poll::Ready(true)
                } else {
                    settled.as_mut().poll(cx).map(|()| false)
                }
            })
            .await
        };
        if ended || closed.try_recv() != Err(oneshot::error::TryRecvError::Empty) {
            return Ok(());
        }
        let stuck = |reason: String| RunError::Stuck { id: id.into(), reason };
        if let Some(reason) = inner.mocks.exceeded() {
            return Err(stuck(reason));
        }
        match next_deadline(inner, &clock) {
            Some(next) => clock.skip_to(next),
            None => return Err(stuck("nothing is due, and no activity runs".into())),
        }
    }
}
