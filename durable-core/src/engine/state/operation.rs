//! The operations that an instance has started and not consumed.

use std::{borrow::Cow, ops::Deref, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{Address, PeerRequest};
use crate::{
    activity::{IdempotencyKey, OwnOptions},
    codec::Encoded,
    context::{Completion, FrameId, NewInstance, NewOperation, OperationId, Outgoing, ScopeId, Undo, Wait},
    engine::history::HistoryEvent,
    registry::Machine,
};

/// An operation that the instance started and has not consumed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Operation {
    pub(crate) id: OperationId,
    /// The scope whose end cancels it.
    pub(crate) scope: ScopeId,
    /// It was told to end, and its last word is waited for.
    pub(crate) stopped: bool,
    /// Nobody waits for its end.
    pub(crate) detached: bool,
    pub(crate) kind: OperationKind,
    /// What happened to it and is not in the instance's history yet.
    pub(crate) notes: Vec<HistoryEvent>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum OperationKind {
    Activity(Box<ActivityOperation>),
    Timer {
        deadline_ms: u64,
    },
    /// Completed from outside by whoever knows the secret.
    External {
        secret: [u8; 16],
    },
    /// A workflow that runs beside the main one.
    Task(Box<Task>),
    /// A child; `address` is known once it was created.
    Child {
        child: Box<NewInstance>,
        address: Option<Address>,
    },
    /// An instance to be started, until it was.
    Start(Box<NewInstance>),
    /// The creation of a child is waited for: the operation before this one.
    Created,
    /// Something for another instance, from the step to its commit.
    Send(Box<Outgoing>),
    /// Something that another instance answers.
    Call {
        to: Address,
        request: PeerRequest,
    },
    Unwind(Box<Unwind>),
    Compensation(Box<Compensation>),
    Done(Done),
}

/// An operation that has ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Done {
    /// When, in the order of everything that happened to the instance.
    pub(crate) seq: u64,
    /// Whether it ended in an error, of whatever kind.
    pub(crate) failed: bool,
    pub(crate) completion: Completion,
}

/// A workflow that runs beside the main one, with a snapshot of its own. Its frame and the scope of what it starts are named by
/// its operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Task {
    pub(crate) workflow: String,
    pub(crate) machine: Machine,
    pub(crate) wait: Option<Wait>,
    pub(crate) since_ms: u64,
    /// The frame that spawned it, which gets its compensations if it ends well.
    pub(crate) caller: FrameId,
}

/// Compensations are run, one after the other, the newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Unwind {
    /// Of these frames; of all if there are none: the instance ends.
    pub(crate) frames: Option<Vec<FrameId>>,
    pub(crate) which: Undo,
    pub(crate) then: Then,
}

/// What follows when no compensation is left.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Then {
    /// Nobody waits for that.
    Forget,
    /// It is done.
    Complete,
    /// A spawned workflow has ended like this; what else it pushed goes to its caller.
    Return { completion: Completion, failed: bool, caller: Option<FrameId> },
}

/// What is run when the frame that pushed it fails.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Compensation {
    pub(crate) frame: FrameId,
    /// It runs on success too.
    pub(crate) finally: bool,
    pub(crate) call: NewOperation,
    pub(crate) phase: Phase,
    /// Why what it called has failed for good, once that is known.
    pub(crate) error: Option<String>,
}

impl Compensation {
    /// The name of what it calls.
    pub(crate) fn name(&self) -> &str {
        match &self.call {
            NewOperation::Activity { name, .. } => name,
            NewOperation::Task { workflow, .. } => workflow,
            NewOperation::Child(child) => &child.workflow,
            NewOperation::Timer { .. } => "sleep",
            _ => "operation",
        }
    }
}

/// Where a compensation stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Phase {
    Armed,
    /// As this operation.
    Running(OperationId),
    /// For good.
    Failed,
}

/// A pending activity call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ActivityOperation {
    #[serde(with = "shared")]
    called: Arc<Called>,
    /// Attempts that ended without a result.
    pub(crate) failed_attempts: u32,
    /// When the next attempt is due; in the past if it is running or waits for its turn.
    pub(crate) next_attempt_ms: u64,
    pub(crate) last_error: Option<String>,
    pub(crate) progress: Option<Encoded>,
}

/// What stays as it is while a call is attempted: each attempt has it without a copy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Called {
    /// Of this build's activity where the call was started by it.
    pub(crate) name: Cow<'static, str>,
    pub(crate) args: Encoded,
    pub(crate) options: OwnOptions,
    key: [u8; 16],
    pub(crate) scheduled_ms: u64,
}

/// Written as what is shared.
mod shared {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<T: Serialize, S: Serializer>(
        it: &Arc<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        T::serialize(it, serializer)
    }

    pub(super) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Arc<T>, D::Error> {
        T::deserialize(deserializer).map(Arc::new)
    }
}

impl Operation {
    pub(crate) fn new(id: OperationId, scope: ScopeId, kind: OperationKind) -> Self {
        Operation { id, scope, stopped: false, detached: false, kind, notes: Vec::new() }
    }

    pub(crate) fn done(&self) -> Option<&Done> {
        match &self.kind {
            OperationKind::Done(done) => Some(done),
            _ => None,
        }
    }
}

impl ActivityOperation {
    pub(crate) fn new(
        name: Cow<'static, str>,
        args: Encoded,
        options: OwnOptions,
        key: u128,
        now_ms: u64,
    ) -> Self {
        let key = key.to_le_bytes();
        ActivityOperation {
            called: Arc::new(Called { name, args, options, key, scheduled_ms: now_ms }),
            failed_attempts: 0,
            next_attempt_ms: now_ms,
            last_error: None,
            progress: None,
        }
    }

    /// The same call, made once more: under this key, or under its own.
    pub(crate) fn again(&self, key: Option<u128>, now_ms: u64) -> Self {
        let key = key.unwrap_or(u128::from_le_bytes(self.key));
        ActivityOperation::new(self.name.clone(), self.args.clone(), self.options.clone(), key, now_ms)
    }

    /// What all attempts of it have in common.
    pub(crate) fn called(&self) -> Arc<Called> {
        self.called.clone()
    }

    /// Its time counts from now on.
    pub(crate) fn count_from(&mut self, now_ms: u64) {
        Arc::make_mut(&mut self.called).scheduled_ms = now_ms;
    }

    /// The name of the activity, of a call that is over.
    pub(crate) fn into_name(self) -> String {
        // Its last attempt is over too: there is nobody left to share with.
        match Arc::try_unwrap(self.called) {
            Ok(called) => called.name.into_owned(),
            Err(shared) => shared.name.clone().into_owned(),
        }
    }
}

impl Deref for ActivityOperation {
    type Target = Called;

    fn deref(&self) -> &Called {
        &self.called
    }
}

impl Called {
    pub(crate) fn key(&self) -> IdempotencyKey {
        IdempotencyKey::from_bits(u128::from_le_bytes(self.key))
    }
}
