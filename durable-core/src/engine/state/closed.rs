//! How an instance ended.

use serde::{Deserialize, Serialize};

use super::Origin;
use crate::{codec::Encoded, context::Completion, error::CallError};

/// How an instance ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ClosedState {
    pub(crate) end: End,
    pub(crate) steps: u64,
    pub(crate) tags: Vec<(String, String)>,
    /// Messages that it had not received.
    pub(crate) unread: u32,
    /// The last published value of each type, by its name.
    pub(crate) published: Vec<(String, Encoded)>,
    /// Who started it, if it was an instance.
    pub(crate) origin: Option<Origin>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum End {
    /// The workflow returned; `failed` says that it was an `Err`.
    Returned {
        value: Encoded,
        failed: bool,
    },
    Terminated {
        why: String,
    },
    Cancelled {
        why: String,
    },
    DeadlineExceeded,
}

impl End {
    /// What whoever waits for it gets, and whether it failed.
    pub(crate) fn completion(&self) -> (Completion, bool) {
        let error = match self {
            End::Returned { value, failed } => return (Completion::Value(value.clone()), *failed),
            End::Terminated { why } => CallError::Terminated { reason: why.clone() },
            End::Cancelled { why } => CallError::Cancelled { reason: why.clone() },
            End::DeadlineExceeded => CallError::DeadlineExceeded,
        };
        (Completion::Error(error), true)
    }
}
