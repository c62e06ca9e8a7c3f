//! Instances that a workflow starts: children, which it waits for and which end with it, and others.
//!
//! A child is one operation of its parent, from the step that starts it to the child's end. Its start is committed with that step and
//! carried out after it, once, whatever crashes; its end is committed together with the parent's news of it (`engine/children`).
//!
//! The futures are made of one [`Waiting`], which knows no types: a call costs a user's crate little code.

mod handle;
mod start;

use std::{fmt, marker::PhantomData, task::Poll};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use handle::{ChildHandle, ChildStart};
pub use start::{StartedInstance, start};

use crate::{
    activity::FromCallError,
    codec::{self, EncodeError, Encoded, Persist, Slot, TypeOf},
    compose::leaf::Leaf,
    context::{Completion, Context, NewInstance, NewOperation, OnClose, StepFailure, Wait, ambient},
    error::CallError,
    future::{DurableFuture, IntoDurableFuture},
    workflow::{RootWorkflow, WorkflowCall},
};

/// A child instance that has not begun, under the id `<parent>/<id>`. Awaiting it starts it and gives what its workflow returns.
///
/// It has a snapshot, a history and a status of its own, which is what makes it worth its while: a thousand children run beside each
/// other, each is listed and cancelled by itself. A part of the same job is a plain call, `other_workflow(..).await`.
///
/// If it is cancelled, terminated, or passes its deadline, or another instance has its id, the error of its output says so
/// (`From<CallError>`). Where the output has none, await [`outcome`](ChildCall::outcome).
///
/// # Panics
/// Outside of a workflow.
pub fn child<W: RootWorkflow>(id: impl Into<String>, call: WorkflowCall<W>) -> ChildCall<W> {
    let id = id.into();
    let parent = ambient::with("child", |scratch| scratch.info.clone());
    // An id that is empty stays so, and is refused.
    let id = if id.is_empty() { id } else { format!("{}/{id}", parent.id) };
    ChildCall { call: Call::new(id, call, Some(OnClose::default())), begun: None, workflow: PhantomData }
}

/// A child that has not begun; see [`child`].
#[must_use = "a child does nothing until it is awaited, started or spawned"]
pub struct ChildCall<W: RootWorkflow> {
    call: Call,
    /// It was lent to a `select!`, which has started it.
    begun: Option<Leaf>,
    workflow: PhantomData<fn() -> W>,
}

/// The start of an instance of any workflow, as a workflow describes it.
#[derive(Clone, Serialize, Deserialize)]
struct Call {
    new: NewInstance,
    // The call has no way to report that its arguments can't be stored: the step that polls or stores it does.
    #[serde(skip)]
    refused: Option<EncodeError>,
}

impl Call {
    fn new<W: RootWorkflow>(id: String, call: WorkflowCall<W>, on_close: Option<OnClose>) -> Self {
        let args = codec::current(|codec| call.encode(codec));
        Self::of(id, W::META.name, args, on_close)
    }

    fn of(id: String, workflow: &str, args: Result<Encoded, EncodeError>, on_close: Option<OnClose>) -> Self {
        let (args, refused) = match args {
            Ok(args) => (args, None),
            Err(error) => {
                (Encoded { layout: codec::LayoutId(0), bytes: codec::Bytes::default() }, Some(error))
            }
        };
        let new = NewInstance { id, workflow: workflow.to_owned(), args, on_close, as_value: false };
        Call { new, refused }
    }

    fn into_new(self) -> Result<NewInstance, StepFailure> {
        match self.refused {
            None => Ok(self.new),
            Some(error) => {
                let what = format!("the arguments of workflow `{}`", self.new.workflow);
                Err(StepFailure::Encode { what, error })
            }
        }
    }
}

impl<W: RootWorkflow> ChildCall<W> {
    /// What becomes of the child if this instance ends before it. Default: [`OnClose::Cancel`].
    pub fn on_close(mut self, on_close: OnClose) -> Self {
        self.call.new.on_close = Some(on_close);
        self
    }

    /// Waits for the child's end and gives any end as it is: `Result<Output, CallError>`.
    pub fn outcome(self) -> ChildOutcome<W::Output> {
        ChildOutcome { waiting: self.waiting(), output: PhantomData }
    }

    /// Waits until the child was created, and gives a handle that can be stored. If it can't be created, because its id is in use,
    /// the handle says so when it is awaited.
    pub fn start(self) -> ChildStart<W::Output> {
        ChildStart::new(self.unstarted())
    }

