//! What the engine keeps of an instance, as the store sees it: bytes.

use std::fmt;

use durable_store::{Instance, Number, Slot, Timer};
use serde::{Deserialize, Serialize};

use super::history::{Tail, clip};
use crate::{
    activity::{CallOptions, IdempotencyKey},
    codec::Encoded,
    context::{Completion, OperationId, Wait},
    registry::Machine,
};

/// A live instance in memory: the stored record and its decoded state.
#[derive(Clone, Debug)]
pub(crate) struct Loaded {
    pub(crate) id: String,
    pub(crate) number: Number,
    pub(crate) workflow: String,
    pub(crate) started_ms: u64,
    /// What the stored record says; an update tells the store when it changes.
    pub(crate) stored_active: bool,
    /// How long the stored state is: the next one is about as long.
    pub(crate) stored_bytes: usize,
    pub(crate) state: InstanceState,
}

/// Everything that changes when an instance moves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct InstanceState {
    /// Steps committed.
    pub(crate) steps: u64,
    pub(crate) next_operation: OperationId,
    /// The build that took the snapshot.
    pub(crate) build: u64,
    pub(crate) machine: Machine,
    pub(crate) wait: Option<Wait>,
    pub(crate) since_ms: u64,
    pub(crate) operations: Vec<Operation>,
    pub(crate) parked: Option<Parked>,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) history: Tail,
}

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

/// Why and since when an instance is parked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Parked {
    pub(crate) reason: ParkReason,
    pub(crate) at_ms: u64,
    /// The build that parked it: another one tries again.
    pub(crate) build: u64,
}

/// Why an instance is parked: a person or a new build is needed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ParkReason {
    /// The workflow panicked.
    Panicked {
        /// The panic's message.
        message: String,
        /// File and line of the panic.
        place: String,
    },
    /// An activity used up its attempts and the workflow is not to see the error.
    Exhausted {
        /// The activity's name.
        activity: String,
        /// The last error.
        error: String,
    },
    /// A workflow or an activity is in the store and not in this build.
    NotInBuild {
        /// What is missing.
        name: String,
    },
    /// An activity needs a dependency that was not given to the engine's builder.
    MissingState {
        /// The activity's name.
        activity: String,
        /// The type of the dependency.
        type_name: String,
    },
    /// The snapshot or a value does not fit this build, or can't be written.
    Incompatible {
        /// What does not fit.
        reason: String,
    },
}

impl ParkReason {
    /// With messages of a length that can be stored.
    pub(crate) fn clipped(self) -> Self {
        match self {
            ParkReason::Panicked { message, place } => ParkReason::Panicked { message: clip(message), place },
            ParkReason::Exhausted { activity, error } => {
                ParkReason::Exhausted { activity, error: clip(error) }
            }
            ParkReason::Incompatible { reason } => ParkReason::Incompatible { reason: clip(reason) },
            short @ (ParkReason::NotInBuild { .. } | ParkReason::MissingState { .. }) => short,
        }
    }
}

impl fmt::Display for ParkReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ParkReason::Panicked { message, place } => {
                write!(f, "the workflow panicked at {place}: {message}")
            }
            ParkReason::Exhausted { activity, error } => {
                write!(f, "activity `{activity}` used up its attempts: {error}")
            }
            ParkReason::NotInBuild { name } => write!(f, "{name} is not in this build"),
            ParkReason::MissingState { activity, type_name } => write!(
                f,
                "activity `{activity}` needs a `State<{type_name}>`: give it to the engine's builder with `.state(..)`"
            ),
            ParkReason::Incompatible { reason } => f.write_str(reason),
        }
    }
}

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

/// Where an instance stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// It has an activity under way, or is about to step.
    Running,
    /// It waits for a timer or a message.
    Waiting,
    /// It is held back by hand.
    Paused,
    /// It can't go on: a person or a new build is needed.
    Parked(ParkReason),
    /// It returned.
    Completed,
    /// It returned an error.
    Failed,
    /// It was cancelled.
    Cancelled,
    /// It was terminated by hand.
    Terminated,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Status::Running => f.write_str("running"),
            Status::Waiting => f.write_str("waiting"),
            Status::Paused => f.write_str("paused"),
            Status::Parked(reason) => write!(f, "parked: {reason}"),
            Status::Completed => f.write_str("completed"),
            Status::Failed => f.write_str("failed"),
            Status::Cancelled => f.write_str("cancelled"),
            Status::Terminated => f.write_str("terminated"),
        }
    }
}

