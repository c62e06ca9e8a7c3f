//! Workflows: the trait that the compiler implements, and calls of them.

use std::{marker::PhantomData, task::Poll};

use serde::{Deserialize, Serialize};

use crate::{
    codec::Persist,
    context::{Context, MAX_DEPTH, StepFailure},
    frame::{Frame, FrameImage},
    future::{DurableFuture, IntoDurableFuture},
    meta::WorkflowMeta,
    registry::Registration,
};

/// A compiled workflow. Implemented by `#[workflow]`, never by hand.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a workflow",
    note = "annotate the function with `#[workflow]`"
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
}

/// A workflow that an instance can be started with. Implemented by `#[workflow]`, never by hand, for every function
/// without type parameters.
#[diagnostic::on_unimplemented(
    message = "a generic workflow may be called from another workflow, but not started",
    label = "this workflow has type parameters",
    note = "the store knows a workflow by its name, which says nothing of type parameters: write a `#[workflow]` without them that calls this one, and start that"
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
    const META: &'static WorkflowMeta =
        &WorkflowMeta { name: "refused", function: "", file: "", line: 0, first: &[0], points: &[] };

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
    pub(crate) args: W::Args,
}

impl<W: Workflow> WorkflowCall<W> {
    #[doc(hidden)]
    pub fn new(args: W::Args) -> Self {
        WorkflowCall { args }
    }
}

impl<W: Workflow> std::fmt::Debug for WorkflowCall<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}(..)", W::META.name)
    }
}

impl<W: Workflow> IntoDurableFuture for WorkflowCall<W> {
    type Output = W::Output;
    type IntoFuture = Inline<W>;

    fn into_durable(self) -> Inline<W> {
        Inline { state: InlineState::Start(self.args), workflow: PhantomData }
    }
}

/// A workflow called from another: its frame is part of the caller's snapshot.
#[derive(Serialize, Deserialize)]
#[serde(bound = "", transparent)]
pub struct Inline<W: Workflow> {
    state: InlineState<W::Args>,
    #[serde(skip)]
    workflow: PhantomData<fn() -> W>,
}

#[derive(Serialize, Deserialize)]
#[serde(bound = "A: Persist", rename = "Call")]
enum InlineState<A> {
    Start(A),
    Suspended(FrameImage),
    Ended,
}

impl<W: Workflow> DurableFuture for Inline<W> {
    type Output = W::Output;

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<W::Output> {
        if cx.step.depth == MAX_DEPTH {
            cx.fail(StepFailure::TooDeep { workflow: W::META.name });
            return Poll::Pending;
        }
        cx.step.depth += 1;
        let (args, image) = match std::mem::replace(&mut self.state, InlineState::Ended) {
            InlineState::Start(args) => (Some(args), None),
            InlineState::Suspended(image) => (None, Some(image)),
            InlineState::Ended => panic!("workflow `{}` was polled after it ended", W::META.name),
        };
        let mut frame = Frame::new(cx.step, W::META, image);
        let polled = W::poll(&mut frame, args);
        if polled.is_pending()
            && let Some(image) = frame.into_image()
        {
            self.state = InlineState::Suspended(image);
        }
        cx.step.depth -= 1;
        polled
    }
}
