//! The records a store keeps and the batch of changes it commits.

use serde::{Deserialize, Serialize};

/// Where a live instance stands: a dense number, used again after the instance has closed.
///
/// Dense, so that the rows of a batch of transitions lie close together on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Slot(pub u64);

/// Names one run of an instance for ever: never used again, not even by a restart under the same id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Number(pub u64);

/// A live instance: everything that changes at a step is in this one record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// The user's id, unique among live and retained instances.
    pub id: String,
    /// Which run this is.
    pub number: Number,
    /// The stored name of the workflow.
    pub workflow: String,
    /// The engine's status code.
    pub status: u8,
    /// Whether the engine must look at this instance at start-up without being asked: it has an
    /// activity pending or is ready to step. Instances that only wait for timers or messages are not active.
    pub active: bool,
    /// When the instance was started, in milliseconds since the Unix epoch.
    pub started_ms: u64,
    /// The engine's state of this instance: opaque here.
    #[serde(with = "crate::bytes")]
    pub state: Vec<u8>,
}

/// A closed instance, kept until its retention passes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// The user's id.
    pub id: String,
    /// Which run this was.
    pub number: Number,
    /// The stored name of the workflow.
    pub workflow: String,
    /// The engine's status code.
    pub status: u8,
    /// When the instance was started, in milliseconds since the Unix epoch.
    pub started_ms: u64,
    /// When it closed, in milliseconds since the Unix epoch.
    pub closed_ms: u64,
    /// The engine's record of the end (result, reason): opaque here.
    #[serde(with = "crate::bytes")]
    pub state: Vec<u8>,
}

/// A durable timer. The store keeps timers ordered by deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timer {
    /// When it is due, in milliseconds since the Unix epoch.
    pub deadline_ms: u64,
    /// The instance that waits for it.
    pub slot: Slot,
    /// The operation it completes; chosen by the engine.
    pub operation: u64,
}

/// One timer set or cleared by a transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerChange {
    /// The timer is added.
    Set(Timer),
    /// The timer is removed; removing one that is not there is not an error.
    Clear(Timer),
}

/// An operation that stands beside its instance's record, so that it can change without that
/// record being written again. Gone when the instance closes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Its number, chosen by the engine.
    pub operation: u64,
    /// The engine's record of it: opaque here.
    pub bytes: Vec<u8>,
}

/// One operation written or removed by a transition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperationChange {
    /// The operation's record, replacing an earlier one.
    Put(u64, Vec<u8>),
    /// The operation goes; removing one that is not there is not an error.
    Remove(u64),
}

/// A message that waits for a live instance. Gone when it is taken, or when the receiver closes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The receiver, which need not be the instance whose transition carries the message.
    pub slot: Slot,
    /// Which of the receiver's queues, chosen by the engine.
    pub queue: u64,
    /// Its place in the queue, chosen by the engine; unique in it.
    pub seq: u64,
    /// The message: opaque here.
    pub bytes: Vec<u8>,
}

/// A message that a transition takes out of its own instance's mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MailTaken {
    /// The queue.
    pub queue: u64,
    /// The place in the queue.
    pub seq: u64,
}

/// How much mail waits for an instance. The store keeps it in step with what is put and taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mailbox {
    /// The queues that hold something, in order of their number.
    pub queues: Vec<Queue>,
}

impl Mailbox {
    /// A queue, unless it is empty.
    pub fn queue(&self, queue: u64) -> Option<&Queue> {
        let at = self.queues.binary_search_by_key(&queue, |queue| queue.queue).ok()?;
        Some(&self.queues[at])
    }

    /// How many messages wait in all queues.
    pub fn total(&self) -> u64 {
        self.queues.iter().map(|queue| u64::from(queue.count)).sum()
    }
}

/// A queue that holds something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Its number.
    pub queue: u64,
    /// How many messages it holds; never zero.
    pub count: u32,
    /// The lowest place that is taken.
    pub first: u64,
    /// The highest place that is taken.
    pub last: u64,
}

/// What a transition remembers under a key of a run, until that run expires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyChange {
    /// What stands under the key, replacing what did. The run need not be the transition's own, but
    /// one that is live or retained: under any other number it would stay for ever.
    Put(Number, [u8; 16], Vec<u8>),
}

/// What a transition does to the snapshots that are kept of its run beside the newest, which is the
/// instance's own record. They stay until the run expires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SnapshotChange {
    /// The snapshot at a place, chosen by the engine, replacing what was there.
    Put(u32, Vec<u8>),
    /// The snapshot at a place goes; removing one that is not there is not an error.
    Remove(u32),
}

/// What a transition does to its instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A new live instance in a slot from [`Store::allocate`](crate::Store::allocate). A retained
    /// closed instance under the same id loses its id to the new one.
    Create(Instance),
    /// The instance's new record. `active_changed` says that `active` differs from the stored
    /// record, so that a store can leave its index of active instances alone otherwise.
    Update {
        /// The new record.
        instance: Instance,
        /// Whether `instance.active` differs from what is stored. A hint: a store that knows
        /// better, because it sees the stored record, goes by what it sees.
        active_changed: bool,
    },
    /// The instance's record stays as it is: only what stands beside it changes. The record is
    /// still read, and must be of the transition's run.
    Keep,
    /// The instance ends: its live record and its slot are given up, its timers must be cleared by
    /// the same transition. Its operations and its mail go, whatever the transition says of them, so
    /// that the slot is empty when it is used again. A damaged live record can be closed, which is
    /// how one gets rid of it, and of damaged operations and mail.
    Close(Closed),
}

