//! Where the operations of an instance stand: a few in its record, the others in rows of their own.
//!
//! Invariants: a record of an operation keeps its home for life, so that nothing is ever moved; what stands in a row is written without
//! the instance's record being written. That is what makes a join of thousands linear. Those in the record are few and come and go at every
//! step: they stand in a vector, in order of their ids, whose memory is used again.

use std::collections::{BTreeMap, BTreeSet};

use durable_store::OperationChange;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Compensation, Operation, OperationKind, Phase, Unwind};
use crate::{
    context::OperationId,
    engine::history::{HistoryEvent, Tail},
    seldom::{Empty, Seldom},
};

/// So many operations stand in the instance's record.
const INLINE_OPERATIONS: usize = 8;

/// All operations of an instance.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Operations {
    /// Those in the instance's record, in order of their ids.
    inline: Vec<Operation>,
    /// The instance's record is to be written.
    inline_changed: bool,
    /// So many rows there are, of which none was read yet.
    unread: usize,
    /// Most instances have nothing here.
    beside: Seldom<Beside>,
}

/// What has rows, and what is looked for among many.
#[derive(Clone, Debug, Default, PartialEq)]
struct Beside {
    rows: BTreeMap<OperationId, Operation>,
    /// Those that are, or once were, a compensation or the running of some: there may be ten thousand others.
    undo: BTreeSet<OperationId>,
    /// Rows that are to be written or removed with the next transition.
    changed: Vec<OperationId>,
    /// Operations beside which something is noted.
    noted: Vec<OperationId>,
}

impl Empty for Beside {
    const EMPTY: &'static Self =
        &Beside { rows: BTreeMap::new(), undo: BTreeSet::new(), changed: Vec::new(), noted: Vec::new() };
}

impl Operations {
    pub(crate) fn insert(&mut self, operation: Operation) {
        debug_assert!(self.get(operation.id).is_none(), "ids of operations are never used again");
        self.add_undo(&operation);
        if self.inline.len() >= INLINE_OPERATIONS {
            self.beside.changed.push(operation.id);
            self.beside.rows.insert(operation.id, operation);
        } else {
            self.inline_changed = true;
            let at = self.inline.partition_point(|other| other.id < operation.id);
            self.inline.insert(at, operation);
        }
    }

    /// One that may be there, as another by now: it keeps its home.
    pub(crate) fn put(&mut self, operation: Operation) {
        self.add_undo(&operation);
        match self.get_mut(operation.id) {
            Some(there) => *there = operation,
            None => self.insert(operation),
        }
    }

    /// Whether some stand in rows that were not read.
    pub(crate) fn has_rows(&self) -> bool {
        self.unread > 0
    }

    /// One that was read from its row.
    pub(crate) fn add_row(&mut self, operation: Operation) {
        self.unread = 0;
        self.add_undo(&operation);
        if !operation.notes.is_empty() {
            self.beside.noted.push(operation.id);
        }
        self.beside.rows.insert(operation.id, operation);
    }

    fn add_undo(&mut self, operation: &Operation) {
        if matches!(operation.kind, OperationKind::Compensation(_) | OperationKind::Unwind(_)) {
            self.beside.undo.insert(operation.id);
        }
    }

    /// The compensations that were pushed and have not run, the oldest first.
    pub(crate) fn compensations(&self) -> impl DoubleEndedIterator<Item = (OperationId, &Compensation)> {
        self.beside.undo.iter().filter_map(|id| match &self.get(*id)?.kind {
            OperationKind::Compensation(entry) => Some((*id, &**entry)),
            _ => None,
        })
    }

    /// Where compensations are run.
    pub(crate) fn unwinds(&self) -> impl Iterator<Item = (OperationId, &Unwind)> {
        self.beside.undo.iter().filter_map(|id| match &self.get(*id)?.kind {
            OperationKind::Unwind(unwind) => Some((*id, &**unwind)),
            _ => None,
        })
    }

    /// A compensation, to be changed.
    pub(crate) fn compensation_mut(&mut self, id: OperationId) -> Option<&mut Compensation> {
        match &mut self.get_mut(id)?.kind {
            OperationKind::Compensation(entry) => Some(entry),
            _ => None,
        }
    }

    /// The compensation that an operation is a run of.
    pub(crate) fn compensated_by(&self, id: OperationId) -> Option<OperationId> {
        self.compensations().find(|(_, entry)| entry.phase == Phase::Running(id)).map(|(entry, _)| entry)
    }

    /// An operation of another kind becomes the running of compensations.
    pub(crate) fn make_unwind(&mut self, id: OperationId, unwind: Unwind) {
        if let Some(operation) = self.get_mut(id) {
            operation.kind = OperationKind::Unwind(Box::new(unwind));
            self.beside.undo.insert(id);
        }
    }

