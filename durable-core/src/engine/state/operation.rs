//! The operations that an instance has started and not consumed.

use serde::{Deserialize, Serialize};

use crate::{
    activity::{CallOptions, IdempotencyKey},
    codec::Encoded,
    context::{Completion, OperationId},
};

/// An operation that the instance started and has not consumed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Operation {
    pub(crate) id: OperationId,
    pub(crate) kind: OperationKind,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum OperationKind {
    Activity(Box<ActivityOperation>),
    Timer { deadline_ms: u64 },
    Done(Completion),
}

/// A pending activity call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ActivityOperation {
    pub(crate) name: String,
    pub(crate) args: Encoded,
    pub(crate) options: CallOptions,
    key: [u8; 16],
    pub(crate) scheduled_ms: u64,
    /// Attempts that ended without a result.
    pub(crate) failed_attempts: u32,
    /// When the next attempt is due; in the past if it is running or waits for its turn.
    pub(crate) next_attempt_ms: u64,
    pub(crate) last_error: Option<String>,
    pub(crate) progress: Option<Encoded>,
}

impl ActivityOperation {
    pub(crate) fn new(name: String, args: Encoded, options: CallOptions, key: u128, now_ms: u64) -> Self {
        ActivityOperation {
            name,
            args,
            options,
            key: key.to_le_bytes(),
            scheduled_ms: now_ms,
            failed_attempts: 0,
            next_attempt_ms: now_ms,
            last_error: None,
            progress: None,
        }
    }

    pub(crate) fn key(&self) -> IdempotencyKey {
        IdempotencyKey::from_bits(u128::from_le_bytes(self.key))
    }
}
