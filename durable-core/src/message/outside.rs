//! Messages from outside: the calls that an engine and a handle give, and how they reach the instance.
//!
//! A message is for whoever has the id when it arrives: if that one ends before, the id is looked up again. An engine that stops or a
//! store that fails leaves open whether a message was taken; with a key it can be sent again without harm.

use std::{
    future::{Future, IntoFuture},
    marker::PhantomData,
    pin::Pin,
};

use durable_store::{Found, Number, Slot};
use tokio::sync::oneshot;

use super::{Signal, SignalError, StartUpdateError, Update, UpdateError};
use crate::{
    codec::{Emit, Persist, TypeOf},
    context::Refused,
    engine::{
        Engine, EngineError, Event, LOOKS, Start, WorkflowHandle, contradiction,
        inner::Inner,
        mail::{Answer, Body, KeyRow, Message, MessageKind, Sender, key},
        state::ReplyTo,
    },
};

type Answering = oneshot::Receiver<Result<Answer, EngineError>>;

/// A message that is made for the outside: without a key, and not sent yet.
pub(crate) type Letter = Result<Message, SignalError>;

fn letter(engine: &Engine, kind: MessageKind, name: &str, of: &TypeOf, value: &dyn Emit) -> Letter {
    let inner = &engine.inner;
    let encoded = inner.codec.encode_as(of, value);
    let value = encoded.map_err(|error| SignalError::Encode { reason: error.to_string() })?;
    let most = inner.settings.limits.message_bytes;
    if value.bytes.len() > most {
        return Err(SignalError::TooLarge { bytes: value.bytes.len() as u64, most: most as u64 });
    }
    let (body, reply) = match kind {
        MessageKind::Signal => (Body::Signal(value), ReplyTo::Nobody),
        MessageKind::Update => (Body::Update(value), ReplyTo::Caller),
    };
    Ok(Message { name: name.into(), body, reply, key: None, sent_ms: inner.clock.now_ms() })
}

pub(crate) fn signal_letter<S: Signal>(engine: &Engine, signal: &S) -> Letter {
    letter(engine, MessageKind::Signal, S::NAME, TypeOf::of::<S>(), signal)
}

fn update_letter<U: Update>(engine: &Engine, update: &U) -> Letter {
    letter(engine, MessageKind::Update, U::NAME, TypeOf::of::<U>(), update)
}

/// Has the letter count once.
pub(crate) fn sign(letter: &mut Letter, text: &str) {
    if let Ok(message) = letter {
        message.key = Some(key(message.kind(), text));
    }
}

/// A signal that is being described; awaiting it sends it, and gives `Ok` once it is durable.
#[must_use = "nothing is sent until this is awaited"]
pub struct SignalCall {
    engine: Engine,
    id: String,
    run: Option<Number>,
    letter: Letter,
}

/// An update that is being described; awaiting it sends it and waits for the workflow's answer.
#[must_use = "nothing is sent until this is awaited"]
pub struct UpdateCall<U: Update> {
    engine: Engine,
    id: String,
    run: Option<Number>,
    letter: Letter,
    update: PhantomData<fn() -> U>,
}

/// A start with an update; awaiting it gives the instance's handle and the answer.
#[must_use = "nothing is started until this is awaited"]
pub struct StartUpdate<T, U: Update> {
    start: Start<T>,
    letter: Letter,
    update: PhantomData<fn() -> U>,
}

impl std::fmt::Debug for SignalCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "signal({:?}, ..)", self.id)
    }
}

impl<U: Update> std::fmt::Debug for UpdateCall<U> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "update({:?}, {}(..))", self.id, U::NAME)
    }
}

impl<T, U: Update> std::fmt::Debug for StartUpdate<T, U> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}.with_update({}(..))", self.start, U::NAME)
    }
}

impl SignalCall {
    pub(crate) fn new<S: Signal>(engine: Engine, id: String, run: Option<Number>, signal: &S) -> Self {
        let letter = signal_letter(&engine, signal);
        SignalCall { engine, id, run, letter }
    }

    /// Has it count once: a signal of this run that was accepted with the same key makes this one do nothing. Keys are remembered as long
    /// as the run is retained, also after its end.
    pub fn dedup(mut self, key: impl AsRef<str>) -> Self {
        sign(&mut self.letter, key.as_ref());
        self
    }
}

impl<U: Update> UpdateCall<U> {
    pub(crate) fn new(engine: Engine, id: String, run: Option<Number>, update: &U) -> Self {
        let letter = update_letter(&engine, update);
        UpdateCall { engine, id, run, letter, update: PhantomData }
    }

