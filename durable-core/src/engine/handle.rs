//! A handle of one instance: its result, its description, and what can be asked of it.

use std::marker::PhantomData;

use durable_store::{Closed, Error as StoreError, Found, Number, Slot};
use tokio::sync::oneshot;

use super::{
    Engine,
    advance::{Command, Event},
    copies::LATE_CHUNKS,
    describe::Description,
    error::{EngineError, RunError},
    history::{HistoryEvent, read_chunk},
    inner::{Inner, Stopping},
    kept::Source,
    start::{LOOKS, Started, contradiction},
    state::{ClosedState, End, Loaded},
};
use crate::{
    codec::Persist,
    message::Publish,
    meta::WorkflowMeta,
    workflow::{RootWorkflow, Workflow, WorkflowCall},
};

/// A handle of an instance. Cheap to clone; dropping it changes nothing.
pub struct WorkflowHandle<T = ()> {
    engine: Engine,
    id: String,
    started: Option<Started>,
    output: PhantomData<fn() -> T>,
}

impl<T> Clone for WorkflowHandle<T> {
    fn clone(&self) -> Self {
        WorkflowHandle {
            engine: self.engine.clone(),
            id: self.id.clone(),
            started: self.started,
            output: PhantomData,
        }
    }
}

impl<T> std::fmt::Debug for WorkflowHandle<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("WorkflowHandle").field(&self.id).finish()
    }
}

/// A function annotated with `#[workflow]`. `P` is the tuple of its parameters; it is inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a workflow",
    label = "a function annotated with `#[workflow]` is expected here",
    note = "see docs/errors/not-annotated.md"
)]
pub trait WorkflowFn<P> {
    /// What the workflow returns.
    type Output: Persist;
    #[doc(hidden)]
    type Workflow: Workflow<Output = Self::Output>;
    #[doc(hidden)]
    const META: &'static WorkflowMeta;
}

macro_rules! workflow_fn {
    ($($param:ident)*) => {
        impl<F, W, $($param,)*> WorkflowFn<($($param,)*)> for F
        where
            F: Fn($($param),*) -> WorkflowCall<W>,
            W: Workflow<Output: Persist>,
        {
            type Output = W::Output;
            type Workflow = W;
            const META: &'static WorkflowMeta = W::META;
        }
    };
}
for_each_arity!(workflow_fn);

/// How an instance ended, or that it has not.
enum Ended {
    Closed(Closed),
    Live { slot: Slot, loaded: Box<Loaded> },
}

impl<T> WorkflowHandle<T> {
    pub(crate) fn new(engine: Engine, id: String, started: Option<Started>) -> Self {
        WorkflowHandle { engine, id, started, output: PhantomData }
    }

    /// The instance's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether the start that gave this handle created the instance, rather than finding it.
    pub fn created(&self) -> bool {
        self.started.is_some_and(|started| started.created.is_some())
    }

    /// The same instance, typed by its workflow's function.
    pub fn of<P, F: WorkflowFn<P, Workflow: RootWorkflow>>(self, workflow: F) -> WorkflowHandle<F::Output> {
        let _ = workflow;
        WorkflowHandle { engine: self.engine, id: self.id, started: self.started, output: PhantomData }
    }

    /// Status, what it waits for, the stack of frames with the value of every local, pending activities.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] if there is no such instance.
    pub async fn describe(&self) -> Result<Description, EngineError> {
        let inner = &self.engine.inner;
        match self.look()? {
            Ended::Live { slot, loaded } => Ok(Description::of_live(inner, slot, &loaded)),
            Ended::Closed(closed) => Description::of_closed(inner, &closed),
        }
    }

    /// What has happened so far, oldest first. Only the newest events of a long-lived instance are kept.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] if there is no such instance.
    pub async fn history(&self) -> Result<Vec<HistoryEvent>, EngineError> {
        let inner = &self.engine.inner;
        let (number, tail, notes) = match self.look()? {
            Ended::Live { loaded, .. } => {
                (loaded.number, Some(loaded.state.history), loaded.state.operations.notes())
            }
            Ended::Closed(closed) => (closed.number, None, Vec::new()),
        };
        let (mut events, mut late) = (Vec::new(), Vec::new());
        for (chunk, bytes) in inner.ask(|store| store.history(number))? {
            if chunk >= LATE_CHUNKS {
                read_chunk(&bytes, &mut late);
                continue;
            }
            // The tail may have become a chunk between the two readings.
            if tail.as_ref().is_none_or(|tail| chunk < tail.chunk) {
                read_chunk(&bytes, &mut events);
            }
        }
        read_chunk(&tail.unwrap_or_default().bytes, &mut events);
        events.extend(notes);
        late.sort_by_key(|event| event.at_ms);
        events.extend(late);
        Ok(events)
    }

