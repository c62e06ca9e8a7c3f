//! Everything that generated code needs, and nobody else.

pub use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    task::{Context as TaskContext, Poll, Waker},
};

pub use inventory;
pub use serde;

pub use crate::{
    activity::*,
    codec::Persist,
    error::kind::{AdhocError, ChainError},
    error::*,
    frame::{Frame, Keep, Load, Storable, Var, storable},
    future::{DurableFuture, IntoDurableFuture},
    meta::{PointMeta, WorkflowMeta},
    registry::Registration,
    steps::{IntoSteps, Ordered, Steps},
    workflow::{Refused, RootWorkflow, Workflow, WorkflowCall},
};

/// Makes the future of what is awaited.
///
/// The future is a parameter and no projection, so that what can't be awaited is one error and not two.
pub fn into_durable<F: IntoDurableFuture<IntoFuture = D>, D>(future: F) -> D {
    future.into_durable()
}

/// A suspension: it never comes back, because the machine is polled once and then dropped.
pub async fn suspend() -> Infallible {
    std::future::pending().await
}

/// Polls a machine: to its next suspension or to its end.
pub fn poll_once<T>(machine: impl Future<Output = T>) -> Poll<T> {
    std::pin::pin!(machine).poll(&mut TaskContext::from_waker(Waker::noop()))
}

/// Begins a loop over something borrowed.
pub fn ordered<I: Ordered>(iterable: I) -> I::IntoIter {
    iterable.into_iter()
}

/// The same loop after a restore, before its current item: it has given `count` items.
pub fn ordered_at<I: Ordered>(iterable: I, count: usize) -> I::IntoIter {
    let mut iterator = iterable.into_iter();
    if count > 1 {
        iterator.nth(count - 2);
    }
    iterator
}