    /// Has it count once: asking again with the same key gives the same answer, also after a crash of the engine, or waits for it if there
    /// is none yet. Keys are remembered as long as the run is retained, also after its end.
    pub fn dedup(mut self, key: impl AsRef<str>) -> Self {
        sign(&mut self.letter, key.as_ref());
        self
    }
}

impl<T, U: Update> StartUpdate<T, U> {
    pub(crate) fn new(start: Start<T>, update: &U) -> Self {
        let letter = update_letter(start.engine(), update);
        StartUpdate { start, letter, update: PhantomData }
    }

    /// Has the update count once; see [`UpdateCall::dedup`].
    pub fn dedup(mut self, key: impl AsRef<str>) -> Self {
        sign(&mut self.letter, key.as_ref());
        self
    }
}

type Sent<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

impl IntoFuture for SignalCall {
    type Output = Result<(), SignalError>;
    type IntoFuture = Sent<(), SignalError>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            match deliver(&self.engine.inner, &self.id, self.run, &self.letter?).await? {
                Answer::Refused(refused) => Err(SignalError::refused(refused, &self.id)),
                Answer::Received | Answer::Value(_) => Ok(()),
            }
        })
    }
}

impl<U: Update> IntoFuture for UpdateCall<U> {
    type Output = Result<U::Output, UpdateError>;
    type IntoFuture = Sent<U::Output, UpdateError>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let inner = &self.engine.inner;
            let answer = deliver(inner, &self.id, self.run, &self.letter?).await?;
            read(inner, &self.id, answer)
        })
    }
}

impl<T: Persist, U: Update> IntoFuture for StartUpdate<T, U> {
    type Output = Result<(WorkflowHandle<T>, U::Output), StartUpdateError>;
    type IntoFuture = Sent<(WorkflowHandle<T>, U::Output), StartUpdateError>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let inner = self.start.engine().inner.clone();
            let message = self.letter.map_err(UpdateError::from)?;
            let (handle, answer) = self.start.open(Some(message)).await?;
            let answer = answer.unwrap_or(Answer::Refused(Refused::Unanswered));
            let answer = read(&inner, handle.id(), answer)?;
            Ok((handle, answer))
        })
    }
}

fn read<T: Persist>(inner: &Inner, id: &str, answer: Answer) -> Result<T, UpdateError> {
    match answer {
        Answer::Value(value) => {
            let read = inner.frames.decode(&inner.codec, value.layout, &value.bytes);
            read.map_err(|error| UpdateError::Decode { id: id.into(), reason: error.to_string() })
        }
        Answer::Refused(refused) => Err(UpdateError::refused(refused, id)),
        Answer::Received => Err(UpdateError::Unanswered { id: id.into() }),
    }
}

/// Where a message is to go.
enum Place {
    Live(Slot, Number),
    /// It came before, or comes too late.
    Over(Answer),
    /// The instance has closed between two readings.
    Moved,
}

/// Brings a message to the instance that has the id, or to that run of it alone; waits for the receipt of a signal and the answer to an
/// update.
pub(crate) async fn deliver(
    inner: &Inner,
    id: &str,
    run: Option<Number>,
    message: &Message,
) -> Result<Answer, SignalError> {
    for _ in 0..LOOKS {
        let place = place(inner, id, run, message).map_err(|error| SignalError::of(error, id))?;
        let (slot, number) = match place {
            Place::Live(slot, number) => (slot, number),
            Place::Over(answer) => return Ok(answer),
            Place::Moved => continue,
        };
        let (sender, answer) = Sender::new(id);
        let generation = {
            let mut shared = inner.lock();
            inner.refuse(&shared).map_err(|error| SignalError::of(error, id))?;
            let message = Box::new(message.clone());
            inner.post(&mut shared, slot, number, Event::Mail { message, sender: Some(sender) });
            shared.generation
        };
        match told(inner, generation, answer).await {
            // It has ended meanwhile: another one may have its id.
            Ok(Answer::Refused(Refused::NotFound))
            | Err(EngineError::NotFound { .. } | EngineError::Closed { .. }) => {}
            Ok(answer) => return Ok(answer),
            Err(error) => return Err(SignalError::of(error, id)),
        }
    }
    Err(SignalError::of(contradiction(id), id))
}

/// Waits for what the sender of a message is told.
pub(crate) async fn told(inner: &Inner, generation: u64, answer: Answering) -> Result<Answer, EngineError> {
    if let Ok(answer) = answer.await {
        return answer;
    }
    let shared = inner.lock();
    inner.refuse(&shared)?;
    if shared.generation != generation {
        return Err(EngineError::Broken { reason: shared.failure.clone() });
    }
    // Its receiver was gone before it arrived.
    Err(EngineError::Closed { id: String::new() })
}

