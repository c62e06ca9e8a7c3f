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
use tokio::sync::oneshot;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

pub(crate) use view::MailView;

use super::{
    error::EngineError,
    state::{Address, Cause, ReplyTo},
};
use crate::{
    codec::Encoded,
    context::{Completion, OnClose, OperationId, Refused},
};

/// The queue of the engine's own messages.
pub(crate) const CONTROL: u64 = 0;

/// A message with its queue and its place there.
pub(crate) type Placed = (u64, u64, Message);

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
        /// What becomes of it if nobody waits for it any more.
        on_close: Option<OnClose>,
    },
    Stop(Cause),
    Terminate {
        why: String,
    },
    /// Somebody wants to be told of the receiver's end.
    Watch(Address),
    /// The receiver was forked.
    Forked {
        /// As this instance.
        id: String,
        /// After this step.
        step: u64,
    },
    /// Whoever wanted to be told of the receiver's end does not any more.
    Unwatch(Address),
}

/// Who sends a message from outside, and waits for its receipt or its answer.
#[derive(Debug)]
pub(crate) struct Sender {
    /// The id that it was sent to: its slot may hold another instance by now.
    pub(crate) to: String,
    reply: oneshot::Sender<Result<Answer, EngineError>>,
}

/// What the sender of a message is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It is durable.
    Received,
    Value(Encoded),
    Refused(Refused),
}

impl Answer {
    pub(crate) fn of(answer: Result<Encoded, Refused>) -> Self {
        answer.map_or_else(Answer::Refused, Answer::Value)
    }
}

impl Sender {
    /// With the place where the answer comes.
    pub(crate) fn new(to: &str) -> (Self, oneshot::Receiver<Result<Answer, EngineError>>) {
        let (reply, answer) = oneshot::channel();
        (Sender { to: to.into(), reply }, answer)
    }

    // Whoever does not wait any more needs no answer.
    pub(crate) fn answer(self, answer: Answer) {
        let _ = self.reply.send(Ok(answer));
    }

    /// Tells the sender that nothing was done.
    pub(crate) fn refuse(self, error: EngineError) {
        let _ = self.reply.send(Err(error));
    }

    /// Whether nobody waits any more.
    pub(crate) fn is_gone(&self) -> bool {
        self.reply.is_closed()
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

/// What a child gets that its parent does not wait for any more.
pub(crate) fn end_of_parent(on_close: OnClose) -> Option<Body> {
    let why = "its parent does not wait for it any more".to_owned();
    match on_close {
        OnClose::Cancel => Some(Body::Stop(Cause::Cancel { why })),
        OnClose::Terminate => Some(Body::Terminate { why }),
        OnClose::Abandon => None,
    }
}

/// What a queue holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MessageKind {
    Signal,
    Update,
}

impl MessageKind {
    fn bit(self) -> u64 {
        match self {
            MessageKind::Signal => 0,
            MessageKind::Update => 1,
        }
    }
}

impl std::fmt::Display for MessageKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            MessageKind::Signal => "a signal",
            MessageKind::Update => "an update",
        })
    }
}

/// The queue of a type of messages, by its stored name. Those of updates are odd: at the end of an instance they are looked for.
pub(crate) fn queue(kind: MessageKind, name: &str) -> u64 {
    (xxh3_64(name.as_bytes()) << 1).max(2) | kind.bit()
}

/// Whether a queue holds updates.
pub(crate) fn holds_updates(queue: u64) -> bool {
    queue % 2 == MessageKind::Update.bit()
}

/// What a key that a sender gave is remembered by. Signals and updates do not share keys: one of them has no answer to give.
pub(crate) fn key(kind: MessageKind, text: &str) -> [u8; 16] {
    xxh3_128(format!("{}:{text}", kind.bit()).as_bytes()).to_le_bytes()
}

impl Message {
    /// One of the engine's own.
    pub(crate) fn control(body: Body, now_ms: u64) -> Self {
        Message { name: String::new(), body, reply: ReplyTo::Nobody, key: None, sent_ms: now_ms }
    }

    /// Of a message of the user's.
    pub(crate) fn kind(&self) -> MessageKind {
        if matches!(self.body, Body::Update(_)) { MessageKind::Update } else { MessageKind::Signal }
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