    /// The operation that stands for it if nobody converts its end but the engine.
    pub(crate) fn into_operation(self) -> Result<NewOperation, StepFailure> {
        let mut call = self.unstarted();
        call.new.as_value = true;
        call.into_new().map(NewOperation::Child)
    }

    /// What starts it, which happens once.
    fn unstarted(mut self) -> Call {
        if self.begun.is_some() {
            let begun = "the child was started by a `select!`: await it instead";
            self.call.refused =
                Some(EncodeError::Serialize { type_name: W::META.name, message: begun.to_owned() });
        }
        self.call
    }

    fn waiting(self) -> Waiting {
        match self.begun {
            Some(Leaf::Started(id)) => Waiting(Ok(Leaf::Handed(id))),
            Some(leaf) => Waiting(Ok(leaf)),
            None => Waiting::new(self.call),
        }
    }

    /// Its future, for a `select!` to which it is lent. It has to be put back.
    pub(crate) fn take_future(&mut self) -> ChildFuture<W::Output> {
        let waiting = match self.begun.take() {
            // It stays where it was started.
            Some(leaf) => Waiting(Ok(leaf)),
            None => Waiting::new(self.call.clone()),
        };
        ChildFuture { waiting, output: PhantomData }
    }

    /// What was lent is back, started or not.
    pub(crate) fn put_future(&mut self, future: ChildFuture<W::Output>) {
        self.begun = future.waiting.0.ok().filter(|leaf| !matches!(leaf, Leaf::Unstarted(_)));
    }
}

impl<W: RootWorkflow> fmt::Debug for ChildCall<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "child `{}`: {}(..)", self.call.new.id, W::META.name)
    }
}

impl<W: RootWorkflow> Serialize for ChildCall<W> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.call.refused {
            None => (&self.call, &self.begun).serialize(serializer),
            Some(error) => Err(serde::ser::Error::custom(error)),
        }
    }
}

impl<'de, W: RootWorkflow> Deserialize<'de> for ChildCall<W> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (call, begun) = Deserialize::deserialize(deserializer)?;
        Ok(ChildCall { call, begun, workflow: PhantomData })
    }
}

/// What a workflow returns that can be awaited as a child: it has an error for the ends that are no return.
#[diagnostic::on_unimplemented(
    message = "a child can end without returning, and `{Self}` has no error for that",
    label = "a `Result` whose error is `From<durable::CallError>` is needed here",
    note = "await `.outcome()` instead, which is a `Result<Output, CallError>`",
    note = "or have the workflow return `durable::Result<..>`, or a `Result` whose error has a variant `#[from] durable::CallError`",
    note = "see docs/errors/child.md"
)]
pub trait ChildOutput: Persist {
    /// What awaits it. It is named here, so that an output that has none is one error and not two.
    #[doc(hidden)]
    type Child: DurableFuture<Output = Self>;
    /// Makes that.
    #[doc(hidden)]
    fn child(waiting: Waiting) -> Self::Child;
    /// The output that stands for an end without one.
    #[doc(hidden)]
    fn from_call_error(error: CallError) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: Persist, E: Persist + FromCallError> ChildOutput for Result<T, E> {
    type Child = ChildFuture<Self>;

    fn child(waiting: Waiting) -> ChildFuture<Self> {
        ChildFuture { waiting, output: PhantomData }
    }

    fn from_call_error(error: CallError) -> Self {
        Err(E::from_call_error(error))
    }
}

// Recommended, as it were: that its output has no error is what is wrong with a child that can't be awaited.
impl<W: RootWorkflow<Output: ChildOutput>> IntoDurableFuture for ChildCall<W> {
    type Output = W::Output;
    type IntoFuture = <W::Output as ChildOutput>::Child;

    fn into_durable(self) -> Self::IntoFuture {
        W::Output::child(self.waiting())
    }
}

/// An awaited child.
pub struct ChildFuture<T> {
    waiting: Waiting,
    output: PhantomData<fn() -> T>,
}

impl<T: ChildOutput> DurableFuture for ChildFuture<T> {
    type Output = T;

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<T> {
        let mut output = None;
        match self.waiting.poll(TypeOf::of::<T>(), &mut output, cx) {
            Polled::Failed(error) => Poll::Ready(T::from_call_error(error)),
            Polled::Ready | Polled::Pending => output.map_or(Poll::Pending, Poll::Ready),
        }
    }

    fn inspect(&mut self, cx: &mut Context<'_>) {
        self.waiting.inspect(TypeOf::of::<T>(), cx);
    }