fn place(inner: &Inner, id: &str, run: Option<Number>, message: &Message) -> Result<Place, EngineError> {
    let over = |refused| Ok(Place::Over(Answer::Refused(refused)));
    if let Some(number) = run
        && inner.ask(|store| store.closed(number))?.is_some()
    {
        return closed(inner, number, message);
    }
    match inner.ask(|store| store.find(id))? {
        None => over(Refused::NotFound),
        // A run whose end is forgotten by now.
        Some(Found::Closed(number)) if run.is_some_and(|run| run != number) => over(Refused::Closed),
        Some(Found::Closed(number)) => closed(inner, number, message),
        Some(Found::Live(slot)) => Ok(match inner.ask(|store| store.owner(slot))? {
            Some(number) if run.is_none_or(|run| run == number) => Place::Live(slot, number),
            Some(_) | None => Place::Moved,
        }),
    }
}

/// A message for an instance that has ended: if it came before with the same key its sender is told the same again.
fn closed(inner: &Inner, number: Number, message: &Message) -> Result<Place, EngineError> {
    let row = match &message.key {
        Some(key) => inner.ask(|store| store.key(number, key))?,
        None => None,
    };
    let row = row.and_then(|row| postcard::from_bytes::<KeyRow>(&row).ok());
    Ok(Place::Over(match row {
        None => Answer::Refused(Refused::Closed),
        Some(KeyRow::Signal) => Answer::Received,
        Some(KeyRow::Answered(answer)) => Answer::of(answer),
        Some(KeyRow::Pending { .. }) => Answer::Refused(Refused::Unanswered),
    }))
}

impl Engine {
    /// Sends a signal to an instance. When it returns, the signal is durable; the workflow takes it with [`recv`](super::recv) when it gets
    /// there.
    ///
    /// # Errors
    /// [`SignalError::NotFound`], [`SignalError::Closed`], [`SignalError::Full`] if the limit of waiting messages is reached,
    /// [`SignalError::TooLarge`].
    pub fn signal<S: Signal>(&self, id: impl Into<String>, signal: S) -> SignalCall {
        SignalCall::new(self.clone(), id.into(), None, &signal)
    }

    /// Sends an update to an instance and waits for its answer. It waits as long as the workflow takes; dropping the future takes nothing
    /// back.
    ///
    /// # Errors
    /// [`UpdateError::Rejected`] if the workflow refused it, [`UpdateError::Unanswered`] if it ended without an answer,
    /// [`UpdateError::Undelivered`] as for a signal.
    pub fn update<U: Update>(&self, id: impl Into<String>, update: U) -> UpdateCall<U> {
        UpdateCall::new(self.clone(), id.into(), None, &update)
    }
}

impl<T> Start<T> {
    /// Starts the instance with a signal, in one transaction: both or neither. One that is there gets it like any other.
    ///
    /// ```
    /// # use durable_core::{Engine, Workflow, WorkflowCall, RootWorkflow, Signal, StartError};
    /// # async fn hook<W: RootWorkflow>(engine: &Engine, fulfil: WorkflowCall<W>, paid: impl Signal) -> Result<(), StartError> {
    /// // A webhook that may be delivered more than once, and before anybody else knows of the order.
    /// engine.start("order-1042", fulfil).with_signal(paid).dedup("webhook-77").await?;
    /// # Ok(()) }
    /// ```
    pub fn with_signal<S: Signal>(mut self, signal: S) -> Self {
        let letter = signal_letter(self.engine(), &signal);
        self.letters.push(letter);
        self
    }

    /// Has the signal given last count once; see [`SignalCall::dedup`]. Without one it does nothing.
    pub fn dedup(mut self, key: impl AsRef<str>) -> Self {
        if let Some(letter) = self.letters.last_mut() {
            sign(letter, key.as_ref());
        }
        self
    }

    /// Starts the instance with an update, in one transaction, and waits for its answer too. One that is there gets it like any other.
    pub fn with_update<U: Update>(self, update: U) -> StartUpdate<T, U> {
        StartUpdate::new(self, &update)
    }
}

impl<T> WorkflowHandle<T> {
    /// Sends a signal; see [`Engine::signal`]. The handle of a start reaches that run alone.
    pub fn signal<S: Signal>(&self, signal: S) -> SignalCall {
        SignalCall::new(self.engine().clone(), self.id().to_owned(), self.run(), &signal)
    }

    /// Sends an update; see [`Engine::update`]. The handle of a start reaches that run alone.
    pub fn update<U: Update>(&self, update: U) -> UpdateCall<U> {
        UpdateCall::new(self.engine().clone(), self.id().to_owned(), self.run(), &update)
    }
}
