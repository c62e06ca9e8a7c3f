//! What the engine keeps of an instance, as the store sees it: bytes.
//!
//! The record is written whole at every transition that changes it, so it holds what every step needs; operations beyond the first few
//! stand in rows of their own (`operations`).

mod closed;
mod operation;
mod operations;
mod peers;
mod status;

use std::sync::Arc;

use durable_store::{Instance, Mailbox, Number, Slot, Timer};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

pub(crate) use closed::{ClosedState, End};
pub(crate) use operation::{
    ActivityOperation, Called, Compensation, Done, Operation, OperationKind, Phase, Task, Then, Unwind,
};
pub(crate) use operations::Operations;
pub(crate) use peers::{Address, Cause, Held, OpenRequest, Origin, PeerRequest, ReplyTo, Stop};
pub(crate) use status::Parked;
pub use status::{ParkReason, Status};

use super::{encode::append, history::Tail, ready::Readiness};
use crate::{
    codec::Encoded,
    context::{OperationId, Scopes, Wait},
    instance::InstanceInfo,
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
    /// The record as it was written last, for its memory.
    written: Written,
    /// Of the stored state, in debug builds: what is not written must not have changed.
    stored_hash: u64,
    pub(crate) state: InstanceState,
    /// How much of what each machine waits for is there, as far as that is known.
    pub(crate) ready: Vec<(OperationId, Option<Readiness>)>,
    /// What the workflow can know of its instance.
    pub(crate) info: Option<Arc<InstanceInfo>>,
    /// Its mailbox holds something, or may.
    pub(crate) has_mail: bool,
}

/// The memory of longer records is given back.
const MOST_REUSED: usize = 1_024;

/// A record that is kept for its memory alone: a copy has none.
#[derive(Debug, Default)]
struct Written(Option<Instance>);

impl Clone for Written {
    fn clone(&self) -> Self {
        Written::default()
    }
}

