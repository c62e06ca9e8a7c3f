//! Rewinding: an instance goes back to an earlier step.

use tokio::sync::oneshot;

use crate::engine::{advance::Command, copies::NotKept, error::EngineError, handle::WorkflowHandle};

/// Why an instance was not rewound.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RewindError {
    /// No snapshot of that step is kept.
    #[error("{0}")]
    NotKept(NotKept),
    /// It can't go on from there.
    #[error("instance `{id}` can't be rewound to step {step}: {reason}")]
    Impossible {
        /// The instance's id.
        id: String,
        /// The step.
        step: u64,
        /// Why not.
        reason: String,
    },
    /// The engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl<T> WorkflowHandle<T> {
    /// Has the instance go back to where it stood after a step, and go on from there by this build. One that is parked is no more; one that is
    /// paused stays so, so that it can be looked at before it goes on.
    ///
    /// [`snapshots`](WorkflowHandle::snapshots) lists the steps. What the instance has begun since is cancelled: attempts are told, timers
    /// cleared, children told as their [`OnClose`](crate::OnClose) says. What it had under way then and has no more is done anew: activities are
    /// called again *with the idempotency key that they had*, and a token that was used since can be used again. Messages that it has received since
    /// wait for it again, in their old order; an update that was answered is not answered again. What its activities have done outside
    /// since is done, and compensations that were pushed for it since are forgotten. Steps go on being counted.
    ///
    /// ```no_run
    /// # async fn f(engine: durable_core::Engine) -> Result<(), Box<dyn std::error::Error>> {
    /// engine.handle("order-1042").rewind_to(2).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`RewindError::NotKept`] names the steps that are kept; [`RewindError::Impossible`] says what can't be had again.
    pub async fn rewind_to(&self, step: u64) -> Result<(), RewindError> {
        let (refused, mut why) = oneshot::channel();
        let done = self.command(Command::Rewind { step, refused }).await;
        match why.try_recv() {
            Ok(error) => Err(error),
            Err(_) => Ok(done?),
        }
    }
}
