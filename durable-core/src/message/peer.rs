//! Messages from one instance to another.
//!
//! What is sent goes with the step that sends it: both sides commit together or not at all, so that it takes effect once without keys.

use std::{marker::PhantomData, task::Poll};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{MAX_MESSAGE_BYTES, Signal, SignalError, Update, UpdateError};
use crate::{
    codec::{self, Emit, Encoded, Persist, Slot, TypeOf},
    compose::leaf::Leaf,
    context::{Completion, Context, NewOperation, Outgoing, Refused, Sent, StepFailure, Wait},
    engine::{WorkflowFn, clip},
    error::CallError,
    future::{DurableFuture, IntoDurableFuture},
    workflow::RootWorkflow,
};

/// Sends a signal to another instance. Awaiting it gives `Ok` once it is in the other's mailbox, which is in this step's transaction.
///
/// ```
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Serialize, Deserialize)] struct Paid { cents: u64 }
/// # impl durable_core::Signal for Paid { const NAME: &'static str = "Paid"; }
/// # let _ =
/// durable_core::signal("order-1042", Paid { cents: 4_999 }); // `.await` it in a workflow
/// ```
pub fn signal<S: Signal>(id: impl Into<String>, message: S) -> SendPeer {
    let what = encode(TypeOf::of::<S>(), &message).map(|value| Sent::Signal { name: S::NAME.into(), value });
    SendPeer { state: Sending::new(id.into(), what) }
}

/// Asks another instance to end as cancelled. Awaiting it gives `Ok` once that is in the other's mailbox, not when it has ended.
pub fn cancel(id: impl Into<String>, why: impl Into<String>) -> SendPeer {
    SendPeer { state: Sending::new(id.into(), Ok(Sent::Cancel { why: clip(why.into()) })) }
}

/// Sends an update to another instance and waits for its answer.
pub fn update<U: Update>(id: impl Into<String>, message: U) -> UpdatePeer<U> {
    let what = encode(TypeOf::of::<U>(), &message).map(|value| Sent::Update { name: U::NAME.into(), value });
    UpdatePeer { state: Sending::new(id.into(), what), update: PhantomData }
}

/// Waits for the end of another instance and gives what it returned; `workflow` is the function that it runs. One that ended otherwise, or
/// that is not there, is a [`CallError`].
pub fn attach<P, F>(id: impl Into<String>, workflow: F) -> Attach<F::Output>
where
    F: WorkflowFn<P, Workflow: RootWorkflow>,
{
    let _ = workflow;
    Attach { state: Sending::new(id.into(), Ok(Sent::Attach)), output: PhantomData }
}

fn encode(of: &TypeOf, message: &dyn Emit) -> Result<Encoded, SignalError> {
    let encoded = codec::current(|codec| codec.encode_as(of, message));
    let value = encoded.map_err(|error| SignalError::Encode { reason: error.to_string() })?;
    if value.bytes.len() > MAX_MESSAGE_BYTES {
        return Err(SignalError::TooLarge { bytes: value.bytes.len() as u64 });
    }
    Ok(value)
}

/// Something that another instance gets. On disk: append only.
#[derive(Debug, Serialize, Deserialize)]
struct Sending {
    to: String,
    leaf: Result<Leaf, SignalError>,
}

/// How it ended.
enum Over {
    Done,
    Value(Encoded),
    Refused(Refused),
    Error(CallError),
    Unsent(SignalError),
}

impl Sending {
    fn new(to: String, what: Result<Sent, SignalError>) -> Self {
        let leaf = what.map(|what| Leaf::new(NewOperation::Send(Outgoing { to: to.clone(), what })));
        Sending { to, leaf }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Option<Over> {
        let leaf = match &mut self.leaf {
            Ok(leaf) => leaf,
            Err(error) => return Some(Over::Unsent(error.clone())),
        };
        Some(match leaf.poll("a message to another instance", cx)? {
            Completion::Done | Completion::Fired => Over::Done,
            Completion::Value(value) => Over::Value(value),
            Completion::Refused(refused) => Over::Refused(refused),
            Completion::Error(error) => Over::Error(error),
        })
    }

    fn quiet(&self) -> Option<Wait> {
        self.leaf.as_ref().ok()?.quiet()
    }

    /// Reads what the other instance gave. If that can't be done the step has failed.
    fn read(&self, value: &Encoded, of: &TypeOf, slot: &mut dyn Slot, cx: &mut Context<'_>) {
        if let Err(error) = cx.decode_as(of, value.layout, &value.bytes, slot) {
            let what = format!("what instance `{}` gave", self.to);
            cx.fail(StepFailure::Decode { what, error });
        }
    }

    // In one piece, so that each type of message costs a user's crate next to no code for it.
    fn store<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&postcard::to_stdvec(self).map_err(serde::ser::Error::custom)?)
    }

    fn restore<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = durable_store::bytes::deserialize(deserializer)?;
        postcard::from_bytes(&bytes).map_err(serde::de::Error::custom)
    }
}