/// The machines of an instance: its own workflow's, and those that it has spawned, with the names of their workflows.
pub(crate) fn machines<'a>(
    workflow: &'a str,
    own: &'a Machine,
    operations: impl Iterator<Item = &'a Operation>,
) -> impl Iterator<Item = (OperationId, &'a str, &'a Machine)> {
    let spawned = operations.filter_map(|operation| match &operation.kind {
        OperationKind::Task(task) => Some((operation.id, task.workflow.as_str(), &task.machine)),
        _ => None,
    });
    std::iter::once((MAIN, workflow, own)).chain(spawned)
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
    pub(crate) operations: Operations,
    pub(crate) parked: Option<Parked>,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) history: Tail,
    /// The scopes that are open.
    pub(crate) scopes: Scopes,
    /// Messages that a composition has taken and is not complete with.
    pub(crate) held: Vec<Held>,
    /// Updates that were received and not answered.
    pub(crate) requests: Vec<OpenRequest>,
    /// The last published value of each type, by its name.
    pub(crate) published: Vec<(String, Encoded)>,
    /// Who started it, if it was an instance.
    pub(crate) origin: Option<Origin>,
    /// Instances that wait for its end.
    pub(crate) watchers: Vec<Address>,
    /// It was told to end.
    pub(crate) stop: Option<Stop>,
    /// Since when it is held back by hand.
    pub(crate) paused_ms: Option<u64>,
    /// When it must have ended; a timer of the store with the operation 0.
    pub(crate) deadline_ms: Option<u64>,
    /// Its end is decided: it only runs its compensations.
    pub(crate) ending: Option<End>,
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
            operations: Operations::default(),
            parked: None,
            tags,
            history: Tail::default(),
            scopes: Scopes::default(),
            held: Vec::new(),
            requests: Vec::new(),
            published: Vec::new(),
            origin: None,
            watchers: Vec::new(),
            stop: None,
            paused_ms: None,
            deadline_ms: None,
            ending: None,
        }
    }

    /// A new instance makes its first step at that time.
    pub(crate) fn hold_until(&mut self, deadline_ms: u64) {
        let id = self.next_operation;
        self.next_operation += 1;
        self.operations.insert(Operation::new(id, 0, OperationKind::Timer { deadline_ms }));
        self.wait = Some(Wait::Op(id));
    }

    /// The timer that it waits for before its first step.
    pub(crate) fn held_by(&self) -> Option<OperationId> {
        match (&self.machine, &self.wait) {
            (Machine::Start(_), Some(Wait::Op(id))) => Some(*id),
            _ => None,
        }
    }

    pub(crate) fn status(&self) -> Status {
        let busy = |op: &Operation| matches!(op.kind, OperationKind::Activity(_) | OperationKind::Unwind(_));
        if let Some(parked) = &self.parked {
            Status::Parked(parked.reason.clone())
        } else if self.paused_ms.is_some() {
            Status::Paused
        } else if self.ending.is_some() || self.operations.iter().any(busy) || self.is_ready() {
            Status::Running
        } else {
            Status::Waiting
        }
    }

    /// Whether a machine can move with what is done. What its mailbox holds is not looked at: a message that lets it move is there
    /// after a crash too, and found by the mailbox.
    pub(crate) fn is_ready(&self) -> bool {
        self.can_move() && self.machines().any(|(_, wait)| self.readiness(wait).met().is_some())
    }

    /// Whether its machines may run at all.
    pub(crate) fn can_move(&self) -> bool {
        self.parked.is_none() && self.paused_ms.is_none()
    }

    /// The main machine (0) and the tasks, by the operation that each is, with what each waits for. One whose end is decided has
    /// only those that its compensations are.
    pub(crate) fn machines(&self) -> impl Iterator<Item = (OperationId, Option<&Wait>)> {
        let tasks = self.operations.iter().filter_map(|op| match &op.kind {
            OperationKind::Task(task) => Some((op.id, task.wait.as_ref())),
            _ => None,
        });
        self.ending.is_none().then_some((MAIN, self.wait.as_ref())).into_iter().chain(tasks)
    }

    pub(crate) fn wait_of(&self, machine: OperationId) -> Option<&Wait> {
        if machine == MAIN {
            return self.wait.as_ref();
        }
        match &self.operations.get(machine)?.kind {
            OperationKind::Task(task) => task.wait.as_ref(),
            _ => None,
        }
    }

    /// Whether a machine waits for something that is in its mailbox.
    pub(crate) fn waits_for(&self, mailbox: &Mailbox) -> bool {
        let mut waits = self.machines().filter_map(|(_, wait)| wait);
        waits.any(|wait| Readiness::of(Some(wait)).queues().any(|(queue, _)| mailbox.queue(queue).is_some()))
    }

    pub(crate) fn is_task(&self, id: OperationId) -> bool {
        self.operations.get(id).is_some_and(|op| matches!(op.kind, OperationKind::Task(_)))
    }

    /// How much of a wait is met by what is done, without messages.
    pub(crate) fn readiness(&self, wait: Option<&Wait>) -> Readiness {
        let mut readiness = Readiness::of(wait);
        if readiness.met().is_some() {
            return readiness;
        }
        for happened in self.happened() {
            happened.tell(&mut readiness);
        }
        readiness
    }

    /// What has happened and may let a machine move, in its order.
    fn happened(&self) -> Vec<Happened> {
        let done = self.operations.done();
        let mut happened: Vec<_> = done
            .map(|(op, done)| Happened::Completed { seq: done.seq, id: op.id, failed: done.failed })
            .collect();
        let stop = self.stop.as_ref().filter(|stop| stop.is_to_be_handled());
        happened.extend(stop.map(|stop| Happened::Cancelled { seq: stop.seq }));
        happened.sort_unstable_by_key(Happened::seq);
        happened
    }

    /// The status's code, and whether the engine must look at the instance at start-up. A parked
    /// one counts: a new build tries it again.
    fn summary(&self) -> (u8, bool) {
        let status = self.status();
        let outgoing = |op: &Operation| {
            op.stopped
                || matches!(op.kind, OperationKind::Start(_) | OperationKind::Child { address: None, .. })
        };
        let active = match status {
            Status::Waiting => self.operations.iter().any(outgoing),
            _ => true,
        };
        (status.code(), active)
    }

    pub(crate) fn pending_activity(&mut self, id: OperationId) -> Option<&mut ActivityOperation> {
        // Looked at first: what is asked for in order to be changed is written.
        self.activity(id)?;
        match &mut self.operations.get_mut(id)?.kind {
            OperationKind::Activity(activity) => Some(activity),
            _ => None,
        }
    }

    pub(crate) fn activity(&self, id: OperationId) -> Option<&ActivityOperation> {
        match &self.operations.get(id)?.kind {
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

    /// The ids of its children that have not ended.
    pub(crate) fn children(&self) -> impl Iterator<Item = &str> {
        self.operations.iter().filter_map(|op| match &op.kind {
            OperationKind::Child { child, .. } => Some(child.id.as_str()),
            _ => None,
        })
    }

    /// The timers that it has set, the one of its deadline included.
    pub(crate) fn timers(&self, slot: Slot) -> impl Iterator<Item = Timer> {
        let deadline = self.deadline_ms.map(|deadline_ms| Timer { deadline_ms, slot, operation: DEADLINE });
        let timers = self.operations.iter().filter_map(move |op| match op.kind {
            OperationKind::Timer { deadline_ms } => Some(Timer { deadline_ms, slot, operation: op.id }),
            _ => None,
        });
        deadline.into_iter().chain(timers)
    }
}

/// The main machine, where machines are named by operations.
pub(crate) const MAIN: OperationId = 0;
/// The operation of the timer of an instance's deadline.
pub(crate) const DEADLINE: OperationId = 0;

/// Something that may let a machine move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Happened {
    Completed { seq: u64, id: OperationId, failed: bool },
    Message { seq: u64, queue: u64 },
    Cancelled { seq: u64 },
}

