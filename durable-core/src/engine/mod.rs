//! The engine: it owns a store, steps instances, and begins effects after their commit.
//!
//! The path of a step: an event (an attempt ended, a timer fired, a caller asks) lands in an
//! instance's inbox (`inner`); a worker takes the instance, applies the events and runs its machine
//! (`advance`); the transitions of many instances are committed as one batch (`worker`); then the
//! effects begin (`attempt`, `timers`) and callers are answered (`start`, `handle`).
//!
//! Invariants: no effect begins before the commit that records it; no user code runs inside a write
//! transaction or under the engine's lock; restore is the only way a step begins.
//!
//! Deliberately absent: anything about tables and files (the store), about values (the codec), and
//! about how a workflow runs (the frame).

mod advance;
mod attempt;
mod builder;
mod cached;
mod check;
mod children;
mod control;
pub(crate) mod copies;
mod describe;
mod edit;
mod encode;
mod error;
mod handle;
mod history;
pub(crate) mod inner;
mod kept;
mod list;
mod machine;
pub(crate) mod mail;
pub(crate) mod panics;
pub(crate) mod ready;
mod recover;
mod retention;
#[cfg(feature = "simulation")]
pub mod simulation;
mod stack;
mod start;
pub(crate) mod state;
mod suspects;
#[cfg(test)]
mod tests;
mod timers;
mod tokens;
mod watchdog;
mod worker;

use std::{sync::Arc, time::Duration};

use durable_store::DiskUsage;

pub(crate) use advance::Event;
pub use builder::EngineBuilder;
pub use check::{CheckGroup, CheckOutcome, CheckReport};
pub use copies::{ExportError, Exported, ForkError, Import, ImportError, MAX_EXPORT_BYTES, NotKept};
pub use describe::{CompensationState, CompensationView, Description, FrameView, PendingActivity, Waiting};
pub use edit::Edit;
pub(crate) use edit::{Applied, EditRequest};
pub use error::{CompleteError, EditError, EngineError, OpenError, RunError, StartError};
pub use handle::{WorkflowFn, WorkflowHandle};
pub(crate) use history::clip;
pub use history::{HistoryEvent, HistoryKind};
pub use kept::{KeptSnapshot, MAX_KEPT_SNAPSHOTS, RewindError};
pub use list::{Filter, StatusKind, Summary};
pub(crate) use start::{LOOKS, contradiction};
pub use start::{OnExisting, Start};
pub use state::{ParkReason, Status};

pub(crate) use attempt::Running;
pub(crate) use panics::{Caught, catch};
pub(crate) use tokens::NotCompleted;

use crate::workflow::{RootWorkflow, WorkflowCall};
use inner::{Inner, Stopping};

/// The longest id of an instance.
pub const MAX_ID_BYTES: usize = 200;

/// The most tags of an instance.
pub const MAX_TAGS: usize = 32;
/// The most bytes of a tag's key, and of its value.
pub const MAX_TAG_BYTES: usize = 200;
/// A snapshot larger than this is warned about, once per workflow.
const LARGE_SNAPSHOT_BYTES: usize = 1 << 20;

