//! Starting an instance: idempotent by its id.

use std::{
    future::{Future, IntoFuture},
    marker::PhantomData,
    pin::Pin,
};

use durable_store::{Error as StoreError, Found, Number};
use tokio::sync::oneshot;

use super::{
    Engine, MAX_ID_BYTES, MAX_TAG_BYTES, MAX_TAGS,
    error::{EngineError, StartError},
    handle::WorkflowHandle,
    inner::Inner,
    state::{InstanceState, Loaded},
};
use crate::{
    codec::{Encoded, Persist},
    workflow::{Workflow, WorkflowCall},
};

/// What to do when the id to be started exists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnExisting {
    /// Take the existing instance, open or closed; the arguments of this start are not looked at.
    #[default]
    Attach,
    /// Refuse with [`StartError::Exists`].
    Fail,
    /// Take an open one; start anew if it has closed.
    RestartIfClosed,
}

/// So often an id is looked up again because its instance closed between two reads.
pub(crate) const LOOKS: usize = 1_000;

/// The error of an id whose instance is never where the index says.
pub(crate) fn contradiction(id: &str) -> EngineError {
    let reason = "the store's index leads to a place without it; restore a backup".into();
    EngineError::Unreadable { id: id.into(), reason }
}

pub(crate) type StartReply = oneshot::Sender<Result<Started, StartError>>;

/// What a start has come to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Started {
    pub(crate) number: Number,
    pub(crate) created: bool,
}

/// A start on its way to a worker.
#[derive(Debug)]
pub(crate) struct StartRequest {
    pub(crate) id: String,
    pub(crate) workflow: &'static str,
    args: Encoded,
    on_existing: OnExisting,
    tags: Vec<(String, String)>,
    pub(crate) reply: StartReply,
}

/// What is to be done with a start.
pub(crate) enum Decision {
    Answer(Result<Started, StartError>),
    Create,
}

impl StartRequest {
    /// Looks at what stands under the id. Only one start of an id is decided at a time.
    pub(crate) fn decide(&self, inner: &Inner) -> Result<Decision, StoreError> {
        for _ in 0..LOOKS {
            let (number, workflow, closed) = match inner.store.find(&self.id)? {
                None => return Ok(Decision::Create),
                Some(Found::Live(slot)) => match inner.store.instance(slot)? {
                    Some(instance) if instance.id == self.id => (instance.number, instance.workflow, false),
                    // It has closed between the two reads: look again.
                    _ => continue,
                },
                Some(Found::Closed(number)) => match inner.store.closed(number)? {
                    Some(closed) => (closed.number, closed.workflow, true),
                    None => return Ok(Decision::Create),
                },
            };
            return Ok(self.decide_on(number, workflow, closed));
        }
        Ok(Decision::Answer(Err(contradiction(&self.id).into())))
    }

    /// What to do about the instance that stands under the id.
    fn decide_on(&self, number: Number, workflow: String, closed: bool) -> Decision {
        if closed && self.on_existing == OnExisting::RestartIfClosed {
            return Decision::Create;
        }
        let id = self.id.clone();
        Decision::Answer(if workflow != self.workflow {
            Err(StartError::OtherWorkflow { id, found: workflow, wanted: self.workflow })
        } else if self.on_existing == OnExisting::Fail {
            Err(StartError::Exists { id })
        } else {
            Ok(Started { number, created: false })
        })
    }

    /// The record of the instance before its first step.
    pub(crate) fn first_record(&self, inner: &Inner, number: Number) -> Box<Loaded> {
        let now_ms = inner.clock.now_ms();
        let state = InstanceState::new(self.args.clone(), self.tags.clone(), inner.build, now_ms);
        Box::new(Loaded::first(self.id.clone(), number, self.workflow, now_ms, state))
    }
}

/// A start that is being described; awaiting it makes it.
#[must_use = "nothing is started until this is awaited"]
pub struct Start<T> {
    engine: Engine,
    id: String,
    workflow: &'static str,
    args: Result<Encoded, StartError>,
    on_existing: OnExisting,
    tags: Vec<(String, String)>,
    output: PhantomData<fn() -> T>,
}

impl<T> std::fmt::Debug for Start<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Start")
            .field("id", &self.id)
            .field("workflow", &self.workflow)
            .finish_non_exhaustive()
    }
}

impl<T> Start<T> {
    pub(crate) fn new<W: Workflow<Output = T>>(engine: Engine, id: String, call: WorkflowCall<W>) -> Self {
        let workflow = W::META.name;
        let args =
            engine.inner.codec.encode(&call.args).map_err(|error| StartError::Args { workflow, error });
        Start {
            engine,
            id,
            workflow,
            args,
            on_existing: OnExisting::Attach,
            tags: Vec::new(),
            output: PhantomData,
        }
    }

    /// What to do when the id exists. Default: [`OnExisting::Attach`].
    pub fn on_existing(mut self, on_existing: OnExisting) -> Self {
        self.on_existing = on_existing;
        self
    }

    /// Adds a tag to find the instance by. A tag of the same key is replaced.
    pub fn tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        let key = key.into();
        self.tags.retain(|(other, _)| *other != key);
        self.tags.push((key, value.into()));
        self
    }
}

impl<T: Persist> IntoFuture for Start<T> {
    type Output = Result<WorkflowHandle<T>, StartError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let args = self.args?;
            check_id(&self.id)?;
            check_tags(&self.tags)?;
            let inner = &self.engine.inner;
            if !inner.registry.workflows.contains_key(self.workflow) {
                return Err(StartError::NotRegistered { workflow: self.workflow });
            }
            let (reply, answer) = oneshot::channel();
            {
                let mut shared = inner.lock();
                inner.refuse(&shared)?;
                shared.starts.push_back(StartRequest {
                    id: self.id.clone(),
                    workflow: self.workflow,
                    args,
                    on_existing: self.on_existing,
                    tags: self.tags,
                    reply,
                });
                inner.wake_worker();
            }
            let started = answer.await.map_err(|_| EngineError::Stopped)??;
            Ok(WorkflowHandle::new(self.engine.clone(), self.id, Some(started)))
        })
    }
}

fn check_tags(tags: &[(String, String)]) -> Result<(), StartError> {
    let long = |(key, value): &&(String, String)| key.len().max(value.len()) > MAX_TAG_BYTES;
    match tags.iter().find(long).or_else(|| tags.get(MAX_TAGS)) {
        Some((tag, _)) => Err(StartError::BadTag { tag: tag.clone() }),
        None => Ok(()),
    }
}

fn check_id(id: &str) -> Result<(), StartError> {
    if id.is_empty() || id.len() > MAX_ID_BYTES {
        return Err(StartError::BadId { len: id.len() });
    }
    Ok(())
}
