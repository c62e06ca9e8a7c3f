//! Everything that generated code needs, and nobody else.

pub use std::{
    convert::Infallible,
    future::Future,
    option::Option::{None, Some},
    pin::{Pin, pin},
    task::{
        Context as TaskContext, Poll,
        Poll::{Pending, Ready},
        Waker,
    },
};

pub use inventory;
pub use serde;

pub use crate::{
    activity::*,
    codec::Persist,
    compose::*,
    engine::WorkflowFn,
    error::kind::{AdhocError, ChainError},
    error::*,
    frame::{Frame, Migration, NoText, Owned, Storable, kept::*},
    future::{DurableFuture, IntoDurableFuture},
    message::{Publish, Signal, Update},
    meta::{Points, WorkflowMeta},
    registry::{MessageType, NoMessage, Registration},
    steps::{IntoSteps, Listed, Ordered, Steps, Viewed},
    workflow::{Refused, RootWorkflow, Workflow, WorkflowCall},
};

/// The registration of a workflow, by its function.
pub const fn workflow_registration<P, F: WorkflowFn<P, Workflow: RootWorkflow>>(_: &F) -> Registration {
    <F::Workflow as RootWorkflow>::REGISTRATION
}

/// The registration of an activity, by its function.
pub const fn activity_registration<P, F: ActivityFn<P>>(_: &F) -> Registration {
    Registration::activity::<F::Activity>()
}

/// Makes the future of what is awaited, for the poll that follows. A panic is none, and goes on where the frame is left.
///
/// The future is a parameter and no projection, so that what can't be awaited is one error and not two.
#[inline(never)]
#[allow(improper_ctypes_definitions, reason = "as for `Storable`")]
pub extern "C" fn begin<F: IntoDurableFuture<IntoFuture = D>, D>(
    future: F,
    frame: &mut Frame<'_>,
) -> Option<D> {
    let (mut future, mut begun) = (Some(future), None);
    frame.guard(&mut |_| begun = future.take().map(IntoDurableFuture::into_durable));
    begun
}

/// The same inside the guard of an arm.
pub fn into_durable<F: IntoDurableFuture<IntoFuture = D>, D>(future: F) -> D {
    future.into_durable()
}

/// A suspension: it never comes back, because the machine is polled once and then dropped.
pub fn suspend() -> std::future::Pending<Infallible> {
    std::future::pending()
}

/// Polls a machine: to its next suspension or to its end. It is pinned here, because what `pin!` is made of is a lint in the user's
/// `impl` block.
#[inline]
pub fn poll_once<T>(machine: impl Future<Output = T>) -> Poll<T> {
    poll_pinned(pin!(machine))
}

#[inline(never)]
pub(crate) fn poll_pinned<T>(machine: Pin<&mut dyn Future<Output = T>>) -> Poll<T> {
    machine.poll(&mut TaskContext::from_waker(Waker::noop()))
}

/// Begins a loop over something owned.
///
/// The rest is a parameter and no projection, so that what can't be gone over is one error.
pub fn into_steps<I: IntoSteps<Steps = S>, S>(iterable: I) -> S {
    iterable.into_steps()
}

/// A value of which a snapshot would make a second one; see `CopiedByClone` and `CopiedByCodec`.
#[derive(Debug)]
pub struct Copied<'a, T>(pub &'a T);

/// The copy of a value that can be cloned.
pub trait CopiedByClone<T> {
    /// The copy.
    fn copied(&self) -> T;
}

impl<T: Clone> CopiedByClone<T> for Copied<'_, T> {
    fn copied(&self) -> T {
        self.0.clone()
    }
}

/// The copy of any other value: what a snapshot would give back.
pub trait CopiedByCodec<T> {
    /// The copy.
    fn copied(&self) -> T;
}

impl<T: Persist> CopiedByCodec<T> for &Copied<'_, T> {
    /// # Panics
    /// If the value does not come back, in which case it could not be stored either.
    fn copied(&self) -> T {
        crate::codec::current(|codec| {
            let mut bytes = Vec::new();
            let layout = codec.encode_into(self.0, &mut bytes).unwrap_or_else(|error| panic!("{error}"));
            codec.decode(layout, &bytes).unwrap_or_else(|error| panic!("{error}"))
        })
    }
}

/// Begins a loop over something borrowed.
pub fn ordered<I: Ordered>(iterable: I) -> I::IntoIter {
    iterable.into_iter()
}

/// The same loop after a restore, before its current item: it has given `count` items.
pub fn ordered_at<I: Ordered>(iterable: I, count: usize) -> I::IntoIter {
    before_current(iterable.into_iter(), count)
}

/// Begins a loop over a constant.
pub fn listed<I: Listed>(iterable: I) -> I::IntoIter {
    iterable.into_iter()
}

/// The same loop after a restore, as [`ordered_at`].
pub fn listed_at<I: Listed>(iterable: I, count: usize) -> I::IntoIter {
    before_current(iterable.into_iter(), count)
}

fn before_current<I: Iterator>(mut iterator: I, count: usize) -> I {
    if count > 1 {
        iterator.nth(count - 2);
    }
    iterator
}

/// Asks whether a method that looks something up belongs to a type of the standard library, so that it finds the same again.
pub fn viewed<T: Viewed + ?Sized>(_: &T) {}
