//! Where an instance stands, and why it is parked.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::engine::history::clip;

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
    /// Compensations failed for good; the others have run.
    Compensation {
        /// Each that failed: the name of its activity or workflow, and its error.
        failed: Vec<(String, String)>,
    },
    /// The snapshot or a value does not fit this build, or can't be written.
    Incompatible {
        /// What does not fit.
        reason: String,
    },
    /// The process ended twice while the instance was stepped, the second time while no other was: by an abort, an overflow of the stack,
    /// or for want of memory.
    ProcessDied,
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
            ParkReason::Compensation { failed } => ParkReason::Compensation {
                failed: failed.into_iter().map(|(name, error)| (name, clip(error))).collect(),
            },
            short @ (ParkReason::NotInBuild { .. }
            | ParkReason::MissingState { .. }
            | ParkReason::ProcessDied) => short,
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
            ParkReason::Compensation { failed } => {
                let failed: Vec<_> =
                    failed.iter().map(|(name, error)| format!("`{name}`: {error}")).collect();
                write!(f, "{} of its compensations failed: {}", failed.len(), failed.join("; "))
            }
            ParkReason::Incompatible { reason } => f.write_str(reason),
            ParkReason::ProcessDied => f.write_str(
                "the process died twice while this instance was stepped, the second time while no other was: look for an abort, an overflow of the stack or a lack of memory in its workflow, and deploy what mends it",
            ),
        }
    }
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
