//! What makes up for a workflow that fails: compensations, pushed as it goes on and run in reverse.
//!
//! Here is what a workflow says; `engine/advance/unwind` runs them.

use std::task::Poll;

use serde::{Deserialize, Serialize};

use crate::{
    compose::Spawn,
    context::{Context, NewOperation, OperationId, StepFailure, Undo, Wait, ambient},
    future::{DurableFuture, IntoDurableFuture},
};

/// What can be pushed as a compensation: whatever can be spawned.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be pushed to be run later",
    label = "only the call of an activity or a workflow, a child or a timer can be run at the end",
    note = "it is stored, and run when the workflow ends, perhaps after a restart: give the call itself, without `.await`, as in `compensate(refund(id))`",
    note = "several operations, or a block of code: write a `#[workflow]` and give its call",
    note = "see docs/errors/compensate.md"
)]
pub trait Compensate: Spawn {}

#[diagnostic::do_not_recommend]
impl<S: Spawn> Compensate for S {}

/// A compensation that was pushed. It can be stored; dropping it changes nothing.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compensation {
    id: OperationId,
}

/// Pushes a compensation: it is run when this workflow ends in an `Err`, is cancelled or passes its deadline, after those that were
/// pushed later. It is committed with this step.
///
/// There is one stack per workflow call. A called workflow that returns `Err` has run its own before its caller gets the error; if it
/// returns `Ok`, they are its caller's from then on. A workflow that was spawned does the same, and so does a branch that loses a race.
///
/// Each is called with its own retry policy, which has no end by default. One that fails for good is recorded and the others run; then the
/// instance parks with all that failed ([`ParkReason::Compensation`](crate::ParkReason::Compensation)), until a person tries them again or
/// terminates the instance. Terminating runs none.
///
/// ```
/// use durable_core::{Error, compensate};
/// use durable_macros::{activity, workflow};
///
/// #[activity(crate = durable_core)]
/// async fn book(hotel: &str) -> Result<u64, Error> {
/// #   Ok(hotel.len() as u64)
/// }
///
/// #[activity(crate = durable_core)]
/// async fn give_back(booking: u64) -> Result<(), Error> {
/// #   let _ = booking;
/// #   Ok(())
/// }
///
/// #[workflow(crate = durable_core)]
/// async fn trip(hotel: String) -> Result<u64, Error> {
///     let booking = book(&hotel).await?;
///     compensate(give_back(booking));
///     // From here on every `?` gives the booking back.
///     Ok(booking)
/// }
/// ```
///
/// # Panics
/// Outside of a workflow.
#[allow(clippy::needless_pass_by_value, reason = "it is stored")]
pub fn compensate<S: Compensate>(operation: S) -> Compensation {
    push("compensate", operation.operation(), false)
}

/// Pushes what is run when this workflow ends, whether in an `Err` or not: as [`compensate`], and on success too. One that is called has run
/// it before its caller gets the result.
///
/// # Panics
/// Outside of a workflow.
pub fn finally<S: Compensate>(operation: S) -> Compensation {
    push("finally", operation.operation(), true)
}

/// Its arguments were written before the step is asked for: a `Serialize` may push too.
fn push(what: &'static str, operation: Result<NewOperation, StepFailure>, finally: bool) -> Compensation {
    let id = ambient::with(what, |scratch| match operation {
        Ok(call) => {
            let frame = scratch.frame;
            scratch.start(NewOperation::Compensation { frame, finally, call: Box::new(call) })
        }
        Err(failure) => {
            scratch.rare.failure.get_or_insert(failure);
            0
        }
    });
    Compensation { id }
}

impl Compensation {
    /// It is not needed any more. Does nothing if it has run or is being run.
    ///
    /// # Panics
    /// Outside of a workflow.
    #[allow(clippy::needless_pass_by_value, reason = "it is over")]
    pub fn dismiss(self) {
        ambient::with("Compensation::dismiss", |scratch| scratch.dismiss(self.id));
    }
}

/// Runs what this workflow has pushed with [`compensate`], the newest first, and goes on: for a workflow that tries again, or another way,
/// with what it has done so far undone. What was pushed with [`finally`] stays for the end.
///
/// One that fails for good parks the instance here, when the others have run.
pub fn compensate_now() -> CompensateNow {
    CompensateNow { unwind: None }
}

/// Compensations that run; see [`compensate_now`].
#[derive(Debug, Serialize, Deserialize)]
#[must_use = "nothing is compensated until it is awaited"]
pub struct CompensateNow {
    unwind: Option<OperationId>,
}

impl CompensateNow {
    /// The same once more, for a `select!` to which it is lent.
    pub(crate) fn copy(&self) -> Self {
        CompensateNow { unwind: self.unwind }
    }
}

impl DurableFuture for CompensateNow {
    type Output = ();

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let id = if let Some(id) = self.unwind {
            if cx.take(id).is_some() {
                return Poll::Ready(());
            }
            id
        } else {
            let which = Undo::Compensations;
            let frame = cx.step.scratch.borrow().frame;
            if !cx.step.scratch.borrow().has_compensations(frame, which) {
                return Poll::Ready(());
            }
            cx.start(NewOperation::Unwind { frames: vec![frame], which, awaited: true })
        };
        self.unwind = Some(id);
        cx.wait(Wait::Op(id));
        Poll::Pending
    }

    fn quiet(&self) -> Option<Wait> {
        self.unwind.map(Wait::Op)
    }
}

// Listing what can be awaited helps nobody who awaits something else.
#[diagnostic::do_not_recommend]
impl IntoDurableFuture for CompensateNow {
    type Output = ();
    type IntoFuture = CompensateNow;

    fn into_durable(self) -> CompensateNow {
        self
    }
}
