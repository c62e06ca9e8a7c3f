//! What a durable future sees while it is polled, and what a step leaves behind.
//!
//! A [`Step`] is pure: it takes completed operations and gives the operations to start. Nothing in
//! here touches the store or begins an effect; the engine does both after the step was committed.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    activity::CallOptions,
    codec::{Codec, DecodeError, EncodeError, Encoded, LayoutId, Slot, TypeOf},
    error::CallError,
    frame::Frames,
};

/// Names an operation within its instance.
pub type OperationId = u64;

/// The most inline workflow calls that may be nested in one another.
pub const MAX_DEPTH: u32 = 64;

/// The most bytes that the snapshot of one workflow function may have.
pub const MAX_SNAPSHOT_BYTES: usize = 512 << 20;

/// An operation that a step starts.
#[derive(Debug)]
pub enum NewOperation {
    /// An activity call.
    Activity {
        /// The stored name of the activity.
        name: String,
        /// The encoded arguments.
        args: Encoded,
        /// What this call sets differently from the activity's own policy.
        options: CallOptions,
    },
    /// A timer.
    Timer {
        /// When it fires, in milliseconds since the Unix epoch.
        deadline_ms: u64,
    },
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
}

/// What would let a pending future move.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wait {
    /// The operation's completion.
    Op(OperationId),
    /// All of these.
    All(Vec<Wait>),
    /// Any one of these.
    Any(Vec<Wait>),
    /// All of these, or the first that ends in an error.
    FirstErr(Vec<Wait>),
}

impl Wait {
    /// Whether what has been completed is enough to move.
    pub fn is_met(&self, done: &dyn Fn(OperationId) -> bool) -> bool {
        match self {
            Wait::Op(id) => done(*id),
            Wait::All(all) | Wait::FirstErr(all) => all.iter().all(|wait| wait.is_met(done)),
            Wait::Any(any) => any.iter().any(|wait| wait.is_met(done)),
        }
    }

    /// The operations named in this tree.
    pub fn operations(&self) -> Vec<OperationId> {
        match self {
            Wait::Op(id) => vec![*id],
            Wait::All(parts) | Wait::Any(parts) | Wait::FirstErr(parts) => {
                parts.iter().flat_map(Wait::operations).collect()
            }
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
        "the snapshot of workflow `{workflow}` has {bytes} bytes, and {MAX_SNAPSHOT_BYTES} are the limit: keep large data outside and its address in the workflow"
    )]
    TooLarge {
        /// The workflow's name.
        workflow: &'static str,
        /// Its bytes.
        bytes: usize,
    },
    /// Workflows call each other too deeply.
    #[error("workflow `{workflow}` is called {MAX_DEPTH} calls deep; turn the recursion into a loop")]
    TooDeep {
        /// The workflow that was called.
        workflow: &'static str,
    },
}

/// One step of one instance: what goes in and what comes out.
#[derive(Debug)]
pub struct Step {
    pub(crate) codec: Arc<Codec>,
    pub(crate) frames: Arc<Frames>,
    pub(crate) now_ms: u64,
    pub(crate) next_operation: OperationId,
    pub(crate) done: Vec<(OperationId, Completion)>,
    pub(crate) started: Vec<(OperationId, NewOperation)>,
    pub(crate) wait: Option<Wait>,
    pub(crate) failure: Option<StepFailure>,
    pub(crate) depth: u32,
}

impl Step {
    pub(crate) fn new(
        codec: Arc<Codec>,
        frames: Arc<Frames>,
        now_ms: u64,
        next_operation: OperationId,
        done: Vec<(OperationId, Completion)>,
    ) -> Self {
        Step {
            codec,
            frames,
            now_ms,
            next_operation,
            done,
            started: Vec::new(),
            wait: None,
            failure: None,
            depth: 0,
        }
    }
}

/// What a durable future is polled with.
#[derive(Debug)]
pub struct Context<'a> {
    pub(crate) step: &'a mut Step,
}

impl Context<'_> {
    /// The engine's codec.
    pub fn codec(&self) -> &Codec {
        &self.step.codec
    }

    /// Decodes a stored value. Its layout may be known to the store alone: another process wrote it.
    pub(crate) fn decode_as(
        &self,
        of: &TypeOf,
        layout: LayoutId,
        bytes: &[u8],
        slot: &mut dyn Slot,
    ) -> Result<(), DecodeError> {
        self.step.frames.decode_as(&self.step.codec, of, layout, bytes, slot)
    }

    /// The engine's clock, in milliseconds since the Unix epoch: the time of this step.
    pub fn now_ms(&self) -> u64 {
        self.step.now_ms
    }

    /// Starts an operation. It is committed with this step and begins after that.
    pub fn start(&mut self, operation: NewOperation) -> OperationId {
        let id = self.step.next_operation;
        self.step.next_operation += 1;
        self.step.started.push((id, operation));
        id
    }

    /// The completion of an operation that has ended; consumes it.
    pub fn take(&mut self, id: OperationId) -> Option<Completion> {
        let at = self.step.done.iter().position(|(done, _)| *done == id)?;
        Some(self.step.done.swap_remove(at).1)
    }

    /// Says what would let the future move. To be called before every `Poll::Pending`.
    pub fn wait(&mut self, wait: Wait) {
        self.step.wait = Some(wait);
    }

    /// Says that this step can't go on: the instance parks. To be followed by `Poll::Pending`.
    /// Of several failures the first counts.
    pub fn fail(&mut self, failure: StepFailure) {
        self.step.failure.get_or_insert(failure);
    }
}
