//! A crash after every commit of a workflow.

use std::{
    any::type_name,
    future::{Future, IntoFuture},
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use durable_store::{Batch, Error as StoreError, Layer, MemoryImage, RedbStore, Store};
use tokio::sync::Notify;

use super::{TestBuilder, engine};
use crate::{
    codec::{Codec, Value},
    engine::{Engine, RunError},
    workflow::{RootWorkflow, WorkflowCall},
};

/// A workflow that never comes to its end is given up after so many commits.
const COMMITS_ENOUGH: u64 = 10_000;
const ID: &str = "crash-test";

/// Runs a workflow once in peace and then once for every commit it made, with a crash after that
/// commit, and asserts that the outcome is the same every time. What runs side by side may share
/// commits in one run and not in another: a run that came to its end before its crash is not counted.
///
/// Give mocks and dependencies with [`with`](CrashTest::with); it is called for every run.
///
/// # Panics
/// When awaited, if an outcome differs: the message names the commit. If the workflow parks in peace:
/// then no crash has anything to change. If no run crashed at all.
pub fn crash_at_every_step<W, F>(call: F) -> CrashTest<W>
where
    W: RootWorkflow,
    F: Fn() -> WorkflowCall<W> + Send + Sync + 'static,
{
    CrashTest { call: Box::new(call), setup: Box::new(|builder| builder) }
}

/// A workflow to be crashed; awaiting it runs the test.
pub struct CrashTest<W: RootWorkflow> {
    call: Box<dyn Fn() -> WorkflowCall<W> + Send + Sync>,
    setup: Box<dyn Fn(TestBuilder) -> TestBuilder + Send + Sync>,
}

impl<W: RootWorkflow> std::fmt::Debug for CrashTest<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CrashTest({})", W::META.name)
    }
}

/// What a crash test did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CrashReport {
    /// The runs that really crashed, each after another commit.
    pub crashes: u64,
}

impl<W: RootWorkflow> CrashTest<W> {
    /// Mocks and dependencies of the engines.
    #[must_use = "awaiting it runs the test"]
    pub fn with(mut self, setup: impl Fn(TestBuilder) -> TestBuilder + Send + Sync + 'static) -> Self {
        self.setup = Box::new(setup);
        self
    }
}

impl<W> IntoFuture for CrashTest<W>
where
    W: RootWorkflow,
    W::Args: Send,
    W::Output: Send,
{
    type Output = CrashReport;
    type IntoFuture = Pin<Box<dyn Future<Output = CrashReport> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Run { outcome: peace, commits, .. } = self.run(u64::MAX).await;
            let mut crashes = 0;
            for crash_after in 1..=commits {
                let Run { outcome, commits: made, crashed } = self.run(crash_after).await;
                assert!(
                    crashed || made < crash_after,
                    "workflow `{}`: no crash came after commit {crash_after} of {made}",
                    W::META.name,
                );
                crashes += u64::from(crashed);
                assert!(
                    same(&outcome, &peace),
                    "workflow `{}`: a crash after commit {crash_after} of {commits} changed the outcome\n  \
                     in peace: {}\n  crashed:  {}",
                    W::META.name,
                    show(&peace),
                    show(&outcome),
                );
            }
            let name = W::META.name;
            assert!(
                crashes > 0,
                "workflow `{name}`: nothing was committed, so nothing could crash: {}",
                show(&peace)
            );
            CrashReport { crashes }
        })
    }
}

/// The outcome, or nothing if the crash came first.
async fn first_of<T>(outcome: impl Future<Output = T>, crash: impl Future<Output = ()>) -> Option<T> {
    let (mut outcome, mut crash) = (std::pin::pin!(outcome), std::pin::pin!(crash));
    std::future::poll_fn(|cx| {
        if crash.as_mut().poll(cx).is_ready() {
            return std::task::Poll::Ready(None);
        }
        outcome.as_mut().poll(cx).map(Some)
    })
    .await
}

type Outcome = Result<Value, String>;

/// One run of the workflow from its start to its outcome.
struct Run {
    outcome: Outcome,
    /// The commits made, up to the crash if there was one.
    commits: u64,
    crashed: bool,
}

fn same(a: &Outcome, b: &Outcome) -> bool {
    match (a, b) {
        (Ok(a), Ok(b)) => a.is_same(b),
        _ => a == b,
    }
}