/// A signal or a cancellation on its way to another instance.
#[derive(Debug)]
#[must_use = "nothing is sent until this is awaited"]
pub struct SendPeer {
    state: Sending,
}

/// An update on its way to another instance, and its answer on the way back.
#[must_use = "nothing is sent until this is awaited"]
pub struct UpdatePeer<U: Update> {
    state: Sending,
    update: PhantomData<fn() -> U>,
}

/// The end of another instance.
#[must_use = "nothing is waited for until this is awaited"]
pub struct Attach<T> {
    state: Sending,
    output: PhantomData<fn() -> T>,
}

impl<U: Update> std::fmt::Debug for UpdatePeer<U> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "update({:?}, {}(..))", self.state.to, U::NAME)
    }
}

impl<T> std::fmt::Debug for Attach<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "attach({:?}, ..)", self.state.to)
    }
}

impl DurableFuture for SendPeer {
    type Output = Result<(), SignalError>;

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(over) = self.state.poll(cx) else { return Poll::Pending };
        Poll::Ready(match over {
            Over::Done | Over::Value(_) => Ok(()),
            Over::Refused(refused) => Err(SignalError::refused(refused, &self.state.to)),
            Over::Error(error) => Err(SignalError::Cancelled { reason: error.to_string() }),
            Over::Unsent(error) => Err(error),
        })
    }

    fn quiet(&self) -> Option<Wait> {
        self.state.quiet()
    }
}

impl<U: Update> DurableFuture for UpdatePeer<U> {
    type Output = Result<U::Output, UpdateError>;

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(over) = self.state.poll(cx) else { return Poll::Pending };
        let id = &self.state.to;
        Poll::Ready(Err(match over {
            Over::Value(value) => {
                let mut slot = None;
                self.state.read(&value, TypeOf::of::<U::Output>(), &mut slot, cx);
                return slot.map_or(Poll::Pending, |answer| Poll::Ready(Ok(answer)));
            }
            Over::Done => UpdateError::Unanswered { id: id.clone() },
            Over::Refused(refused) => UpdateError::refused(refused, id),
            Over::Error(error) => SignalError::Cancelled { reason: error.to_string() }.into(),
            Over::Unsent(error) => error.into(),
        }))
    }

    fn quiet(&self) -> Option<Wait> {
        self.state.quiet()
    }
}

impl<T: Persist> DurableFuture for Attach<T> {
    type Output = Result<T, CallError>;

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(over) = self.state.poll(cx) else { return Poll::Pending };
        let not_found = || CallError::NotFound { id: self.state.to.clone() };
        Poll::Ready(Err(match over {
            Over::Value(value) => {
                let mut slot = None;
                self.state.read(&value, TypeOf::of::<T>(), &mut slot, cx);
                return slot.map_or(Poll::Pending, |output| Poll::Ready(Ok(output)));
            }
            Over::Error(error) => error,
            Over::Done | Over::Refused(_) | Over::Unsent(_) => not_found(),
        }))
    }

    fn quiet(&self) -> Option<Wait> {
        self.state.quiet()
    }
}

macro_rules! leaf {
    ($({$($generics:tt)*} $ty:ty => $output:ty, $new:expr;)*) => {$(
        impl<$($generics)*> Serialize for $ty {
            fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
                self.state.store(serializer)
            }
        }

        impl<'de, $($generics)*> Deserialize<'de> for $ty {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Sending::restore(deserializer).map($new)
            }
        }

        // Listing what can be awaited helps nobody who awaits something else.
        #[diagnostic::do_not_recommend]
        impl<$($generics)*> IntoDurableFuture for $ty {
            type Output = $output;
            type IntoFuture = Self;

            fn into_durable(self) -> Self {
                self
            }
        }
    )*};
}
leaf! {
    {} SendPeer => Result<(), SignalError>, |state| SendPeer { state };
    {U: Update} UpdatePeer<U> => Result<U::Output, UpdateError>, |state| UpdatePeer { state, update: PhantomData };
    {T: Persist} Attach<T> => Result<T, CallError>, |state| Attach { state, output: PhantomData };
}
