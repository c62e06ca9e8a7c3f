//! Operations that are started now and awaited later, if at all.

use super::Handle;
use crate::{
    activity::{Activity, ActivityCall},
    child::ChildCall,
    clock::to_ms,
    codec::{self, Persist},
    context::{NewOperation, StepFailure, ambient},
    time::{Sleep, now},
    workflow::{RootWorkflow, WorkflowCall},
};

/// What can be spawned: the call of an activity or a workflow, a timer.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be spawned",
    label = "only the call of an activity or a workflow, a child or a timer can be started by itself",
    note = "several operations together, or a block of code: write a `#[workflow]` that awaits them, and spawn its call",
    note = "see docs/errors/spawn.md"
)]
pub trait Spawn {
    /// What it gives.
    type Output: Persist;

    /// The operation that stands for it.
    #[doc(hidden)]
    fn operation(self) -> Result<NewOperation, StepFailure>;
}

/// Starts an operation now: it is committed with this step and begins after that. A workflow that is spawned runs beside the one that
/// spawned it, in the same instance, with a snapshot of its own.
///
/// Dropping the handle changes nothing. What still runs when the workflow ends is cancelled; so is what a branch that loses a race
/// has spawned. What nobody ever awaits is kept until then, its result too: [`Handle::detach`] it.
///
/// ```
/// # use durable_core::*;
/// # use std::time::Duration;
/// # fn in_a_workflow() {
/// let reminder = spawn(sleep(Duration::from_secs(86_400)));
/// # let _ =
/// reminder.cancel(); // `.await` it
/// # }
/// ```
///
/// # Panics
/// Outside of a workflow.
// The output is a parameter and no projection, so that what can't be spawned is one error and not two.
pub fn spawn<S: Spawn<Output = T>, T>(operation: S) -> Handle<T> {
    // Encoded before the step is asked for: a `Serialize` may spawn too.
    let operation = operation.operation();
    let id = ambient::with("spawn", |scratch| match operation {
        Ok(operation) => scratch.start(operation),
        Err(failure) => {
            scratch.rare.failure.get_or_insert(failure);
            0
        }
    });
    Handle::new(id)
}

#[diagnostic::do_not_recommend]
impl<A: Activity> Spawn for ActivityCall<A> {
    type Output = A::Output;

    fn operation(self) -> Result<NewOperation, StepFailure> {
        self.into_operation()
    }
}

impl<W: RootWorkflow> Spawn for WorkflowCall<W> {
    type Output = W::Output;

    fn operation(self) -> Result<NewOperation, StepFailure> {
        match codec::current(|codec| self.encode(codec)) {
            Ok(args) => Ok(NewOperation::Task { workflow: W::META.name.to_owned(), args }),
            Err(error) => {
                let what = format!("the arguments of workflow `{}`", W::META.name);
                Err(StepFailure::Encode { what, error })
            }
        }
    }
}

#[diagnostic::do_not_recommend]
impl<W: RootWorkflow> Spawn for ChildCall<W> {
    type Output = W::Output;

    fn operation(self) -> Result<NewOperation, StepFailure> {
        self.into_operation()
    }
}

#[diagnostic::do_not_recommend]
impl Spawn for Sleep {
    type Output = ();

    fn operation(self) -> Result<NewOperation, StepFailure> {
        let deadline_ms = match self {
            Sleep::For { duration_ms } => to_ms(now()).saturating_add(duration_ms),
            Sleep::Until { deadline_ms } => deadline_ms,
            Sleep::Set(_) => {
                let reason = "a timer that was awaited before can't be spawned: spawn a new one".to_owned();
                return Err(StepFailure::Incompatible { reason });
            }
        };
        Ok(NewOperation::Timer { deadline_ms })
    }
}