    /// Makes the next attempt of every activity that waits out a back-off now; takes a parked
    /// instance up again.
    ///
    /// # Errors
    /// [`EngineError::Closed`] if it has ended.
    pub async fn retry_now(&self) -> Result<(), EngineError> {
        self.command(Command::RetryNow).await
    }

    /// Ends the instance at once, without running any of its code. Its attempts are told to stop.
    ///
    /// # Errors
    /// [`EngineError::Closed`] if it has ended.
    pub async fn terminate(&self, why: impl Into<String>) -> Result<(), EngineError> {
        self.command(Command::Terminate { why: why.into() }).await
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The run that it was given, if a start gave it.
    pub(crate) fn run(&self) -> Option<Number> {
        self.started.map(|started| started.number)
    }

    /// The value of this type that the workflow published last, also after its end. No code of the workflow runs.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] if there is no such instance, [`EngineError::Unreadable`] if what it published is not a `P`.
    pub async fn published<P: Publish>(&self) -> Result<Option<P>, EngineError> {
        let inner = &self.engine.inner;
        let unreadable = |reason| EngineError::Unreadable { id: self.id.clone(), reason };
        let published = match self.look()? {
            Ended::Live { loaded, .. } => loaded.state.published,
            Ended::Closed(closed) => {
                let state = postcard::from_bytes::<ClosedState>(&closed.state);
                state.map_err(|error| unreadable(error.to_string()))?.published
            }
        };
        let Some((_, value)) = published.into_iter().find(|(name, _)| name == P::NAME) else {
            return Ok(None);
        };
        let read = inner.frames.decode(&inner.codec, value.layout, &value.bytes);
        read.map(Some).map_err(|error| unreadable(format!("the published `{}`: {error}", P::NAME)))
    }

    pub(super) async fn command(&self, command: Command) -> Result<(), EngineError> {
        self.ask(|reply| Event::Command { command, reply }).await
    }

    /// Posts an event that is answered once what it did is durable.
    pub(super) async fn ask<R>(
        &self,
        event: impl FnOnce(oneshot::Sender<Result<R, EngineError>>) -> Event,
    ) -> Result<R, EngineError> {
        let inner = &self.engine.inner;
        let Ended::Live { slot, loaded } = self.look()? else {
            return Err(EngineError::Closed { id: self.id.clone() });
        };
        let (reply, answer) = oneshot::channel();
        let generation = {
            let mut shared = inner.lock();
            inner.refuse(&shared)?;
            inner.post(&mut shared, slot, loaded.number, event(reply));
            shared.generation
        };
        match answer.await {
            Ok(Err(EngineError::NotFound { .. } | EngineError::Closed { .. })) | Err(_) => {
                let shared = inner.lock();
                inner.refuse(&shared)?;
                if shared.generation != generation {
                    return Err(EngineError::Broken { reason: shared.failure.clone() });
                }
                Err(EngineError::Closed { id: self.id.clone() })
            }
            Ok(answer) => answer,
        }
    }

    /// The same instance, whatever it returns.
    pub(super) fn untyped(&self) -> WorkflowHandle {
        WorkflowHandle::new(self.engine.clone(), self.id.clone(), self.started)
    }

    /// The run that the handle is of, live or closed.
    pub(super) fn source(&self) -> Result<Source, EngineError> {
        Ok(match self.look()? {
            Ended::Live { slot, loaded } => Source {
                id: loaded.id,
                workflow: loaded.workflow,
                started_ms: loaded.started_ms,
                number: loaded.number,
                slot: Some(slot),
            },
            Ended::Closed(Closed { id, workflow, started_ms, number, .. }) => {
                Source { id, workflow, started_ms, number, slot: None }
            }
        })
    }

    /// The instance itself, if it is live.
    pub(super) fn live_source(&self) -> Result<(Source, Slot, Loaded), EngineError> {
        let Ended::Live { slot, loaded } = self.look()? else {
            return Err(EngineError::Closed { id: self.id.clone() });
        };
        let (id, workflow) = (loaded.id.clone(), loaded.workflow.clone());
        let (number, started_ms) = (loaded.number, loaded.started_ms);
        Ok((Source { id, workflow, started_ms, number, slot: Some(slot) }, slot, *loaded))
    }

    /// What the store says of the instance now.
    fn look(&self) -> Result<Ended, EngineError> {
        let inner = &self.engine.inner;
        for _ in 0..LOOKS {
            let found = match self.started {
                // A handle of a start stays with the run that it was given.
                Some(Started { number, .. }) => match inner.ask(|store| store.closed(number))? {
                    Some(closed) => return Ok(Ended::Closed(closed)),
                    None => inner.ask(|store| store.find(&self.id))?,
                },
                None => inner.ask(|store| store.find(&self.id))?,
            };
            match found {
                None => return Err(EngineError::NotFound { id: self.id.clone() }),
                Some(Found::Closed(number)) => {
                    if let Some(closed) = inner.ask(|store| store.closed(number))? {
                        return Ok(Ended::Closed(closed));
                    }
                    return Err(EngineError::NotFound { id: self.id.clone() });
                }
                Some(Found::Live(slot)) => {
                    let instance = inner.ask(|store| store.instance(slot))?;
                    // None, or another's: it has closed between the two reads. Look again.
                    if let Some(instance) = instance.filter(|instance| instance.id == self.id) {
                        if self.started.is_some_and(|started| started.number != instance.number) {
                            // The run of this handle is forgotten, and another has its id.
                            return Err(EngineError::NotFound { id: self.id.clone() });
                        }
                        let id = self.id.clone();
                        let loaded = inner
                            .load(slot, instance)
                            .map_err(|reason| EngineError::Unreadable { id, reason })?;
                        return Ok(Ended::Live { slot, loaded: Box::new(loaded) });
                    }
                }
            }
        }
        Err(contradiction(&self.id))
    }
}

impl<T: Persist> WorkflowHandle<T> {
    /// Waits for the end and gives what the workflow returned. Survives restarts of the engine's
    /// store, not of the process: ask again with the same id.
    ///
    /// # Errors
    /// [`RunError::Terminated`] if it did not return, [`RunError::Result`] if the result is not a `T`.
    pub async fn result(&self) -> Result<T, RunError> {
        let inner = self.engine.inner.clone();
        let mut waited = 0;
        loop {
            // Told of the end whenever it comes, if the run is known; else it is looked up first.
            let mut watching = self.run().map(|number| Watching::of(&inner, number));
            // What the engine has in memory has not ended: nothing need be read to know that.
            if let Some(Started { number, created: Some(slot) }) = self.started
                && !inner.mocks.is_testing()
                && inner.lock().has_at_rest(slot, number)
                && let Some(closed) = watching.as_mut().and_then(|watching| watching.told.take())
            {
                if let Err(stuck) = crate::testing::wait(&inner, &self.id, closed).await {
                    return self.last_look(stuck);
                }
                continue;
            }
            let (number, loaded) = match self.look() {
                Ok(Ended::Closed(closed)) => return self.read(closed),
                Ok(Ended::Live { loaded, .. }) => (loaded.number, loaded),
                // A store that can't be opened is the caller's affair too.
                Err(error) if waited < 3 && inner.will_reopen(&error) => {
                    waited += 1;
                    inner.reopened().await;
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            waited = 0;
            if inner.mocks.is_testing() && loaded.state.parked.is_some() && !inner.has_news(number) {
                // It may have been taken up between the look at it and the question for news.
                if let Ended::Live { loaded, .. } = self.look()?
                    && let Some(parked) = loaded.state.parked
                {
                    let reason = parked.reason.to_string();
                    return Err(RunError::Parked { id: self.id.clone(), reason });
                }
                continue;
            }
            drop(loaded);
            if watching.is_none() {
                watching = Some(Watching::of(&inner, number));
                // It may have closed before the watcher was there.
                match self.look() {
                    Ok(Ended::Closed(closed)) => return self.read(closed),
                    Ok(Ended::Live { .. }) => {}
                    Err(error) if waited < 3 && inner.will_reopen(&error) => continue,
                    Err(error) => return Err(error.into()),
                }
            }
            inner.refuse(&inner.lock()).or_else(|error| match error {
                EngineError::Broken { .. } => Ok(()),
                error => Err(error),
            })?;
            let Some(closed) = watching.as_mut().and_then(|watching| watching.told.take()) else { continue };
            if let Err(stuck) = crate::testing::wait(&inner, &self.id, closed).await {
                return self.last_look(stuck);
            }
        }
    }

    /// A test's engine has nothing left to do. An end and the news of it are two moments, so the
    /// instance may have ended all the same; or it is parked, and nobody took it up.
    fn last_look(&self, stuck: RunError) -> Result<T, RunError> {
        match self.look()? {
            Ended::Closed(closed) => self.read(closed),
            Ended::Live { loaded, .. } => Err(match loaded.state.parked {
                Some(parked) => RunError::Parked { id: self.id.clone(), reason: parked.reason.to_string() },
                None => stuck,
            }),
        }
    }

    /// What the workflow returned, if it has ended.
    ///
    /// # Errors
    /// As [`result`](WorkflowHandle::result).
    pub async fn try_result(&self) -> Result<Option<T>, RunError> {
        match self.look()? {
            Ended::Closed(closed) => self.read(closed).map(Some),
            Ended::Live { .. } => Ok(None),
        }
    }

    fn read(&self, closed: Closed) -> Result<T, RunError> {
        let inner = &self.engine.inner;
        let id = self.id.clone();
        let state: ClosedState = postcard::from_bytes(&closed.state)
            .map_err(|error| EngineError::Unreadable { id: id.clone(), reason: error.to_string() })?;
        drop(closed);
        match state.end {
            End::Terminated { why } => Err(RunError::Terminated { id, why }),
            End::Cancelled { why } => Err(RunError::Cancelled { id, why }),
            End::DeadlineExceeded => Err(RunError::DeadlineExceeded { id }),
            End::Returned { value, .. } => inner
                .frames
                .decode(&inner.codec, value.layout, &value.bytes)
                .map_err(|error| RunError::Result { id, error }),
        }
    }
}

/// A wait for the end of a run. Whoever does not wait any more leaves nothing behind.
struct Watching<'a> {
    inner: &'a Inner,
    number: Number,
    told: Option<oneshot::Receiver<()>>,
}

impl<'a> Watching<'a> {
    fn of(inner: &'a Inner, number: Number) -> Self {
        let (done, told) = oneshot::channel();
        inner.lock().watchers.entry(number).or_default().push(done);
        Watching { inner, number, told: Some(told) }
    }
}

impl Drop for Watching<'_> {
    fn drop(&mut self) {
        // One that was told is in no list any more.
        self.told = None;
        let mut shared = self.inner.lock();
        if let Some(others) = shared.watchers.get_mut(&self.number) {
            others.retain(|other| !other.is_closed());
            if others.is_empty() {
                shared.watchers.remove(&self.number);
            }
        }
    }
}

/// Whoever waits for the store to be opened again; no run has this number.
pub(super) const REOPENED: Number = Number(u64::MAX);

impl Inner {
    /// Whether a reading failed because the store did, and the store will be opened again.
    fn will_reopen(&self, error: &EngineError) -> bool {
        let failed = matches!(
            error,
            EngineError::Store(StoreError::Poisoned { .. } | StoreError::Io { .. })
                | EngineError::Broken { .. }
        );
        failed && self.lock().stopping == Stopping::No
    }

    /// Waits until the store was opened again or could not be, or the engine stops.
    async fn reopened(&self) {
        let (done, opened) = oneshot::channel();
        let is_broken = {
            let mut shared = self.lock();
            let is_broken = shared.broken.is_some() && shared.stopping == Stopping::No;
            if is_broken {
                shared.watchers.entry(REOPENED).or_default().push(done);
            }
            is_broken
        };
        if is_broken {
            // Dropped without a word, it is time to look again as well.
            let _ = opened.await;
        } else {
            tokio::task::yield_now().await;
        }
    }

    /// Whether something is about to happen to a run.
    fn has_news(&self, number: Number) -> bool {
        let shared = self.lock();
        // While the engine starts it may be about to try a parked instance again.
        shared.recovering
            || shared.live.values().any(|live| live.number == number && (live.busy || live.queued))
    }
}
