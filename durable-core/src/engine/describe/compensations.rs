//! The compensations of an instance, for people.

use std::fmt;

use crate::engine::state::{InstanceState, Phase};

/// A compensation that was pushed and has not run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CompensationView {
    /// The stored name of the activity or workflow that it calls.
    pub name: String,
    /// It runs on success too.
    pub finally: bool,
    /// Where it stands.
    pub state: CompensationState,
}

/// Where a compensation stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CompensationState {
    /// It is run if the workflow that pushed it fails.
    Armed,
    /// It runs.
    Running,
    /// It has failed for good.
    Failed {
        /// Its error.
        error: String,
    },
}

impl fmt::Display for CompensationState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CompensationState::Armed => f.write_str("armed"),
            CompensationState::Running => f.write_str("running"),
            CompensationState::Failed { error } => write!(f, "failed: {error}"),
        }
    }
}

/// The newest first, as they are run.
pub(super) fn views(state: &InstanceState) -> Vec<CompensationView> {
    let compensations = state.operations.compensations().rev();
    let view = |(_, entry): (_, &crate::engine::state::Compensation)| CompensationView {
        name: entry.name().to_owned(),
        finally: entry.finally,
        state: match entry.phase {
            Phase::Armed => CompensationState::Armed,
            Phase::Running(_) => CompensationState::Running,
            Phase::Failed => CompensationState::Failed { error: entry.error.clone().unwrap_or_default() },
        },
    };
    compensations.map(view).collect()
}

/// The name of the one that runs.
pub(super) fn running(state: &InstanceState) -> Option<String> {
    let mut compensations = state.operations.compensations();
    let running = compensations.find(|(_, entry)| matches!(entry.phase, Phase::Running(_)));
    running.map(|(_, entry)| entry.name().to_owned())
}