fn shown(outcome: Result<Value, RunError>) -> Outcome {
    outcome.map_err(|error| error.to_string())
}

fn show(outcome: &Outcome) -> String {
    match outcome {
        Ok(value) => value.to_json().to_string(),
        Err(error) => format!("error: {error}"),
    }
}

impl<W> CrashTest<W>
where
    W: RootWorkflow,
{
    /// A run with a crash after a commit, if it makes that many.
    async fn run(&self, crash_after: u64) -> Run {
        let plan = (self.setup)(engine()).plan;
        let store = Arc::new(CrashingStore::new(crash_after));
        let opened = plan.builder(store.clone()).open().await;
        let first = opened.unwrap_or_else(|error| panic!("the test's engine: {error}"));
        store.arm();
        let outcome = first_of(self.outcome(&first), store.crashed.notified()).await;
        first.kill().await;
        let crashed = store.image();
        let commits = store.commits.load(Ordering::SeqCst);
        let outcome = match (outcome, &crashed) {
            (Some(Err(RunError::Parked { reason, .. })), None) => {
                panic!("workflow `{}` parks without any crash: {reason}", W::META.name)
            }
            (Some(outcome), None) => shown(outcome),
            (_, crashed) => {
                let image = crashed.as_ref().expect("the store has crashed");
                let store = RedbStore::open_image(image).expect("an image is a sound store");
                let opened = plan.builder(Arc::new(store)).open().await;
                let second = opened.unwrap_or_else(|error| panic!("the engine after the crash: {error}"));
                let outcome = shown(self.outcome(&second).await);
                second.kill().await;
                outcome
            }
        };
        Run { outcome, commits, crashed: crashed.is_some() }
    }

    async fn outcome(&self, engine: &Engine) -> Result<Value, RunError> {
        let handle = engine.start(ID, (self.call)()).await?;
        match handle.result().await {
            Ok(output) => Ok(Self::view(&output)),
            Err(error @ RunError::Stuck { .. }) => panic!("workflow `{}`: {error}", W::META.name),
            Err(error) => Err(error),
        }
    }

    fn view(output: &W::Output) -> Value {
        let codec = Codec::new();
        let encoded =
            codec.encode(output).unwrap_or_else(|error| panic!("{}: {error}", type_name::<W::Output>()));
        codec.view(encoded.layout, &encoded.bytes).expect("what was just written can be read")
    }
}

/// A store that keeps an image of itself after one of its commits: what a crash there leaves.
struct CrashingStore {
    image: MemoryImage,
    store: RedbStore,
    armed: std::sync::atomic::AtomicBool,
    crash_after: u64,
    commits: AtomicU64,
    kept: Mutex<Option<MemoryImage>>,
    crashed: Notify,
}

impl CrashingStore {
    fn new(crash_after: u64) -> Self {
        let image = MemoryImage::new();
        CrashingStore {
            store: RedbStore::open_image(&image).expect("an empty image becomes a store"),
            image,
            armed: false.into(),
            crash_after,
            commits: AtomicU64::new(0),
            kept: Mutex::default(),
            crashed: Notify::new(),
        }
    }

    /// From now on commits count.
    fn arm(&self) {
        self.armed.store(true, Ordering::SeqCst);
    }

    fn image(&self) -> Option<MemoryImage> {
        self.kept.lock().expect("no code panics while it holds this lock").clone()
    }
}

impl Layer for CrashingStore {
    fn beneath(&self) -> &dyn Store {
        &self.store
    }

    fn commit(&self, batch: &Batch) -> Result<(), StoreError> {
        if self.image().is_some() {
            return Err(StoreError::Poisoned { reason: "crashed on purpose".into() });
        }
        self.store.commit(batch)?;
        if self.armed.load(Ordering::SeqCst) {
            let commits = self.commits.fetch_add(1, Ordering::SeqCst) + 1;
            assert!(commits < COMMITS_ENOUGH, "the workflow made {COMMITS_ENOUGH} commits and has no end");
            if commits == self.crash_after {
                *self.kept.lock().expect("no code panics while it holds this lock") = Some(self.image.fork());
                self.crashed.notify_one();
            }
        }
        Ok(())
    }

    fn reopen(&self) -> Result<(), StoreError> {
        match self.image() {
            Some(_) => Err(StoreError::Poisoned { reason: "crashed on purpose".into() }),
            None => self.store.reopen(),
        }
    }
}
