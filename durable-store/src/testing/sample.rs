//! Short ways to write down instances and transitions, for tests.

use crate::{
    Batch, Change, Closed, Instance, KeyChange, Mail, MailTaken, Number, OperationChange, Slot,
    SnapshotChange, Timer, TimerChange, Transition,
};

/// A live instance whose other fields follow from its number.
pub fn instance(id: &str, number: u64) -> Instance {
    Instance {
        id: id.to_owned(),
        number: Number(number),
        workflow: "fulfil".to_owned(),
        status: 1,
        active: false,
        started_ms: 1_000 + number,
        state: format!("state of {id}").into_bytes(),
    }
}

/// The closed record of such an instance.
pub fn closed(id: &str, number: u64) -> Closed {
    Closed {
        id: id.to_owned(),
        number: Number(number),
        workflow: "fulfil".to_owned(),
        status: 9,
        started_ms: 1_000 + number,
        closed_ms: 2_000 + number,
        state: format!("end of {id}").into_bytes(),
    }
}

/// A timer.
pub fn timer(deadline_ms: u64, slot: Slot, operation: u64) -> Timer {
    Timer { deadline_ms, slot, operation }
}

/// A message.
pub fn mail(slot: Slot, queue: u64, seq: u64) -> Mail {
    Mail { slot, queue, seq, bytes: format!("message {seq}").into_bytes() }
}

/// A transition that creates an instance.
pub fn create(slot: Slot, instance: Instance) -> Transition {
    Transition::new(slot, instance.number, Change::Create(instance))
}

/// A transition that updates an instance whose `active` stays as it is.
pub fn update(slot: Slot, instance: Instance) -> Transition {
    Transition::new(slot, instance.number, Change::Update { instance, active_changed: false })
}

/// A transition that updates an instance and changes its `active`.
pub fn update_active(slot: Slot, instance: Instance) -> Transition {
    Transition::new(slot, instance.number, Change::Update { instance, active_changed: true })
}

/// A transition that leaves the instance's record as it is.
pub fn keep(slot: Slot, number: u64) -> Transition {
    Transition::new(slot, Number(number), Change::Keep)
}

/// A transition that closes an instance.
pub fn close(slot: Slot, closed: Closed) -> Transition {
    Transition::new(slot, closed.number, Change::Close(closed))
}

impl Transition {
    /// The same, setting a timer.
    #[must_use]
    pub fn setting(mut self, timer: Timer) -> Self {
        self.timers.push(TimerChange::Set(timer));
        self
    }

    /// The same, clearing a timer.
    #[must_use]
    pub fn clearing(mut self, timer: Timer) -> Self {
        self.timers.push(TimerChange::Clear(timer));
        self
    }

    /// The same, writing an operation.
    #[must_use]
    pub fn putting(mut self, operation: u64, bytes: &[u8]) -> Self {
        self.operations.push(OperationChange::Put(operation, bytes.to_vec()));
        self
    }

    /// The same, removing an operation.
    #[must_use]
    pub fn removing(mut self, operation: u64) -> Self {
        self.operations.push(OperationChange::Remove(operation));
        self
    }

    /// The same, sending a message.
    #[must_use]
    pub fn sending(mut self, mail: Mail) -> Self {
        self.mail.push(mail);
        self
    }

    /// The same, taking a message.
    #[must_use]
    pub fn taking(mut self, queue: u64, seq: u64) -> Self {
        self.taken.push(MailTaken { queue, seq });
        self
    }

    /// The same, remembering something under a key of a run.
    #[must_use]
    pub fn remembering(mut self, number: u64, key: [u8; 16], bytes: &[u8]) -> Self {
        self.keys.push(KeyChange::Put(Number(number), key, bytes.to_vec()));
        self
    }

    /// The same, keeping a snapshot.
    #[must_use]
    pub fn keeping(mut self, place: u32, bytes: &[u8]) -> Self {
        self.snapshots.push(SnapshotChange::Put(place, bytes.to_vec()));
        self
    }

    /// The same, dropping a snapshot.
    #[must_use]
    pub fn dropping(mut self, place: u32) -> Self {
        self.snapshots.push(SnapshotChange::Remove(place));
        self
    }

    /// The same, keeping a chunk of another run's history.
    #[must_use]
    pub fn with_history_of(mut self, number: u64, chunk: u32, bytes: &[u8]) -> Self {
        self.history_of.push((Number(number), chunk, bytes.to_vec()));
        self
    }

    /// The same, keeping a chunk of history.
    #[must_use]
    pub fn with_history(mut self, chunk: u32, bytes: &[u8]) -> Self {
        self.history.push((chunk, bytes.to_vec()));
        self
    }

    /// The same, dropping the chunks of history below `chunk`.
    #[must_use]
    pub fn dropping_history_below(mut self, chunk: u32) -> Self {
        self.history_from = chunk;
        self
    }
}

impl From<Transition> for Batch {
    fn from(transition: Transition) -> Self {
        Self { transitions: vec![transition], ..Self::default() }
    }
}

impl From<Vec<Transition>> for Batch {
    fn from(transitions: Vec<Transition>) -> Self {
        Self { transitions, ..Self::default() }
    }
}