impl Status {
    /// Whether the instance has ended.
    pub fn is_closed(&self) -> bool {
        matches!(self, Status::Completed | Status::Failed | Status::Cancelled | Status::Terminated)
    }

    /// Whether this is the same kind of status, whatever the reason.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Status::Running => 0,
            Status::Waiting => 1,
            Status::Paused => 2,
            Status::Parked(_) => 3,
            Status::Completed => 4,
            Status::Failed => 5,
            Status::Cancelled => 6,
            Status::Terminated => 7,
        }
    }
}

impl InstanceState {
    pub(crate) fn new(args: Encoded, tags: Vec<(String, String)>, build: u64, now_ms: u64) -> Self {
        InstanceState {
            steps: 0,
            next_operation: 1,
            build,
            machine: Machine::Start(args),
            wait: None,
            since_ms: now_ms,
            operations: Vec::new(),
            parked: None,
            tags,
            history: Tail::default(),
        }
    }

    pub(crate) fn status(&self) -> Status {
        if let Some(parked) = &self.parked {
            Status::Parked(parked.reason.clone())
        } else if self.operations.iter().any(|op| matches!(op.kind, OperationKind::Activity(_)))
            || self.is_ready()
        {
            Status::Running
        } else {
            Status::Waiting
        }
    }

    /// Whether the machine can move with what is done.
    pub(crate) fn is_ready(&self) -> bool {
        let done =
            |id| self.operations.iter().any(|op| op.id == id && matches!(op.kind, OperationKind::Done(_)));
        self.parked.is_none() && self.wait.as_ref().is_none_or(|wait| wait.is_met(&done))
    }

    /// The status's code, and whether the engine must look at the instance at start-up. A parked
    /// one counts: a new build tries it again.
    fn summary(&self) -> (u8, bool) {
        let status = self.status();
        (status.code(), status != Status::Waiting)
    }

    pub(crate) fn operation(&mut self, id: OperationId) -> Option<&mut Operation> {
        self.operations.iter_mut().find(|op| op.id == id)
    }

    pub(crate) fn pending_activity(&mut self, id: OperationId) -> Option<&mut ActivityOperation> {
        match &mut self.operation(id)?.kind {
            OperationKind::Activity(activity) => Some(activity),
            _ => None,
        }
    }

    pub(crate) fn activities(&self) -> impl Iterator<Item = (OperationId, &ActivityOperation)> {
        self.operations.iter().filter_map(|op| match &op.kind {
            OperationKind::Activity(activity) => Some((op.id, &**activity)),
            _ => None,
        })
    }

    pub(crate) fn timers(&self, slot: Slot) -> impl Iterator<Item = Timer> {
        self.operations.iter().filter_map(move |op| match op.kind {
            OperationKind::Timer { deadline_ms } => Some(Timer { deadline_ms, slot, operation: op.id }),
            _ => None,
        })
    }
}

impl Loaded {
    /// Reads a stored record.
    pub(crate) fn read(instance: Instance) -> Result<Self, String> {
        let stored_bytes = instance.state.len();
        let state = postcard::from_bytes(&instance.state)
            .map_err(|error| format!("the record of instance `{}` can't be read: {error}", instance.id))?;
        Ok(Loaded {
            id: instance.id,
            number: instance.number,
            workflow: instance.workflow,
            started_ms: instance.started_ms,
            stored_active: instance.active,
            stored_bytes,
            state,
        })
    }

    /// The record to be stored.
    pub(crate) fn record(&mut self) -> Instance {
        let state = Vec::with_capacity(self.stored_bytes + 128);
        let state = postcard::to_extend(&self.state, state).expect("the engine's own records always encode");
        self.stored_bytes = state.len();
        let (status, active) = self.state.summary();
        Instance {
            id: self.id.clone(),
            number: self.number,
            workflow: self.workflow.clone(),
            status,
            active,
            started_ms: self.started_ms,
            state,
        }
    }
}