    fn quiet(&self) -> Option<Wait> {
        self.waiting.quiet()
    }
}

/// An awaited child whose end is given as it is; see [`ChildCall::outcome`].
#[must_use = "a child does nothing until it is awaited"]
pub struct ChildOutcome<T> {
    waiting: Waiting,
    output: PhantomData<fn() -> T>,
}

impl<T> ChildOutcome<T> {
    /// Moves it out of its place, for a `select!` to which it is lent.
    pub(crate) fn take(&mut self) -> Self {
        let waiting = Waiting(std::mem::replace(&mut self.waiting.0, Ok(Leaf::Ended)));
        ChildOutcome { waiting, output: PhantomData }
    }
}

impl<T: Persist> DurableFuture for ChildOutcome<T> {
    type Output = Result<T, CallError>;

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut output = None;
        match self.waiting.poll(TypeOf::of::<T>(), &mut output, cx) {
            Polled::Failed(error) => Poll::Ready(Err(error)),
            Polled::Ready | Polled::Pending => output.map_or(Poll::Pending, |output| Poll::Ready(Ok(output))),
        }
    }

    fn inspect(&mut self, cx: &mut Context<'_>) {
        self.waiting.inspect(TypeOf::of::<T>(), cx);
    }

    fn quiet(&self) -> Option<Wait> {
        self.waiting.quiet()
    }
}

#[diagnostic::do_not_recommend]
impl<T: Persist> IntoDurableFuture for ChildOutcome<T> {
    type Output = Result<T, CallError>;
    type IntoFuture = Self;

    fn into_durable(self) -> Self {
        self
    }
}

/// Both are stored as what they wait for.
macro_rules! stored_as_waiting {
    ($($future:ident)*) => {$(
        impl<T> fmt::Debug for $future<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($future)).finish_non_exhaustive()
            }
        }

        impl<T> Serialize for $future<T> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.waiting.serialize(serializer)
            }
        }

        impl<'de, T> Deserialize<'de> for $future<T> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Ok($future { waiting: Waiting::deserialize(deserializer)?, output: PhantomData })
            }
        }
    )*};
}
stored_as_waiting!(ChildFuture ChildOutcome);

const CHILD: &str = "the result of a child";

/// A wait for the end of a child of whatever type.
#[doc(hidden)]
pub struct Waiting(Result<Leaf, Call>);

/// What a poll has come to.
enum Polled {
    Pending,
    /// The output is in its slot.
    Ready,
    /// It ended without an output.
    Failed(CallError),
}

impl Waiting {
    fn new(call: Call) -> Self {
        if call.refused.is_some() {
            return Waiting(Err(call));
        }
        Waiting(Ok(Leaf::new(NewOperation::Child(call.new))))
    }

    fn poll(&mut self, of: &TypeOf, output: &mut dyn Slot, cx: &mut Context<'_>) -> Polled {
        let completion = match &mut self.0 {
            Ok(leaf) => leaf.poll("a child", cx),
            Err(call) => {
                let what = format!("the arguments of workflow `{}`", call.new.workflow);
                if let Some(error) = call.refused.take() {
                    cx.fail(StepFailure::Encode { what, error });
                }
                None
            }
        };
        let Some(completion) = completion else { return Polled::Pending };
        match completion {
            Completion::Value(value) => match cx.decode_as(of, value.layout, &value.bytes, output) {
                Ok(()) => Polled::Ready,
                Err(error) => {
                    cx.fail(StepFailure::Decode { what: CHILD.to_owned(), error });
                    Polled::Pending
                }
            },
            Completion::Error(error) => Polled::Failed(error),
            // Only what has no value is done without one.
            Completion::Fired | Completion::Done | Completion::Refused(_) => {
                Polled::Failed(CallError::Panicked { message: "a child ended as something else".to_owned() })
            }
        }
    }

    fn inspect(&self, of: &TypeOf, cx: &mut Context<'_>) {
        let operation = self.0.as_ref().ok().and_then(Leaf::operation);
        cx.inspect(operation, of, CHILD);
    }

    fn quiet(&self) -> Option<Wait> {
        self.0.as_ref().ok()?.quiet()
    }
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiting").finish_non_exhaustive()
    }
}

impl Serialize for Waiting {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Ok(leaf) => serializer.serialize_bytes(&leaf.to_bytes()),
            Err(_) => Err(serde::ser::Error::custom("the arguments of a child can't be stored")),
        }
    }
}

impl<'de> Deserialize<'de> for Waiting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = durable_store::bytes::deserialize(deserializer)?;
        Leaf::from_bytes(&bytes).map(|leaf| Waiting(Ok(leaf))).map_err(serde::de::Error::custom)
    }
}
