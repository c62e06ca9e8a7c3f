//! Why a message did not come through. Workflows see these too, so they can be stored.

use serde::{Deserialize, Serialize};

use super::MAX_MESSAGE_BYTES;
use crate::{
    context::Refused,
    engine::{EngineError, StartError},
};

/// Why a signal was not delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum SignalError {
    /// There is no instance with this id.
    #[error("there is no instance `{id}`: start it first, or with the message")]
    NotFound {
        /// The id.
        id: String,
    },
    /// The instance has ended.
    #[error("instance `{id}` has ended and receives nothing any more")]
    Closed {
        /// The id.
        id: String,
    },
    /// Too many messages wait for the instance.
    #[error(
        "{most} messages wait for instance `{id}`, which is the limit: try again when it has received some"
    )]
    Full {
        /// The id.
        id: String,
        /// The limit, which the engine's builder sets with `.max_messages(..)`.
        most: u64,
    },
    /// The message is too large.
    #[error(
        "the message has {bytes} bytes, and {MAX_MESSAGE_BYTES} are the limit: send the address of large data"
    )]
    TooLarge {
        /// Its bytes.
        bytes: u64,
    },
    /// The message can't be written so that it can be read again.
    #[error("the message can't be stored: {reason}")]
    Encode {
        /// Why not.
        reason: String,
    },
    /// The operation was cancelled before it came to anything.
    #[error("cancelled: {reason}")]
    Cancelled {
        /// What whoever cancelled it gave as the reason.
        reason: String,
    },
    /// The engine is shutting down or has been.
    #[error("the engine has been shut down")]
    Stopped,
    /// The store failed. Whether the message is there is not known: send it again, with the same key if it must not come twice.
    #[error("the store failed ({reason}): send it again, with the same key if it must not come twice")]
    Broken {
        /// The store's error.
        reason: String,
    },
}

/// Why an update has no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum UpdateError {
    /// It did not reach the instance.
    #[error(transparent)]
    Undelivered(#[from] SignalError),
    /// The workflow refused it.
    #[error("the update was rejected: {why}")]
    Rejected {
        /// The reason it gave.
        why: String,
    },
    /// The instance ended without an answer.
    #[error("instance `{id}` ended without answering")]
    Unanswered {
        /// The id.
        id: String,
    },
    /// The answer is not of the type asked for.
    #[error("the answer of instance `{id}` can't be read as asked: {reason}")]
    Decode {
        /// The id.
        id: String,
        /// Why not.
        reason: String,
    },
}

/// Why a start with an update came to nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartUpdateError {
    /// The instance was not started.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The instance is there; the update has no answer.
    #[error(transparent)]
    Update(#[from] UpdateError),
}

impl SignalError {
    pub(crate) fn of(error: EngineError, id: &str) -> Self {
        match error {
            EngineError::NotFound { .. } => SignalError::NotFound { id: id.into() },
            EngineError::Closed { .. } => SignalError::Closed { id: id.into() },
            EngineError::Stopped => SignalError::Stopped,
            EngineError::Broken { reason } => SignalError::Broken { reason },
            other => SignalError::Broken { reason: other.to_string() },
        }
    }

    pub(crate) fn refused(refused: Refused, id: &str) -> Self {
        match refused {
            Refused::NotFound => SignalError::NotFound { id: id.into() },
            Refused::Full { most } => SignalError::Full { id: id.into(), most },
            // The others are about answers, which nobody gives to a signal.
            Refused::Closed | Refused::Rejected { .. } | Refused::Unanswered | Refused::IdInUse => {
                SignalError::Closed { id: id.into() }
            }
        }
    }
}

impl UpdateError {
    pub(crate) fn refused(refused: Refused, id: &str) -> Self {
        match refused {
            Refused::Rejected { why } => UpdateError::Rejected { why },
            Refused::Unanswered => UpdateError::Unanswered { id: id.into() },
            other => SignalError::refused(other, id).into(),
        }
    }
}
