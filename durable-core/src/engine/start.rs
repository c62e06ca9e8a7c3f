//! Starting an instance: idempotent by its id.

use std::{
    future::{Future, IntoFuture},
    marker::PhantomData,
    pin::Pin,
    time::Duration,
};

use durable_store::{Error as StoreError, Found, Number};
use tokio::sync::oneshot;

use super::{
    Engine, MAX_ID_BYTES, MAX_TAG_BYTES, MAX_TAGS,
    children::Resolved,
    copies::Copied,
    error::{EngineError, StartError},
    handle::WorkflowHandle,
    inner::Inner,
    mail::{Answer, Message, MessageKind, Sender},
    state::{InstanceState, Loaded, Origin},
};
use crate::{
    codec::{Encoded, Persist},
    context::Refused,
    message::{Letter, SignalError, StartUpdateError, UpdateError, deliver, told},
    time::millis_up,
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
    /// Where it was created, if it was.
    pub(crate) created: Option<durable_store::Slot>,
}

/// A start on its way to a worker.
#[derive(Debug)]
pub(crate) struct StartRequest {
    pub(crate) id: String,
    pub(crate) workflow: &'static str,
    pub(super) args: Encoded,
    pub(super) on_existing: OnExisting,
    pub(super) tags: Vec<(String, String)>,
    /// So long after its start it must have ended.
    pub(super) deadline_ms: Option<u64>,
    /// So long after its start it makes its first step.
    pub(super) delay_ms: Option<u64>,
    /// What it gets with its start, and who waits for the answer to it.
    pub(crate) messages: Vec<(Message, Option<Sender>)>,
    /// It begins where another one stood; then the rest says nothing.
    pub(crate) copied: Option<Box<Copied>>,
    pub(crate) by: Requester,
}

/// Who asks for a start.
#[derive(Debug)]
pub(crate) enum Requester {
    Caller(StartReply),
    Instance(Origin),
}

impl Requester {
    /// Nothing was done. An instance asks again after a restart.
    pub(crate) fn refuse(self, error: impl Into<StartError>) {
        if let Requester::Caller(reply) = self {
            let _ = reply.send(Err(error.into()));
        }
    }
}

/// What is to be done with a start.
pub(crate) enum Decision {
    Answer(Result<Started, StartError>),
    /// The instance that asked is told.
    Resolve(Resolved),
    /// The instance that asked knows, or is about to.
    Known,
    /// What stands under the id is about to end: once this run has, it is looked at again.
    Ending(Number),
    Create,
}

impl StartRequest {
    /// Whether it is this instance that asks.
    #[cfg(feature = "simulation")]
    pub(super) fn is_by(&self, asking: super::state::Address) -> bool {
        matches!(&self.by, Requester::Instance(origin) if origin.by == asking)
    }

    /// Looks at what stands under the id. Only one start of an id is decided at a time.
    pub(crate) fn decide(&self, inner: &Inner) -> Result<Decision, StoreError> {
        if let Requester::Instance(origin) = &self.by {
            return self.decide_for(inner, origin);
        }
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
            return Ok(self.decide_on(inner, number, workflow, closed));
        }
        Ok(Decision::Answer(Err(contradiction(&self.id).into())))
    }

    /// What to do about the instance that stands under the id.
    fn decide_on(&self, inner: &Inner, number: Number, workflow: String, closed: bool) -> Decision {
        if closed && self.on_existing == OnExisting::RestartIfClosed {
            return Decision::Create;
        }
        let id = self.id.clone();
        Decision::Answer(if !inner.registry.is_same_workflow(&workflow, self.workflow) {
            Err(StartError::OtherWorkflow { id, found: workflow, wanted: self.workflow })
        } else if self.on_existing == OnExisting::Fail {
            Err(StartError::Exists { id })
        } else {
            Ok(Started { number, created: None })
        })
    }

    /// The record of the instance before its first step.
    pub(crate) fn first_record(&self, inner: &Inner, number: Number) -> Box<Loaded> {
        let now_ms = inner.clock.now_ms();
        let mut state = InstanceState::new(
            inner.stored_args(self.workflow, self.args.clone()),
            self.tags.clone(),
            inner.build,
            now_ms,
        );
        state.deadline_ms = self.deadline_ms.map(|deadline_ms| now_ms.saturating_add(deadline_ms));
        if let Requester::Instance(origin) = &self.by {
            state.origin = Some(origin.clone());
        }
        if let Some(delay_ms) = self.delay_ms {
            state.hold_until(now_ms.saturating_add(delay_ms));
        }
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
    deadline: Option<Duration>,
    delay: Option<Duration>,
    pub(crate) letters: Vec<Letter>,
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
        let args = call.encode(&engine.inner.codec).map_err(|error| StartError::Args { workflow, error });
        Start {
            engine,
            id,
            workflow,
            args,
            on_existing: OnExisting::Attach,
            tags: Vec::new(),
            deadline: W::META.deadline_ms.map(Duration::from_millis),
            delay: None,
            letters: Vec::new(),
            output: PhantomData,
        }
    }

    /// What to do when the id exists. Default: [`OnExisting::Attach`].
    pub fn on_existing(mut self, on_existing: OnExisting) -> Self {
        self.on_existing = on_existing;
        self
    }

    /// How long after its start the instance must have ended. If it has not, it is cancelled, and has
    /// [`RunError::DeadlineExceeded`](crate::RunError::DeadlineExceeded) for a result. Default: what `#[workflow(deadline = "..")]` says, else none.
    pub fn deadline(mut self, after: Duration) -> Self {
        self.deadline = Some(after);
        self
    }

    /// How long after its start the instance makes its first step. The deadline counts from the start. Default: at once.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = Some(delay);
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
            let opened = self.open(None).await;
            opened.map(|(handle, _)| handle).map_err(|error| match error {
                StartUpdateError::Start(error) => error,
                // There is none.
                StartUpdateError::Update(error) => EngineError::Broken { reason: error.to_string() }.into(),
            })
        })
    }
}

