//! Durable futures: futures whose state can be stored.

use std::task::Poll;

use crate::{
    codec::{Persist, TypeOf},
    context::{Context, Wait},
    frame::Frame,
};

/// A value with stored state that the engine polls: `std::future::Future` with one more supertrait,
/// and the same laws. It is not polled again after it was ready.
pub trait DurableFuture: Persist {
    /// What it gives.
    type Output;

    /// Moves as far as it can. Before `Pending` it says in `cx` what it waits for.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Self::Output>;

    /// Keeps it in the frame that awaits it. Default: under its own type.
    #[doc(hidden)]
    fn keep(&self, frame: &mut Frame<'_>) {
        frame.keep_awaited(const { TypeOf::of::<Self>() }, self);
    }

    /// Takes it back out of the frame. Default: as its own type.
    #[doc(hidden)]
    fn restore(frame: &mut Frame<'_>) -> Option<Self> {
        frame.restore()
    }

    /// Looks whether this build can go on with what was stored, without moving: whoever holds other futures asks them. What can't go on
    /// fails the step.
    #[doc(hidden)]
    fn inspect(&mut self, _cx: &mut Context<'_>) {}

    /// What it waits for, if polling it before that is there would change nothing: a composition then leaves it alone. Default: it
    /// acts on everything that happens.
    fn quiet(&self) -> Option<Wait> {
        None
    }
}

/// What can be awaited in a workflow.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be awaited in a workflow",
    label = "not durable: a crash would lose it",
    note = "if it is an `async fn` of yours: annotate it with `#[activity]` if it deals with the world, with `#[workflow]` if it calls activities",
    note = "anything else, a request, a lock, a channel: do it inside an `#[activity]` and await its call; `durable::sleep` is there",
    note = "several operations: `.join()`, `.try_join()` or `.race()` of a tuple or a `Vec` of them; of a `JoinSet`, `.join_next()` or `.collect()`",
    note = "see docs/errors/await-not-durable.md"
)]
pub trait IntoDurableFuture {
    /// What awaiting it gives.
    type Output;
    /// The future it becomes.
    type IntoFuture: DurableFuture<Output = Self::Output>;

    /// Makes the future.
    fn into_durable(self) -> Self::IntoFuture;
}
