//! What the engine keeps of an instance, as the store sees it: bytes.

mod closed;
mod operation;
mod status;

use durable_store::{Instance, Number, Slot, Timer};
use serde::{Deserialize, Serialize};

pub(crate) use closed::{ClosedState, End};
pub(crate) use operation::{ActivityOperation, Operation, OperationKind};
pub(crate) use status::Parked;
pub use status::{ParkReason, Status};

use super::history::Tail;
use crate::{
    codec::Encoded,
    context::{OperationId, Wait},
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
