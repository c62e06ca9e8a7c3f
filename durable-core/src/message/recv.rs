//! Receiving messages in a workflow.

use std::{borrow::Cow, marker::PhantomData, sync::Arc, task::Poll};

use serde::{Deserialize, Serialize};

use super::{Request, Signal, Update};
use crate::{
    codec::{Persist, Slot, TypeOf},
    context::{Context, StepFailure, Wait, ambient},
    engine::mail::{Body, Message, MessageKind, queue},
    future::{DurableFuture, IntoDurableFuture},
};

/// The next signal of this type, in the order in which each sender sent them. One that came before it was asked for is kept.
///
/// It is taken in the transaction of the step that goes on with it: after a crash it is either still there, or what the workflow did
/// with it is.
///
/// ```
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Serialize, Deserialize)] struct Approve { by: String }
/// # impl durable_core::Signal for Approve { const NAME: &'static str = "Approve"; }
/// # let _ =
/// durable_core::recv::<Approve>(); // `.await` it in a workflow
/// ```
pub fn recv<S: Signal>() -> Recv<S> {
    Recv { name: S::NAME.into(), signal: PhantomData }
}

/// The next signal of this type, if one is there. A step that got `None` is made again if one is committed before the step is, so that
/// none is missed at the end of a workflow.
///
/// # Panics
/// Outside of a workflow.
pub fn try_recv<S: Signal>() -> Option<S> {
    let mut slot = None;
    take_now("try_recv", &Kind::of_signal(S::NAME), TypeOf::of::<S>(), &mut slot)?;
    slot
}

/// The next update of this type, to be answered: see [`Request`]. One that came before it was asked for is kept.
pub fn recv_update<U: Update>() -> RecvUpdate<U> {
    RecvUpdate { name: U::NAME.into(), update: PhantomData }
}

/// The next update of this type, if one is there; see [`try_recv`].
///
/// # Panics
/// Outside of a workflow.
pub fn try_recv_update<U: Update>() -> Option<Request<U>> {
    let mut slot = None;
    let seq = take_now("try_recv_update", &Kind::of_update(U::NAME), TypeOf::of::<U>(), &mut slot)?;
    slot.map(|message| Request::new(message, seq))
}

/// A signal that is waited for.
#[derive(Serialize, Deserialize)]
#[serde(rename = "Recv", bound = "")]
#[must_use = "nothing is received until this is awaited"]
pub struct Recv<S> {
    // Asked of the type where it is made and nowhere else, so that a type that is no signal is one error.
    name: Cow<'static, str>,
    signal: PhantomData<fn() -> S>,
}

/// An update that is waited for.
#[derive(Serialize, Deserialize)]
#[serde(rename = "RecvUpdate", bound = "")]
#[must_use = "nothing is received until this is awaited"]
pub struct RecvUpdate<U> {
    name: Cow<'static, str>,
    update: PhantomData<fn() -> U>,
}

impl<S> std::fmt::Debug for Recv<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "recv::<{}>()", self.name)
    }
}

impl<U> std::fmt::Debug for RecvUpdate<U> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "recv_update::<{}>()", self.name)
    }
}

/// A type of message, without the type.
struct Kind<'a> {
    kind: MessageKind,
    name: &'a str,
}

impl<'a> Kind<'a> {
    fn of_signal(name: &'a str) -> Self {
        Kind { kind: MessageKind::Signal, name }
    }

    fn of_update(name: &'a str) -> Self {
        Kind { kind: MessageKind::Update, name }
    }

    fn queue(&self) -> u64 {
        queue(self.kind, self.name)
    }

    fn what(&self) -> String {
        format!("{} `{}`", self.kind, self.name)
    }

    /// Takes the next one. Gives its number if it is in the slot; otherwise the step waits or has failed.
    fn take(&self, of: &TypeOf, slot: &mut dyn Slot, cx: &mut Context<'_>) -> Option<u64> {
        let Some((seq, message)) = cx.take_message(self.queue()) else {
            cx.wait(Wait::Message(self.queue()));
            return None;
        };
        let failure = match content(&message) {
            Some(value) => match cx.decode_as(of, value.layout, &value.bytes, slot) {
                Ok(()) => return Some(seq),
                Err(error) => StepFailure::Decode { what: self.what(), error },
            },
            None => self.other(),
        };
        cx.fail(failure);
        None
    }

    /// Two names have the same queue, or the store was written by something else.
    fn other(&self) -> StepFailure {
        StepFailure::Incompatible {
            reason: format!("in the place of {} there is something else", self.what()),
        }
    }
}

fn content(message: &Message) -> Option<&crate::codec::Encoded> {
    match &message.body {
        Body::Signal(value) | Body::Update(value) => Some(value),
        _ => None,
    }
}

/// Takes the next message if one is there. The user's `Deserialize` runs outside of the borrow: it may ask for messages, too.
fn take_now(what: &'static str, kind: &Kind<'_>, of: &TypeOf, slot: &mut dyn Slot) -> Option<u64> {
    let taken = ambient::with(what, |scratch| {
        let (seq, message) = scratch.try_message(kind.queue())?;
        Some((seq, message, scratch.frames.clone()))
    });
    let (seq, message, frames): (u64, Arc<Message>, _) = taken?;
    let failure = match (content(&message), frames) {
        (Some(value), Some(frames)) => {
            let read =
                crate::codec::current(|codec| frames.decode_as(codec, of, value.layout, &value.bytes, slot));
            match read {
                Ok(()) => return Some(seq),
                Err(error) => StepFailure::Decode { what: kind.what(), error },
            }
        }
        _ => kind.other(),
    };
    ambient::with(what, |scratch| {
        scratch.rare.failure.get_or_insert(failure);
    });
    None
}

impl<S: Persist> DurableFuture for Recv<S> {
    type Output = S;

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<S> {
        let mut slot = None;
        match (Kind::of_signal(&self.name).take(TypeOf::of::<S>(), &mut slot, cx), slot) {
            (Some(_), Some(signal)) => Poll::Ready(signal),
            _ => Poll::Pending,
        }
    }

    fn quiet(&self) -> Option<Wait> {
        Some(Wait::Message(Kind::of_signal(&self.name).queue()))
    }
}

impl<U: Persist> DurableFuture for RecvUpdate<U> {
    type Output = Request<U>;

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Request<U>> {
        let mut slot = None;
        match (Kind::of_update(&self.name).take(TypeOf::of::<U>(), &mut slot, cx), slot) {
            (Some(seq), Some(message)) => Poll::Ready(Request::new(message, seq)),
            _ => Poll::Pending,
        }
    }

    fn quiet(&self) -> Option<Wait> {
        Some(Wait::Message(Kind::of_update(&self.name).queue()))
    }
}

impl<T> Recv<T> {
    /// The same once more, for a `select!` to which it is lent.
    pub(crate) fn copy(&self) -> Self {
        Recv { name: self.name.clone(), signal: PhantomData }
    }
}

impl<T> RecvUpdate<T> {
    /// The same once more, for a `select!` to which it is lent.
    pub(crate) fn copy(&self) -> Self {
        RecvUpdate { name: self.name.clone(), update: PhantomData }
    }
}

// Listing what can be awaited helps nobody who awaits something else.
#[diagnostic::do_not_recommend]
impl<S: Persist> IntoDurableFuture for Recv<S> {
    type Output = S;
    type IntoFuture = Self;

    fn into_durable(self) -> Self {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<U: Persist> IntoDurableFuture for RecvUpdate<U> {
    type Output = Request<U>;
    type IntoFuture = Self;

    fn into_durable(self) -> Self {
        self
    }
}
