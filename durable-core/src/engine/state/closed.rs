//! How an instance ended.

use serde::{Deserialize, Serialize};

use crate::codec::Encoded;

/// How an instance ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ClosedState {
    pub(crate) end: End,
    pub(crate) steps: u64,
    pub(crate) tags: Vec<(String, String)>,
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
}