/// A durable-execution engine over one store.
///
/// Cheap to clone. When the last clone is dropped the engine stops as after a crash: nothing that was
/// acknowledged is lost. [`shutdown`](Engine::shutdown) is the way that also lets attempts finish.
#[derive(Clone)]
pub struct Engine {
    pub(crate) inner: Arc<Inner>,
    alive: Arc<Alive>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

/// Stops the engine's threads when its last handle goes.
pub(crate) struct Alive {
    inner: Arc<Inner>,
    threads: std::sync::Mutex<Vec<std::thread::JoinHandle<()>>>,
    closed: std::sync::Mutex<bool>,
}

impl Alive {
    /// Ends the workers and waits for them; what they hold is committed before. Gives the instances whose steps did not end.
    fn stop(&self) -> Vec<String> {
        {
            let mut shared = self.inner.lock();
            self.inner.take_in(&mut shared);
            shared.stopping = Stopping::Now;
            shared.queue.clear();
            shared.watchers.clear();
            shared.callers.clear();
            shared.leaving.abort();
            // What has ended stays in its inbox: the workers commit it before they end.
            let attempts = |live: &mut inner::Live| std::mem::take(&mut live.attempts).into_values();
            let attempts: Vec<_> = shared.live.values_mut().flat_map(attempts).collect();
            drop(shared);
            for attempt in &attempts {
                attempt.abort();
            }
        }
        self.inner.work.notify_all();
        self.inner.idle.notify_waiters();
        self.inner.timers_changed.notify_one();
        let stuck = self.inner.lanes.close(&self.inner);
        let threads =
            std::mem::take(&mut *self.threads.lock().expect("no code panics while it holds this lock"));
        for thread in threads {
            if thread.thread().id() != std::thread::current().id() {
                // One that panicked has nothing left to wait for.
                let _ = thread.join();
            }
        }
        stuck
    }
}

impl Alive {
    /// Stops, and closes the store; once only. Settled, the store opens quickly the next time.
    fn close(&self, settle: bool) -> Result<(), EngineError> {
        let mut closed = self.closed.lock().expect("no code panics while it holds this lock");
        if std::mem::replace(&mut closed, true) {
            return Ok(());
        }
        let stuck = self.stop();
        self.inner.suspects.close(!stuck.is_empty());
        let settled = if settle { self.inner.store.settle() } else { Ok(()) };
        // Tasks that were told to stop may outlive this for a moment; the file is free now.
        self.inner.store.close();
        settled?;
        if stuck.is_empty() { Ok(()) } else { Err(EngineError::StillStepping { ids: stuck }) }
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        // Without settling there is nothing to fail.
        let _ = self.close(false);
    }
}

impl Engine {
    /// Opens the store at `path`, creating it if it is missing, and takes up what was going on in it.
    /// Every annotated item that is linked into the program is known.
    ///
    /// # Errors
    /// [`OpenError::Store`] if the file is in use, damaged, foreign or newer than this build.
    pub async fn open(path: impl AsRef<std::path::Path>) -> Result<Engine, OpenError> {
        Engine::builder().path(path).open().await
    }

    /// An engine with settings of its own.
    pub fn builder() -> EngineBuilder {
        EngineBuilder::new()
    }

    /// Starts an instance under `id`, or attaches to the one that is there: starting twice is
    /// starting once. When it returns, the start is durable.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn start<W>(&self, id: impl Into<String>, call: WorkflowCall<W>) -> Start<W::Output>
    where
        W: RootWorkflow,
    {
        Start::new(self.clone(), id.into(), call)
    }

    /// Starts an instance under a fresh id and waits for its result.
    ///
    /// # Errors
    /// See [`RunError`].
    pub async fn run<W>(&self, call: WorkflowCall<W>) -> Result<W::Output, RunError>
    where
        W: RootWorkflow,
    {
        let id = format!("{}-{:032x}", W::META.name, self.inner.random.bits());
        // A name of 200 bytes leaves no room for the rest.
        let id = if id.len() > MAX_ID_BYTES { format!("{:032x}", self.inner.random.bits()) } else { id };
        self.start(id, call).await?.result().await
    }

    /// A handle of an instance, whether it exists or not. Type it with [`WorkflowHandle::of`].
    pub fn handle(&self, id: impl Into<String>) -> WorkflowHandle {
        WorkflowHandle::new(self.clone(), id.into(), None)
    }

    /// Writes a back-up into a new file: all that is committed now, in one consistent state, while the engine goes on. It is whole
    /// and synced when this returns, compact, and opens as any store does. Meanwhile the store's own file may grow, because what changes
    /// is kept twice.
    ///
    /// An engine that opens it goes on with every instance from there: see "Files and backups" in docs/operations.md.
    ///
    /// ```no_run
    /// # async fn nightly(engine: durable_core::Engine) -> Result<(), durable_core::EngineError> {
    /// engine.backup("orders-2026-11-21.redb").await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`EngineError::Store`] if there is a file of that name already, or it can't be written; the store is not affected by it.
    pub async fn backup(&self, path: impl AsRef<std::path::Path>) -> Result<(), EngineError> {
        let (inner, path) = (self.inner.clone(), path.as_ref().to_owned());
        inner.refuse(&inner.lock())?;
        // Not by `ask`: whether an error is the store's is for the store to know, which then says so to everybody.
        let copied = self.inner.runtime.spawn_blocking(move || inner.store.backup(&path)).await;
        Ok(copied.map_err(|_| EngineError::Stopped)??)
    }

