//! Mail: what reaches an instance from outside and from other instances, in queues.
//!
//! A message that is taken at once never becomes a row of the store; the others do, and wait. Queue 0 is the engine's own and drained
//! before a step; every other queue is one type of signal or update.
//!
//! Invariant: a message is taken in the transition of the step that takes it, or it is still there.

mod outgoing;
pub(crate) mod resolve;
mod view;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

pub(crate) use view::MailView;

use super::state::{Address, Cause, ReplyTo};
use crate::{
    codec::Encoded,
    context::{Completion, OperationId, Refused},
};

/// The queue of the engine's own messages.
pub(crate) const CONTROL: u64 = 0;

/// A message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Message {
    /// The stored name of its type; empty in the control queue.
    pub(crate) name: String,
    pub(crate) body: Body,
    pub(crate) reply: ReplyTo,
    /// What its sender gave so that it counts once.
    pub(crate) key: Option<[u8; 16]>,
    pub(crate) sent_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Body {
    Signal(Encoded),
    Update(Encoded),
    /// An operation of the receiver is over.
    Completed {
        operation: OperationId,
        completion: Completion,
        failed: bool,
    },
    /// A child of the receiver was created.
    Created {
        operation: OperationId,
        child: Address,
    },
    Stop(Cause),
    Terminate {
        why: String,
    },
    /// Somebody wants to be told of the receiver's end.
    Watch(Address),
}

/// Who sends a message from outside, and what it waits for.
#[derive(Debug)]
pub(crate) enum Sender {
    /// Its receipt.
    #[allow(dead_code, reason = "its senders follow")]
    Signal(tokio::sync::oneshot::Sender<Result<(), super::error::EngineError>>),
    /// Its answer.
    #[allow(dead_code, reason = "its senders follow")]
    Update(tokio::sync::oneshot::Sender<Result<Result<Encoded, Refused>, super::error::EngineError>>),
}

impl Sender {
    /// Tells the sender that nothing was done.
    pub(crate) fn refuse(self, error: super::error::EngineError) {
        match self {
            Sender::Signal(reply) => drop(reply.send(Err(error))),
            Sender::Update(reply) => drop(reply.send(Err(error))),
        }
    }
}

/// What stands under a key that a sender gave, as long as the run is retained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum KeyRow {
    Signal,
    /// An update that is not answered.
    Pending {
        seq: u64,
    },
    Answered(Result<Encoded, Refused>),
}

/// What a queue holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MessageKind {
    Signal,
    Update,
}

/// The queue of a type of messages, by its stored name.
pub(crate) fn queue(kind: MessageKind, name: &str) -> u64 {
    let prefix = match kind {
        MessageKind::Signal => "s:",
        MessageKind::Update => "u:",
    };
    xxh3_64(format!("{prefix}{name}").as_bytes()).max(1)
}

impl Message {
    /// One of the engine's own.
    pub(crate) fn control(body: Body, now_ms: u64) -> Self {
        Message { name: String::new(), body, reply: ReplyTo::Nobody, key: None, sent_ms: now_ms }
    }

    /// The queue that it waits in.
    pub(crate) fn queue(&self) -> u64 {
        match self.body {
            Body::Signal(_) => queue(MessageKind::Signal, &self.name),
            Body::Update(_) => queue(MessageKind::Update, &self.name),
            _ => CONTROL,
        }
    }
}
