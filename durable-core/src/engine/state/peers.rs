//! What an instance knows of those that it talks to, and of what was asked of it.

use durable_store::{Number, Slot};
use serde::{Deserialize, Serialize};

use crate::context::{OnClose, OperationId, ScopeId};

/// An operation of an instance, as another instance knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Address {
    pub(crate) slot: Slot,
    pub(crate) number: Number,
    pub(crate) operation: OperationId,
}

/// Who started an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Origin {
    /// The operation that stands for this instance there.
    pub(crate) by: Address,
    /// The id of that instance.
    pub(crate) id: String,
    /// What becomes of this instance when that one ends; nothing if it is no child.
    pub(crate) on_close: Option<OnClose>,
}

/// What another instance is asked for, and answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum PeerRequest {
    Update,
    Attach,
}

/// A message that a composition has taken and is not complete with. It goes back when the scope ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Held {
    pub(crate) queue: u64,
    pub(crate) seq: u64,
    pub(crate) scope: ScopeId,
}

/// An update that was received and not answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OpenRequest {
    /// Its number as a message.
    pub(crate) seq: u64,
    pub(crate) reply: ReplyTo,
    pub(crate) key: Option<[u8; 16]>,
}

/// Who waits for the answer to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ReplyTo {
    Nobody,
    /// A caller in this process, if it is still there.
    Caller,
    Instance(Address),
}

/// Why an instance is told to end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Cause {
    Cancel { why: String },
    Deadline,
}

/// An instance was told to end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stop {
    /// When, in the order of everything that happened to it.
    pub(crate) seq: u64,
    pub(crate) cause: Cause,
    /// The workflow deals with it.
    pub(crate) handled: bool,
    pub(crate) at_ms: u64,
}

impl Stop {
    /// Whether the workflow may still take it as its own affair.
    pub(crate) fn is_to_be_handled(&self) -> bool {
        !self.handled && matches!(self.cause, Cause::Cancel { .. })
    }
}