    /// How much room the store takes on its disk, how much of that is free, and what the rest is. Free room is used again before the file
    /// grows; [`EngineBuilder::compact`] gives it back to the file system.
    ///
    /// It reads the store's contents once, while the engine goes on: something for an operator or a nightly job.
    ///
    /// ```no_run
    /// # async fn report(engine: durable_core::Engine) -> Result<(), durable_core::EngineError> {
    /// let usage = engine.disk_usage().await?;
    /// println!("{usage}"); // the file, what is free in it, and each table
    /// if usage.free_bytes > usage.file_bytes / 2 {
    ///     println!("compacting it would give back some {} bytes", usage.free_bytes);
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`EngineError::Store`] if it can't be read; [`EngineError::Stopped`] after a shutdown.
    pub async fn disk_usage(&self) -> Result<DiskUsage, EngineError> {
        let inner = self.inner.clone();
        inner.refuse(&inner.lock())?;
        let asked = self.inner.runtime.spawn_blocking(move || inner.ask(durable_store::Store::usage)).await;
        Ok(asked.map_err(|_| EngineError::Stopped)??)
    }

    /// Stops taking work, gives running attempts `grace` to end, commits what they give, and closes
    /// the store. Attempts that do not end in time are told to stop and run again after the next
    /// opening, with the same idempotency key. Nothing is lost.
    ///
    /// A step that does not end is not waited for.
    ///
    /// # Errors
    /// [`EngineError::Broken`] if the store failed. [`EngineError::StillStepping`] if a step did not end; all else has been done.
    pub async fn shutdown(&self, grace: Duration) -> Result<(), EngineError> {
        let inner = &self.inner;
        {
            let mut shared = inner.lock();
            // It may have been shut down already.
            shared.stopping = shared.stopping.max(Stopping::Draining);
        }
        let deadline_ms =
            inner.clock.now_ms().saturating_add(u64::try_from(grace.as_millis()).unwrap_or(u64::MAX));
        let quiet = async {
            loop {
                let idle = inner.idle.notified();
                {
                    let shared = inner.lock();
                    if shared.stopping == Stopping::Now || inner.is_drained(&shared) {
                        return;
                    }
                }
                idle.await;
            }
        };
        either(quiet, inner.clock.sleep_until(deadline_ms)).await;
        let alive = self.alive.clone();
        let stopped = inner.runtime.spawn_blocking(move || alive.close(true));
        stopped.await.map_err(|_| EngineError::Stopped)??;
        match &inner.lock().broken {
            Some(reason) => Err(EngineError::Broken { reason: reason.clone() }),
            None => Ok(()),
        }
    }
}

impl Engine {
    /// The engine that an attempt runs on, if it is still there.
    pub(crate) fn of_attempt(inner: &std::sync::Weak<Inner>) -> Option<Engine> {
        let inner = inner.upgrade()?;
        let alive = inner.alive.get()?.upgrade()?;
        Some(Engine { inner, alive })
    }

    /// Ends the engine without letting anything finish, as a crash would.
    pub(crate) async fn kill(&self) {
        let alive = self.alive.clone();
        // The workers end with what they hold: a crash just after it.
        let _ = self.inner.runtime.spawn_blocking(move || alive.close(false)).await;
    }
}

/// Waits for the first of two.
async fn either(a: impl Future<Output = ()>, b: impl Future<Output = ()>) {
    let (mut a, mut b) = (std::pin::pin!(a), std::pin::pin!(b));
    std::future::poll_fn(|cx| {
        if a.as_mut().poll(cx).is_ready() || b.as_mut().poll(cx).is_ready() {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
}

impl Inner {
    /// Warns of a snapshot that makes every step slow, once per workflow.
    pub(crate) fn note_size(&self, workflow: &str, bytes: usize) {
        if bytes <= LARGE_SNAPSHOT_BYTES {
            return;
        }
        let mut warned = self.warned.lock().expect("no code panics while it holds this lock");
        if warned.insert(workflow.to_owned()) {
            self.report(&format!("a snapshot of workflow `{workflow}` has {bytes} bytes: all of it is read and encoded at every step, even where little of it changes"));
        }
    }

    /// Says something that an operator should see.
    #[allow(clippy::unused_self)] // it will name the store once several engines share a process
    pub(crate) fn report(&self, message: &str) {
        log::warn!(target: "durable", "{message}");
    }
}
