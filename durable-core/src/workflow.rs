//! Workflows: the trait that the compiler implements, and calls of them.

use std::{any::Any, marker::PhantomData, task::Poll};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{
    activity::{Ended, Says},
    codec::{self, EncodeError, Encoded, Persist, Slot, TypeOf},
    context::{Context, FrameId, MAX_DEPTH, NewOperation, OperationId, StepFailure, Undo, Wait},
    frame::{Frame, FrameImage, witnesses::Callee},
    future::{DurableFuture, IntoDurableFuture},
    meta::{Points, WorkflowMeta},
    registry::Registration,
};

/// A compiled workflow. Implemented by `#[workflow]`, never by hand.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a workflow",
    note = "annotate the function with `#[workflow]`",
    note = "see docs/errors/not-annotated.md"
)]
pub trait Workflow: 'static {
    /// The parameters, as one tuple.
    type Args: Persist;
    /// What it returns.
    type Output;
    /// Its name, place and resume points.
    const META: &'static WorkflowMeta;

    /// Runs the machine to its next suspension. `args` is there exactly at the start.
    fn poll(frame: &mut Frame<'_>, args: Option<Self::Args>) -> Poll<Self::Output>;

    /// How its output is stored, and what it says of failure.
    #[doc(hidden)]
    fn ended() -> Ended<Self::Output> {
        Ended { stored: None, says: Says::nothing() }
    }
}

/// A workflow that an instance can be started with. Implemented by `#[workflow]`, never by hand, for every function
/// without type parameters.
#[diagnostic::on_unimplemented(
    message = "a generic workflow may be called from another workflow, but not started",
    label = "this workflow has type parameters",
    note = "the store knows a workflow by its name, which says nothing of type parameters: write a `#[workflow]` without them that calls this one, and start that",
    note = "see docs/errors/workflow-function.md"
)]
pub trait RootWorkflow: Workflow<Output: Persist> {
    #[doc(hidden)]
    const REGISTRATION: Registration;
}

/// Stands for a workflow that does not compile, so that its callers do.
#[doc(hidden)]
pub struct Refused<A, O>(PhantomData<fn(A) -> O>);

impl<A: Persist, O: 'static> Workflow for Refused<A, O> {
    type Args = A;
    type Output = O;
    const META: &'static WorkflowMeta = &WorkflowMeta {
        name: "refused",
        was: &[],
        args: &[],
        function: "",
        file: "",
        line: 0,
        deadline_ms: None,
        migrate: None,
        first: &[0],
        points: {
            static POINTS: Points = Points::new("");
            &POINTS
        },
    };

    fn poll(_: &mut Frame<'_>, _: Option<A>) -> Poll<O> {
        unreachable!("a workflow that does not compile never runs")
    }
}

#[diagnostic::do_not_recommend]
impl<A: Persist, O: Persist> RootWorkflow for Refused<A, O> {
    const REGISTRATION: Registration = Registration::workflow::<Self>();
}

/// A call of a workflow that has not begun: to be started on an engine, or awaited in a workflow.
#[must_use = "a workflow does nothing until it is started or awaited"]
pub struct WorkflowCall<W: Workflow> {
    call: Kept<W::Args>,
}

/// A call that may be kept and collected: its arguments, or how far it has come where it was lent to a `select!`. On disk: append only.
#[derive(Serialize, Deserialize)]
#[serde(rename = "WorkflowCall", bound = "A: Persist")]
enum Kept<A> {
    Unstarted(A),
    Begun(InlineState),
}

impl<W: Workflow> WorkflowCall<W> {
    #[doc(hidden)]
    pub fn new(args: W::Args) -> Self {
        WorkflowCall { call: Kept::Unstarted(args) }
    }

    /// Its arguments, encoded for an instance or a spawned workflow of its own.
    pub(crate) fn encode(&self, codec: &codec::Codec) -> Result<Encoded, EncodeError> {
        match &self.call {
            Kept::Unstarted(args) => codec.encode_as(const { TypeOf::of::<W::Args>() }, args),
            Kept::Begun(_) => Err(EncodeError::Serialize {
                type_name: W::META.name,
                message: "the call was begun by a `select!`: await it instead".to_owned(),
            }),
        }
    }

    /// Its future, for a `select!` to which it is lent. It has to be put back.
    pub(crate) fn take_future(&mut self) -> Inline<W> {
        let call = std::mem::replace(&mut self.call, Kept::Begun(InlineState::Ended));
        WorkflowCall { call }.into_durable()
    }

    /// What was lent is back, started or not.
    pub(crate) fn put_future(&mut self, future: Inline<W>) {
        self.call = match future.args {
            Some(args) => Kept::Unstarted(args),
            None => Kept::Begun(future.state),
        };
    }
}

