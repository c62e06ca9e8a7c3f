//! Why a step could not be made.

use super::MAX_DEPTH;
use crate::codec::{DecodeError, EncodeError};

/// What helps where a variable can't be read.
pub(crate) const LET_IT_READ: &str = "let today's type read what was stored (`#[serde(default)]`, `#[serde(alias)]`, `Option`, a \
     wider number), or give the variable another name and make it again behind the await; `#[workflow(migrate = ..)]` can make the new value of the \
     old one";

impl StepFailure {
    /// The same for a frame that could not be resumed, with what would help.
    pub(crate) fn of_a_frame(&self) -> String {
        match self {
            StepFailure::Decode { .. } => format!("{self}; {LET_IT_READ}"),
            _ => self.to_string(),
        }
    }
}

/// Why a step could not be made. The instance parks at its last snapshot.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StepFailure {
    /// A value can't be written so that it can be read again.
    #[error("{what}: {error}")]
    Encode {
        /// Which value.
        what: String,
        /// Why not.
        #[source]
        error: EncodeError,
    },
    /// A stored value can't be read by this build.
    #[error("{what}: {error}")]
    Decode {
        /// Which value.
        what: String,
        /// Why not.
        #[source]
        error: DecodeError,
    },
    /// The snapshot does not fit the program.
    #[error("{reason}")]
    Incompatible {
        /// What does not fit and what would.
        reason: String,
    },
    /// The workflow waits for something that the engine knows nothing of.
    #[error(
        "workflow `{workflow}` awaited a future that is not durable: wrap what it does in an #[activity]"
    )]
    Foreign {
        /// The workflow's name.
        workflow: &'static str,
    },
    /// A snapshot is too large.
    #[error(
        "the snapshot of workflow `{workflow}` has {bytes} bytes, and {most} are the limit: keep large data outside and its address in the workflow, or raise `.max_snapshot_bytes(..)` of the engine's builder"
    )]
    TooLarge {
        /// The workflow's name.
        workflow: &'static str,
        /// Its bytes.
        bytes: usize,
        /// The limit.
        most: usize,
    },
    /// What a step gives away is too large.
    #[error(
        "{what} has {bytes} bytes, and {most} are the limit: give the address of large data, or raise `.max_message_bytes(..)` of the engine's builder"
    )]
    ValueTooLarge {
        /// What.
        what: String,
        /// Its bytes.
        bytes: usize,
        /// The limit.
        most: usize,
    },
    /// Workflows call each other too deeply.
    #[error("workflow `{workflow}` is called {MAX_DEPTH} calls deep; turn the recursion into a loop")]
    TooDeep {
        /// The workflow that was called.
        workflow: &'static str,
    },
    /// Too many operations are open at once.
    #[error(
        "an instance may have {most} operations open at once: await some of them before more are started, or raise `.max_operations(..)` of the engine's builder"
    )]
    TooManyOperations {
        /// The limit.
        most: usize,
    },
}