/// One instance's change of state. All of a batch's transitions commit together or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The instance's slot.
    pub slot: Slot,
    /// Which run it is.
    pub number: Number,
    /// What happens to the instance.
    pub change: Change,
    /// Timers set and cleared.
    pub timers: Vec<TimerChange>,
    /// Chunks of history to keep: `(chunk number, bytes)`.
    pub history: Vec<(u32, Vec<u8>)>,
    /// Chunks of history to drop: all with a number below this. Zero drops nothing and costs
    /// nothing; leave it at zero in a transition that need not drop any.
    pub history_from: u32,
    /// Operations written and removed, in this order.
    pub operations: Vec<OperationChange>,
    /// Messages taken from the instance's own mail, as it was before the batch. Taking one that is
    /// not there is [`Error::Conflict`](crate::Error::Conflict).
    pub taken: Vec<MailTaken>,
    /// Messages to this instance and others. One to a slot that holds no live instance after the
    /// batch is [`Error::Conflict`](crate::Error::Conflict), and so is one whose place is taken.
    pub mail: Vec<Mail>,
    /// What is remembered under keys.
    pub keys: Vec<KeyChange>,
    /// Earlier snapshots of the run kept and dropped, in this order.
    pub snapshots: Vec<SnapshotChange>,
    /// Chunks of the histories of other runs: `(run, chunk number, bytes)`. A run must be live or
    /// retained: under any other number a chunk would stay for ever.
    pub history_of: Vec<(Number, u32, Vec<u8>)>,
}

impl Transition {
    /// A change of the instance alone. The other fields are empty:
    ///
    /// ```
    /// use durable_store::{Change, Number, OperationChange, Slot, Transition};
    ///
    /// let transition = Transition {
    ///     operations: vec![OperationChange::Remove(7)],
    ///     ..Transition::new(Slot(0), Number(1), Change::Keep)
    /// };
    /// assert!(transition.timers.is_empty());
    /// ```
    pub fn new(slot: Slot, number: Number, change: Change) -> Self {
        Self {
            slot,
            number,
            change,
            timers: Vec::new(),
            history: Vec::new(),
            history_from: 0,
            operations: Vec::new(),
            taken: Vec::new(),
            mail: Vec::new(),
            keys: Vec::new(),
            snapshots: Vec::new(),
            history_of: Vec::new(),
        }
    }
}

/// What one transaction commits. A slot appears at most once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// The instances' transitions.
    pub transitions: Vec<Transition>,
    /// Layouts seen for the first time: `(id, bytes)`. Writing a known id with other bytes is
    /// [`Error::Conflict`](crate::Error::Conflict).
    pub layouts: Vec<(u64, Vec<u8>)>,
    /// Programs seen for the first time: `(build, bytes)`. An existing one is replaced.
    pub programs: Vec<(u64, Vec<u8>)>,
    /// Closed instances whose retention has passed: removed with their history, their keys and
    /// their snapshots. One that is not there is not an error.
    pub expired: Vec<Number>,
}

/// What stands under an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// A live instance.
    Live(Slot),
    /// A retained closed instance.
    Closed(Number),
}

/// One record of a store, as an error names it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Record {
    /// The live instance in a slot.
    Instance(Slot),
    /// A retained closed instance.
    Closed(Number),
    /// What stands under an id.
    Id(String),
    /// A slot in the index of active instances.
    Active(Slot),
    /// A timer.
    Timer(Timer),
    /// A chunk of an instance's history.
    History(Number, u32),
    /// A layout.
    Layout(u64),
    /// A program.
    Program(u64),
    /// An operation of the live instance in a slot.
    Operation(Slot, u64),
    /// A message for the live instance in a slot: its queue and its place there.
    Mail(Slot, u64, u64),
    /// What says how much mail waits for the live instance in a slot.
    Mailbox(Slot),
    /// Something remembered under a key of a run.
    Key(Number),
    /// A kept snapshot of a run, by its place.
    Snapshot(Number, u32),
}

impl std::fmt::Display for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Instance(slot) => write!(f, "the instance in slot {}", slot.0),
            Self::Closed(number) => write!(f, "closed run {}", number.0),
            Self::Id(id) => write!(f, "the entry of id {id}"),
            Self::Active(slot) => write!(f, "the mark of slot {} as active", slot.0),
            Self::Timer(timer) => {
                write!(f, "the timer of slot {} at {} ms", timer.slot.0, timer.deadline_ms)
            }
            Self::History(number, chunk) => {
                write!(f, "chunk {chunk} of the history of run {}", number.0)
            }
            Self::Layout(id) => write!(f, "layout {id:016x}"),
            Self::Program(build) => write!(f, "program {build:016x}"),
            Self::Operation(slot, operation) => write!(f, "operation {operation} of slot {}", slot.0),
            Self::Mail(slot, queue, seq) => {
                write!(f, "message {seq} in queue {queue:016x} of slot {}", slot.0)
            }
            Self::Mailbox(slot) => write!(f, "the mailbox of slot {}", slot.0),
            Self::Key(number) => write!(f, "a key of run {}", number.0),
            Self::Snapshot(number, place) => write!(f, "snapshot {place} of run {}", number.0),
        }
    }
}