impl Happened {
    pub(crate) fn seq(&self) -> u64 {
        match self {
            Happened::Completed { seq, .. } | Happened::Message { seq, .. } | Happened::Cancelled { seq } => {
                *seq
            }
        }
    }

    pub(crate) fn tell(self, readiness: &mut Readiness) {
        match self {
            Happened::Completed { seq, id, failed } => readiness.completed(id, seq, failed),
            Happened::Message { seq, queue } => readiness.message(queue, seq),
            Happened::Cancelled { seq } => readiness.cancelled(seq),
        }
    }
}

impl Loaded {
    /// See [`machines`].
    pub(crate) fn machines(&self) -> impl Iterator<Item = (OperationId, &str, &Machine)> {
        machines(&self.workflow, &self.state.machine, self.state.operations.iter())
    }

    /// Reads a stored record.
    pub(crate) fn read(instance: Instance) -> Result<Self, String> {
        let stored_bytes = instance.state.len();
        let state = postcard::from_bytes(&instance.state)
            .map_err(|error| format!("the record of instance `{}` can't be read: {error}", instance.id))?;
        let mut loaded = Loaded {
            id: instance.id,
            number: instance.number,
            workflow: instance.workflow,
            started_ms: instance.started_ms,
            stored_active: instance.active,
            stored_bytes,
            written: Written::default(),
            stored_hash: 0,
            state,
            ready: Vec::new(),
            info: None,
            has_mail: true,
        };
        loaded.stored_hash = loaded.hash();
        Ok(loaded)
    }

    /// An instance before its first step.
    pub(crate) fn first(
        id: String,
        number: Number,
        workflow: &str,
        started_ms: u64,
        state: InstanceState,
    ) -> Self {
        Loaded {
            id,
            number,
            workflow: workflow.into(),
            started_ms,
            stored_active: false,
            stored_bytes: 0,
            written: Written::default(),
            stored_hash: 0,
            state,
            ready: Vec::new(),
            info: None,
            has_mail: false,
        }
    }

    /// Of what is stored; 0 where nobody asks.
    fn hash(&self) -> u64 {
        if cfg!(debug_assertions) {
            let state = postcard::to_stdvec(&self.state).expect("the engine's own records always encode");
            xxh3_64(&state)
        } else {
            0
        }
    }

    /// Nothing in the record has changed since it was stored: it need not be written.
    pub(crate) fn assert_unchanged(&self) {
        debug_assert!(self.hash() == self.stored_hash, "a change of the record would not be written");
    }

    /// Whether a machine can move with what is done and with the messages that its last step knew of.
    pub(crate) fn is_ready(&self) -> bool {
        let met = |(_, readiness): &(_, Option<Readiness>)| {
            readiness.as_ref().is_some_and(|readiness| readiness.met().is_some())
        };
        self.state.is_ready() || (self.state.can_move() && self.ready.iter().any(met))
    }

    /// The record to be stored.
    pub(crate) fn record(&mut self) -> Instance {
        let (id, workflow, mut state) = match self.written.0.take() {
            // It was this instance's, whose names do not change.
            Some(before) => (before.id, before.workflow, before.state),
            None => (self.id.clone(), self.workflow.clone(), Vec::new()),
        };
        state.clear();
        state.reserve(self.stored_bytes + 128);
        append(&self.state, &mut state);
        self.stored_bytes = state.len();
        self.stored_hash = self.hash();
        let (status, active) = self.state.summary();
        Instance { id, number: self.number, workflow, status, active, started_ms: self.started_ms, state }
    }

    /// What was written is durable, and its memory can be used again.
    pub(crate) fn has_written(&mut self, instance: Instance) {
        if instance.state.capacity() <= MOST_REUSED {
            self.written.0 = Some(instance);
        }
    }
}
