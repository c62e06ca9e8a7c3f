//! What a step starts, and how it ends.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{FrameId, OperationId, depth::deeper};
use crate::{activity::OwnOptions, codec::Encoded, error::CallError};

/// An operation that a step starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum NewOperation {
    /// An activity call.
    Activity {
        /// The stored name of the activity.
        name: Cow<'static, str>,
        /// The encoded arguments.
        args: Encoded,
        /// What this call sets differently from the activity's own policy.
        options: OwnOptions,
    },
    /// A timer.
    Timer {
        /// When it fires, in milliseconds since the Unix epoch.
        deadline_ms: u64,
    },
    /// Something that is completed from outside, by whoever knows the secret.
    External {
        /// What its token proves.
        secret: [u8; 16],
    },
    /// A workflow that runs beside the main one, as part of the same instance.
    Task {
        /// The stored name of the workflow.
        workflow: String,
        /// The encoded arguments.
        args: Encoded,
    },
    /// An instance of its own that is completed by its end.
    Child(NewInstance),
    /// An instance of its own that is completed by its start.
    Start(NewInstance),
    /// Completed once this child was created, or is known not to be. Its id is the next one after the child's.
    Created {
        /// The child's operation.
        child: OperationId,
    },
    /// Something for another instance, by its id.
    Send(Outgoing),
    /// Runs the compensations of frames, the newest first.
    Unwind {
        /// Whose.
        frames: Vec<FrameId>,
        /// Which of them.
        which: Undo,
        /// It is completed when none is left; else nobody waits for that.
        awaited: bool,
    },
    /// A compensation that is pushed and not run.
    Compensation {
        /// The frame whose failure runs it.
        frame: FrameId,
        /// Whether it runs on success too.
        finally: bool,
        /// What it runs.
        #[serde(deserialize_with = "deeper")]
        call: Box<NewOperation>,
    },
}

/// Which compensations of a frame are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Undo {
    /// All.
    All,
    /// Those that make up for a failure.
    Compensations,
    /// Those that run on success too.
    Finally,
}

impl Undo {
    /// Whether it says so of one that runs on success too, or of another.
    pub(crate) fn covers(self, finally: bool) -> bool {
        match self {
            Undo::All => true,
            Undo::Compensations => !finally,
            Undo::Finally => finally,
        }
    }
}

/// An instance that another one starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewInstance {
    /// Its id.
    pub id: String,
    /// The stored name of its workflow.
    pub workflow: String,
    /// Its encoded arguments.
    pub args: Encoded,
    /// What becomes of it when the instance that started it ends; nothing if it is no child.
    pub on_close: Option<OnClose>,
    /// The engine makes an output of an end without one, as far as the workflow's type has an error for that.
    pub as_value: bool,
}

/// What becomes of a child when its parent ends before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnClose {
    /// It is cancelled, and runs its compensations.
    #[default]
    Cancel,
    /// It is terminated.
    Terminate,
    /// It goes on.
    Abandon,
}

/// What one instance sends to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outgoing {
    /// The id of the receiver.
    pub to: String,
    /// What it gets.
    pub what: Sent,
}

/// What an instance can get from another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sent {
    /// A signal; completed when it is in the receiver's mailbox.
    Signal {
        /// The signal's stored name.
        name: String,
        /// The signal.
        value: Encoded,
    },
    /// An update; completed by its answer.
    Update {
        /// The update's stored name.
        name: String,
        /// The update.
        value: Encoded,
    },
    /// A cancellation; completed when it is in the receiver's mailbox.
    Cancel {
        /// The reason.
        why: String,
    },
    /// Completed by the receiver's end.
    Attach,
}

/// How an operation ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Completion {
    /// With a value.
    Value(Encoded),
    /// The timer's deadline has passed.
    Fired,
    /// Without a value of its own.
    Error(CallError),
    /// Without a value, because there is none to give.
    Done,
    /// What was to be sent was refused.
    Refused(Refused),
}

/// Why something was not sent or not answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refused {
    /// There is no instance of this id.
    NotFound,
    /// It has ended.
    Closed,
    /// Its mailbox is full.
    Full {
        /// So many messages fit.
        most: u64,
    },
    /// The receiver refused the update.
    Rejected {
        /// The reason it gave.
        why: String,
    },
    /// The receiver ended without an answer.
    Unanswered,
    /// Another instance has the id.
    IdInUse,
}

/// An operation with the scope and the frame in which it was started.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) id: OperationId,
    pub(crate) scope: super::ScopeId,
    pub(crate) frame: FrameId,
    pub(crate) operation: NewOperation,
}