impl<W: Workflow> Serialize for WorkflowCall<W> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.call.serialize(serializer)
    }
}

impl<'de, W: Workflow> Deserialize<'de> for WorkflowCall<W> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(WorkflowCall { call: Kept::deserialize(deserializer)? })
    }
}

impl<W: Workflow> std::fmt::Debug for WorkflowCall<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}(..)", W::META.name)
    }
}

// Listing what can be awaited helps nobody who awaits something else.
#[diagnostic::do_not_recommend]
impl<W: Workflow> IntoDurableFuture for WorkflowCall<W> {
    type Output = W::Output;
    type IntoFuture = Inline<W>;

    fn into_durable(self) -> Inline<W> {
        match self.call {
            Kept::Unstarted(args) => Inline { args: Some(args), state: InlineState::Ended },
            Kept::Begun(state) => Inline { args: None, state },
        }
    }
}

/// A workflow called from another: its frame is part of the caller's snapshot.
pub struct Inline<W: Workflow> {
    /// Of a call that has not begun; its state is made of them when it is stored.
    args: Option<W::Args>,
    state: InlineState,
}

/// The state of a call of any workflow, as it is stored.
#[derive(Serialize, Deserialize)]
#[serde(rename = "Call")]
enum InlineState {
    Start(Encoded),
    Suspended {
        frame: FrameId,
        image: FrameImage,
    },
    /// It has returned, and its caller gets that when its compensations have run.
    Returned {
        frame: FrameId,
        output: Encoded,
        unwind: OperationId,
    },
    Ended,
}

impl<W: Workflow> Serialize for Inline<W> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(args) = &self.args else {
            return self.state.serialize(serializer);
        };
        match codec::current(|codec| codec.encode_as(const { TypeOf::of::<W::Args>() }, args)) {
            Ok(args) => InlineState::Start(args).serialize(serializer),
            Err(error) => Err(serde::ser::Error::custom(error)),
        }
    }
}

impl<'de, W: Workflow> Deserialize<'de> for Inline<W> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let state = InlineState::deserialize(deserializer)?;
        Ok(Inline { args: None, state })
    }
}

impl<W: Workflow> DurableFuture for Inline<W> {
    type Output = W::Output;