    /// Where one stands in the record.
    fn place(&self, id: OperationId) -> Option<usize> {
        self.inline.iter().position(|operation| operation.id == id)
    }

    pub(crate) fn get(&self, id: OperationId) -> Option<&Operation> {
        match self.place(id) {
            Some(at) => Some(&self.inline[at]),
            None => self.beside.rows.get(&id),
        }
    }

    /// To be changed: where it stands is written with the next transition.
    pub(crate) fn get_mut(&mut self, id: OperationId) -> Option<&mut Operation> {
        if let Some(at) = self.place(id) {
            self.inline_changed = true;
            return Some(&mut self.inline[at]);
        }
        let Beside { rows, changed, .. } = self.beside.touched()?;
        let operation = rows.get_mut(&id)?;
        changed.push(id);
        Some(operation)
    }

    pub(crate) fn remove(&mut self, id: OperationId) -> Option<Operation> {
        let operation = if let Some(at) = self.place(id) {
            self.inline_changed = true;
            self.inline.remove(at)
        } else {
            let Beside { rows, changed, .. } = self.beside.touched()?;
            let operation = rows.remove(&id)?;
            changed.push(id);
            operation
        };
        if let Some(beside) = self.beside.touched() {
            beside.undo.remove(&id);
        }
        Some(operation)
    }

    /// In order of their ids.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Operation> {
        let (mut inline, mut rows) = (self.inline.iter().peekable(), self.beside.rows.values().peekable());
        std::iter::from_fn(move || match (inline.peek(), rows.peek()) {
            (Some(first), Some(row)) if row.id < first.id => rows.next(),
            (Some(_), _) => inline.next(),
            (None, _) => rows.next(),
        })
    }

    /// Those in rows of their own.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &Operation> {
        self.beside.rows.values()
    }

    pub(crate) fn len(&self) -> usize {
        self.inline.len() + self.beside.rows.len()
    }

    /// Whether what is done to it is written without the instance's record.
    pub(crate) fn is_row(&self, id: OperationId) -> bool {
        self.beside.rows.contains_key(&id)
    }

    /// Whether the instance's record must be written for what was done to those that stand in it. Asking forgets it.
    pub(crate) fn take_inline_changed(&mut self) -> bool {
        std::mem::take(&mut self.inline_changed)
    }

    /// What happened to operations in rows gets into the history, in its order; the instance's record is written now.
    pub(crate) fn flush_notes(&mut self, history: &mut Tail) {
        let Some(beside) = self.beside.touched() else { return };
        let mut notes = Vec::new();
        for id in std::mem::take(&mut beside.noted) {
            let Some(operation) = self.get_mut(id) else { continue };
            notes.append(&mut operation.notes);
        }
        notes.sort_by_key(|note| (note.step, note.at_ms));
        notes.iter().for_each(|note| history.push(note));
    }

    /// What is noted beside operations and is not in the history yet, in its order.
    pub(crate) fn notes(&self) -> Vec<HistoryEvent> {
        let mut notes: Vec<_> = self.iter().flat_map(|operation| operation.notes.iter().cloned()).collect();
        notes.sort_by_key(|note| (note.step, note.at_ms));
        notes
    }

    /// Notes something beside an operation in a row.
    pub(crate) fn note(&mut self, id: OperationId, event: HistoryEvent) {
        if let Some(operation) = self.get_mut(id) {
            operation.notes.push(event);
            self.beside.noted.push(id);
        }
    }

    /// The rows to be written and removed. Asking forgets it.
    pub(crate) fn take_changes(&mut self) -> Vec<OperationChange> {
        let Some(beside) = self.beside.touched() else { return Vec::new() };
        let mut changed = std::mem::take(&mut beside.changed);
        changed.sort_unstable();
        changed.dedup();
        let change = |id| match beside.rows.get(&id) {
            Some(operation) => {
                let bytes = postcard::to_stdvec(operation);
                OperationChange::Put(id, bytes.expect("the engine's own records always encode"))
            }
            None => OperationChange::Remove(id),
        };
        changed.into_iter().map(change).collect()
    }

    /// What has ended, in no particular order.
    pub(crate) fn done(&self) -> impl Iterator<Item = (&Operation, &super::Done)> {
        self.iter().filter_map(|operation| match &operation.kind {
            OperationKind::Done(done) => Some((operation, done)),
            _ => None,
        })
    }
}

impl Serialize for Operations {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.beside.rows.len() + self.unread, &self.inline).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Operations {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (unread, mut inline): (usize, Vec<Operation>) = Deserialize::deserialize(deserializer)?;
        // They were written in this order; what was made up need not be.
        inline.sort_by_key(|operation| operation.id);
        inline.dedup_by_key(|operation| operation.id);
        let mut operations = Operations { unread, ..Operations::default() };
        inline.iter().for_each(|operation| operations.add_undo(operation));
        operations.inline = inline;
        Ok(operations)
    }
}
