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
    /// The instance ends: its live record and its slot are given up, its timers must be cleared by
    /// the same transition. A damaged live record can be closed, which is how one gets rid of it.
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
    /// Closed instances whose retention has passed: removed with their history. One that is not
    /// there is not an error.
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
        }
    }
}