impl<T> Start<T> {
    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Starts the instance with its messages. One that is there already gets them one after the other.
    pub(crate) async fn open(
        self,
        update: Option<Message>,
    ) -> Result<(WorkflowHandle<T>, Option<Answer>), StartUpdateError> {
        let letters = self.letters.into_iter().collect::<Result<Vec<_>, _>>().map_err(StartError::from)?;
        let inner = &self.engine.inner;
        let most = inner.settings.max_messages;
        if letters.len() + usize::from(update.is_some()) > most as usize {
            let full = SignalError::Full { id: self.id, most: u64::from(most) };
            return Err(StartError::from(full).into());
        }
        let args = self.args?;
        check_id(&self.id)?;
        check_tags(&self.tags)?;
        if !inner.registry.workflows.contains_key(self.workflow) {
            return Err(StartError::NotRegistered { workflow: self.workflow }.into());
        }
        'again: for _ in 0..LOOKS {
            let (sender, receiver) = Sender::new(&self.id);
            let mut messages: Vec<_> = letters.iter().map(|letter| (letter.clone(), None)).collect();
            messages.extend(update.clone().map(|update| (update, Some(sender))));
            let (reply, answer) = oneshot::channel();
            let generation = {
                let mut shared = inner.lock();
                inner.refuse(&shared).map_err(StartError::from)?;
                shared.starts.push_back(StartRequest {
                    id: self.id.clone(),
                    workflow: self.workflow,
                    args: args.clone(),
                    on_existing: self.on_existing,
                    tags: self.tags.clone(),
                    messages,
                    deadline_ms: self.deadline.map(millis_up),
                    delay_ms: self.delay.map(millis_up),
                    copied: None,
                    by: Requester::Caller(reply),
                });
                inner.wake_worker(&mut shared);
                shared.generation
            };
            let started = answer.await.map_err(|_| StartError::from(EngineError::Stopped))??;
            let handle = WorkflowHandle::new(self.engine.clone(), self.id.clone(), Some(started));
            if started.created.is_some() {
                let Some(_) = update else { return Ok((handle, None)) };
                let told = told(inner, generation, receiver).await;
                let answer = told.map_err(|error| UpdateError::from(SignalError::of(error, &self.id)))?;
                return Ok((handle, Some(answer)));
            }
            let mut last = None;
            for message in letters.iter().chain(&update) {
                let answer = deliver(inner, &self.id, Some(started.number), message).await;
                let is_update = message.kind() == MessageKind::Update;
                match answer {
                    Ok(Answer::Refused(Refused::Closed | Refused::NotFound))
                        if self.on_existing == OnExisting::RestartIfClosed =>
                    {
                        continue 'again;
                    }
                    Ok(answer) if is_update => last = Some(answer),
                    Ok(Answer::Refused(refused)) => {
                        return Err(StartError::from(SignalError::refused(refused, &self.id)).into());
                    }
                    Ok(_) => {}
                    Err(error) if is_update => return Err(UpdateError::from(error).into()),
                    Err(error) => return Err(StartError::from(error).into()),
                }
            }
            return Ok((handle, last));
        }
        Err(StartError::from(contradiction(&self.id)).into())
    }
}

pub(super) fn check_tags(tags: &[(String, String)]) -> Result<(), StartError> {
    let long = |(key, value): &&(String, String)| key.len().max(value.len()) > MAX_TAG_BYTES;
    match tags.iter().find(long).or_else(|| tags.get(MAX_TAGS)) {
        Some((tag, _)) => Err(StartError::BadTag { tag: tag.clone() }),
        None => Ok(()),
    }
}

pub(super) fn check_id(id: &str) -> Result<(), StartError> {
    if is_id(id) { Ok(()) } else { Err(StartError::BadId { len: id.len() }) }
}

/// Whether an instance may have this id.
pub(super) fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= MAX_ID_BYTES
}
