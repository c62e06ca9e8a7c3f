//! A child that was started and is awaited later: its handle, and the wait for its creation.

use std::{fmt, marker::PhantomData, task::Poll};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Call, ChildFuture, ChildOutcome, ChildOutput, Waiting};
use crate::{
    codec::Persist,
    compose::leaf::Leaf,
    context::{Context, NewInstance, NewOperation, OperationId, Wait},
    future::{DurableFuture, IntoDurableFuture},
};

/// A child of this instance that was started. It can be stored, and dropping it changes nothing: the child ends with its parent as its
/// [`OnClose`](crate::OnClose) says. Awaiting it gives what the child returns.
#[must_use = "await it for what the child returns, or the child is cancelled when this workflow ends"]
pub struct ChildHandle<T> {
    operation: OperationId,
    id: String,
    output: PhantomData<fn() -> T>,
}

impl<T> ChildHandle<T> {
    /// The child's id, `<parent>/<id>`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Waits for the child's end and gives any end as it is.
    pub fn outcome(self) -> ChildOutcome<T> {
        ChildOutcome { waiting: Waiting(Ok(Leaf::Started(self.operation))), output: PhantomData }
    }
}

impl<T> fmt::Debug for ChildHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChildHandle({})", self.id)
    }
}

impl<T> Serialize for ChildHandle<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.operation, &self.id).serialize(serializer)
    }
}

impl<'de, T> Deserialize<'de> for ChildHandle<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (operation, id) = Deserialize::deserialize(deserializer)?;
        Ok(ChildHandle { operation, id, output: PhantomData })
    }
}

#[diagnostic::do_not_recommend]
impl<T: ChildOutput> IntoDurableFuture for ChildHandle<T> {
    type Output = T;
    type IntoFuture = ChildFuture<T>;

    fn into_durable(self) -> ChildFuture<T> {
        ChildFuture { waiting: Waiting(Ok(Leaf::Started(self.operation))), output: PhantomData }
    }
}

/// A wait for the creation of a child; see [`ChildCall::start`](super::ChildCall::start).
#[must_use = "a child does nothing until this is awaited"]
pub struct ChildStart<T> {
    state: State,
    output: PhantomData<fn() -> T>,
}

/// On disk: append only.
#[derive(Serialize, Deserialize)]
enum State {
    Unstarted(NewInstance),
    /// `created` is the operation that is over once the child is there.
    Started {
        child: OperationId,
        created: OperationId,
        id: String,
    },
    Ended,
    #[serde(skip)]
    Refused(Box<Call>),
}

impl<T> ChildStart<T> {
    pub(super) fn new(call: Call) -> Self {
        let state =
            if call.refused.is_none() { State::Unstarted(call.new) } else { State::Refused(Box::new(call)) };
        ChildStart { state, output: PhantomData }
    }
}

impl State {
    fn poll(&mut self, cx: &mut Context<'_>) -> Option<(OperationId, String)> {
        let (child, created, id) = match std::mem::replace(self, State::Ended) {
            State::Unstarted(new) => {
                let id = new.id.clone();
                let child = cx.start(NewOperation::Child(new));
                (child, cx.start(NewOperation::Created { child }), id)
            }
            State::Started { child, created, id } => (child, created, id),
            State::Refused(call) => {
                if let Err(failure) = call.into_new() {
                    cx.fail(failure);
                }
                return None;
            }
            State::Ended => panic!("the start of a child was polled after it ended"),
        };
        if cx.take(created).is_some() {
            return Some((child, id));
        }
        cx.wait(Wait::Op(created));
        *self = State::Started { child, created, id };
        None
    }
}

impl<T: Persist> DurableFuture for ChildStart<T> {
    type Output = ChildHandle<T>;

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ChildHandle<T>> {
        match self.state.poll(cx) {
            Some((operation, id)) => Poll::Ready(ChildHandle { operation, id, output: PhantomData }),
            None => Poll::Pending,
        }
    }

    fn quiet(&self) -> Option<Wait> {
        match self.state {
            State::Started { created, .. } => Some(Wait::Op(created)),
            _ => None,
        }
    }
}

#[diagnostic::do_not_recommend]
impl<T: Persist> IntoDurableFuture for ChildStart<T> {
    type Output = ChildHandle<T>;
    type IntoFuture = Self;

    fn into_durable(self) -> Self {
        self
    }
}

impl<T> fmt::Debug for ChildStart<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChildStart").finish_non_exhaustive()
    }
}

impl<T> Serialize for ChildStart<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if matches!(self.state, State::Refused(_)) {
            return Err(serde::ser::Error::custom("the arguments of a child can't be stored"));
        }
        let bytes = postcard::to_stdvec(&self.state).expect("the engine's own records always encode");
        serializer.serialize_bytes(&bytes)
    }
}

impl<'de, T> Deserialize<'de> for ChildStart<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = durable_store::bytes::deserialize(deserializer)?;
        let state = postcard::from_bytes(&bytes).map_err(serde::de::Error::custom)?;
        Ok(ChildStart { state, output: PhantomData })
    }
}
