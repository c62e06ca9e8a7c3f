//! Where the operations of an instance stand: a few in its record, the others in rows of their own.
//!
//! Invariants: a record of an operation keeps its home for life, so that nothing is ever moved; what stands in a row is written without
//! the instance's record being written. That is what makes a join of thousands linear.

use std::collections::{BTreeMap, BTreeSet};

use durable_store::OperationChange;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Compensation, Operation, OperationKind, Phase, Unwind};
use crate::{
    context::OperationId,
    engine::history::{HistoryEvent, Tail},
};

/// So many operations stand in the instance's record.
const INLINE_OPERATIONS: usize = 8;

/// All operations of an instance.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Operations {
    all: BTreeMap<OperationId, Entry>,
    inline: usize,
    /// Those that are, or once were, a compensation or the running of some: there may be ten thousand others.
    undo: BTreeSet<OperationId>,
    /// Rows that are to be written or removed with the next transition.
    changed: Vec<OperationId>,
    /// The instance's record is to be written.
    inline_changed: bool,
    /// Operations beside which something is noted.
    noted: Vec<OperationId>,
    /// So many rows there are, of which none was read yet.
    unread: usize,
}

#[derive(Clone, Debug, PartialEq)]
struct Entry {
    operation: Operation,
    /// It stands in a row of its own.
    row: bool,
}

impl Operations {
    pub(crate) fn insert(&mut self, operation: Operation) {
        self.add_undo(&operation);
        let row = self.inline >= INLINE_OPERATIONS;
        if row {
            self.changed.push(operation.id);
        } else {
            self.inline += 1;
            self.inline_changed = true;
        }
        let before = self.all.insert(operation.id, Entry { operation, row });
        debug_assert!(before.is_none(), "ids of operations are never used again");
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
            self.noted.push(operation.id);
        }
        self.all.insert(operation.id, Entry { operation, row: true });
    }

    fn add_undo(&mut self, operation: &Operation) {
        if matches!(operation.kind, OperationKind::Compensation(_) | OperationKind::Unwind(_)) {
            self.undo.insert(operation.id);
        }
    }

    /// The compensations that were pushed and have not run, the oldest first.
    pub(crate) fn compensations(&self) -> impl DoubleEndedIterator<Item = (OperationId, &Compensation)> {
        self.undo.iter().filter_map(|id| match &self.get(*id)?.kind {
            OperationKind::Compensation(entry) => Some((*id, &**entry)),
            _ => None,
        })
    }

    /// Where compensations are run.
    pub(crate) fn unwinds(&self) -> impl Iterator<Item = (OperationId, &Unwind)> {
        self.undo.iter().filter_map(|id| match &self.get(*id)?.kind {
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
            self.undo.insert(id);
        }
    }

    pub(crate) fn get(&self, id: OperationId) -> Option<&Operation> {
        self.all.get(&id).map(|entry| &entry.operation)
    }

    /// To be changed: where it stands is written with the next transition.
    pub(crate) fn get_mut(&mut self, id: OperationId) -> Option<&mut Operation> {
        let entry = self.all.get_mut(&id)?;
        if entry.row {
            self.changed.push(id);
        } else {
            self.inline_changed = true;
        }
        Some(&mut entry.operation)
    }

    pub(crate) fn remove(&mut self, id: OperationId) -> Option<Operation> {
        let entry = self.all.remove(&id)?;
        self.undo.remove(&id);
        if entry.row {
            self.changed.push(id);
        } else {
            self.inline -= 1;
            self.inline_changed = true;
        }
        Some(entry.operation)
    }

    /// In order of their ids.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Operation> {
        self.all.values().map(|entry| &entry.operation)
    }

    /// Those in rows of their own.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &Operation> {
        self.all.values().filter(|entry| entry.row).map(|entry| &entry.operation)
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether what is done to it is written without the instance's record.
    pub(crate) fn is_row(&self, id: OperationId) -> bool {
        self.all.get(&id).is_some_and(|entry| entry.row)
    }

    /// Whether the instance's record must be written for what was done to those that stand in it. Asking forgets it.
    pub(crate) fn take_inline_changed(&mut self) -> bool {
        std::mem::take(&mut self.inline_changed)
    }

    /// What happened to operations in rows gets into the history, in its order; the instance's record is written now.
    pub(crate) fn flush_notes(&mut self, history: &mut Tail) {
        let mut notes = Vec::new();
        for id in std::mem::take(&mut self.noted) {
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
            self.noted.push(id);
        }
    }

    /// The rows to be written and removed. Asking forgets it.
    pub(crate) fn take_changes(&mut self) -> Vec<OperationChange> {
        let mut changed = std::mem::take(&mut self.changed);
        changed.sort_unstable();
        changed.dedup();
        let change = |id| match self.all.get(&id) {
            Some(entry) => {
                let bytes = postcard::to_stdvec(&entry.operation);
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
        let rows = self.all.len() - self.inline + self.unread;
        let inline: Vec<_> =
            self.all.values().filter(|entry| !entry.row).map(|entry| &entry.operation).collect();
        (rows, inline).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Operations {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (unread, inline): (usize, Vec<Operation>) = Deserialize::deserialize(deserializer)?;
        let count = inline.len();
        let entry = |operation: Operation| (operation.id, Entry { operation, row: false });
        let mut operations = Operations { inline: count, unread, ..Operations::default() };
        inline.iter().for_each(|operation| operations.add_undo(operation));
        operations.all = inline.into_iter().map(entry).collect();
        Ok(operations)
    }
}
