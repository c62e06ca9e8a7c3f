//! Cancellation as a workflow sees it.

use std::task::Poll;

use serde::{Deserialize, Serialize};

use crate::{
    context::{Context, Wait},
    future::{DurableFuture, IntoDurableFuture},
};

/// The cancellation of this instance, as something to wait for; see [`cancelled`].
#[derive(Debug, Serialize, Deserialize)]
#[must_use = "a cancellation is dealt with by whoever awaits it"]
#[serde(rename = "Cancelled")]
pub struct Cancelled(());

/// Waits until somebody cancels this instance, and gives the reason. For `select!` and races.
///
/// Whoever gets it has taken the cancellation as his own affair: the workflow goes on, may do durable work to clean up, and the status
/// is what it returns. That happens once; a second cancellation changes nothing. If nobody waits for it when the instance is cancelled, what
/// is awaited is dropped, running activities are told and waited for, compensations run, and the instance closes as `Cancelled`.
///
/// A passed deadline is not seen by this.
///
/// ```
/// # let _ =
/// durable_core::cancelled(); // `.await` it in a workflow, beside the work that it ends
/// ```
pub fn cancelled() -> Cancelled {
    Cancelled(())
}

impl DurableFuture for Cancelled {
    type Output = String;

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<String> {
        if let Some(why) = cx.take_cancellation() {
            return Poll::Ready(why);
        }
        cx.wait(Wait::Cancelled);
        Poll::Pending
    }

    fn quiet(&self) -> Option<Wait> {
        Some(Wait::Cancelled)
    }
}

// Listing what can be awaited helps nobody who awaits something else.
#[diagnostic::do_not_recommend]
impl IntoDurableFuture for Cancelled {
    type Output = String;
    type IntoFuture = Cancelled;

    fn into_durable(self) -> Cancelled {
        self
    }
}