    fn inspect(&mut self, cx: &mut Context<'_>) {
        if cx.step.learning.is_some() {
            return cx.learn(|| Callee::Workflow(W::META.name.to_owned()));
        }
        if let Some((stored, what)) = self.state.stored() {
            let (mut args, mut output): (Option<W::Args>, Option<W::Output>) = (None, None);
            let read = if what == "arguments" {
                cx.decode_as(const { TypeOf::of::<W::Args>() }, stored.layout, &stored.bytes, &mut args)
            } else {
                W::ended().stored.map_or(Ok(()), |kept| {
                    cx.decode_as(kept.of, stored.layout, &stored.bytes, (kept.slot)(&mut output))
                })
            };
            if let Err(error) = read {
                let what = format!("the {what} of workflow `{}`", W::META.name);
                cx.fail(StepFailure::Decode { what, error });
            }
            return;
        }
        let mut none: Option<W::Args> = None;
        let of = const { TypeOf::of::<W::Args>() };
        if let Some((mut frame, id, caller)) = self.state.enter(W::META, of, &mut none, cx) {
            // It loads what it needs and looks at what it awaits, no more.
            loop {
                let _ = W::poll(&mut frame, None);
                if !frame.again(of, &mut none) {
                    break;
                }
            }
            self.state.leave(frame, id, caller, true);
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<W::Output> {
        if matches!(self.state, InlineState::Returned { .. }) {
            let mut output = None;
            let stored = W::ended().stored.map(|stored| (stored.of, (stored.slot)(&mut output)));
            self.state.unwound(W::META, stored, cx);
            return output.map_or(Poll::Pending, Poll::Ready);
        }
        let mut args = self.args.take();
        let Some((mut frame, id, caller)) =
            self.state.enter(W::META, const { TypeOf::of::<W::Args>() }, &mut args, cx)
        else {
            return Poll::Pending;
        };
        let polled = loop {
            let polled = W::poll(&mut frame, args.take());
            if polled.is_ready() || !frame.again(const { TypeOf::of::<W::Args>() }, &mut args) {
                break polled;
            }
        };
        self.state.leave(frame, id, caller, polled.is_pending());
        let Poll::Ready(output) = polled else { return Poll::Pending };
        let ended = W::ended();
        if self.state.returned(
            (id, caller),
            ended.failed(&output),
            W::META,
            ended.stored.map(|stored| stored.of),
            &output,
            cx,
        ) {
            Poll::Ready(output)
        } else {
            Poll::Pending
        }
    }
}

impl InlineState {
    /// What was stored of a call that is not suspended: its arguments, or its result.
    fn stored(&self) -> Option<(&Encoded, &'static str)> {
        match self {
            InlineState::Start(args) => Some((args, "arguments")),
            InlineState::Returned { output, .. } => Some((output, "result")),
            InlineState::Suspended { .. } | InlineState::Ended => None,
        }
    }

    /// Makes the frame of the call. Its arguments are in their slot, or were stored and come into it.
    fn enter<'a>(
        &mut self,
        meta: &'static WorkflowMeta,
        of: &TypeOf,
        args: &mut dyn Slot,
        cx: &'a mut Context<'_>,
    ) -> Option<(Frame<'a>, FrameId, FrameId)> {
        if cx.step.depth == MAX_DEPTH {
            cx.fail(StepFailure::TooDeep { workflow: meta.name });
            return None;
        }
        let (frame, image) = match std::mem::replace(self, InlineState::Ended) {
            InlineState::Start(stored) => {
                if let Err(error) = cx.decode_as(of, stored.layout, &stored.bytes, args) {
                    cx.fail(StepFailure::Decode {
                        what: format!("the arguments of workflow `{}`", meta.name),
                        error,
                    });
                    return None;
                }
                (None, None)
            }
            InlineState::Suspended { frame, image } => (Some(frame), Some(image)),
            InlineState::Ended if args.value().is_some() => (None, None),
            InlineState::Ended | InlineState::Returned { .. } => {
                panic!("workflow `{}` was polled after it ended", meta.name)
            }
        };
        cx.step.depth += 1;
        let mut scratch = cx.step.scratch.borrow_mut();
        let frame = frame.unwrap_or_else(|| scratch.open_frame());
        let caller = std::mem::replace(&mut scratch.frame, frame);
        drop(scratch);
        Some((Frame::new(cx.step.again(), meta, image), frame, caller))
    }

    /// Keeps where the call is suspended.
    fn leave(&mut self, frame: Frame<'_>, id: FrameId, caller: FrameId, is_pending: bool) {
        let (step, image) = frame.leave(is_pending);
        step.depth -= 1;
        if let (Some(_), Some(dry)) = (&step.failure, &mut step.dry) {
            dry.nested = true;
        }
        step.scratch.borrow_mut().frame = caller;
        if let Some(image) = image {
            *self = InlineState::Suspended { frame: id, image };
        }
    }

    /// The call has returned. What it pushed for this case is run before its caller gets that: then it is kept, and false is given.
    fn returned(
        &mut self,
        (frame, caller): (FrameId, FrameId),
        failed: bool,
        meta: &WorkflowMeta,
        of: Option<&TypeOf>,
        output: &dyn Any,
        cx: &mut Context<'_>,
    ) -> bool {
        let which = if failed { Undo::All } else { Undo::Finally };
        if cx.has_failed() || !cx.step.scratch.borrow().has_compensations(frame, which) {
            cx.step.scratch.borrow_mut().hand_over(frame, caller);
            return true;
        }
        let Some((of, value)) = of.and_then(|of| Some((of, (of.emit)(output)?))) else {
            cx.fail(StepFailure::Incompatible {
                reason: format!(
                    "workflow `{}` has compensations to run, and its output is of a type that can't be stored while they do",
                    meta.name
                ),
            });
            return false;
        };
        match cx.step.codec.encode_as(of, value) {
            Ok(output) => {
                let frames = vec![frame];
                let unwind = cx.start(NewOperation::Unwind { frames, which, awaited: true });
                cx.wait(Wait::Op(unwind));
                *self = InlineState::Returned { frame, output, unwind };
            }
            Err(error) => {
                let what = format!("the result of workflow `{}`", meta.name);
                cx.fail(StepFailure::Encode { what, error });
            }
        }
        false
    }

    /// Gives what the call has returned, once its compensations have run.
    fn unwound(
        &mut self,
        meta: &WorkflowMeta,
        stored: Option<(&TypeOf, &mut dyn Slot)>,
        cx: &mut Context<'_>,
    ) {
        let InlineState::Returned { frame, unwind, output } = &*self else { return };
        if cx.take(*unwind).is_none() {
            cx.wait(Wait::Op(*unwind));
            return;
        }
        let mut scratch = cx.step.scratch.borrow_mut();
        let caller = scratch.frame;
        scratch.hand_over(*frame, caller);
        drop(scratch);
        match stored.map(|(of, slot)| cx.decode_as(of, output.layout, &output.bytes, slot)) {
            Some(Ok(())) => *self = InlineState::Ended,
            Some(Err(error)) => {
                let what = format!("the result of workflow `{}`", meta.name);
                cx.fail(StepFailure::Decode { what, error });
            }
            None => cx.fail(StepFailure::Incompatible {
                reason: format!(
                    "the result of workflow `{}` was stored and is of a type that can't be",
                    meta.name
                ),
            }),
        }
    }
}
