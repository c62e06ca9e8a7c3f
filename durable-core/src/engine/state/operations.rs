//! Where the operations of an instance stand: a few in its record, the others in rows of their own.
//!
//! Invariants: a record of an operation keeps its home for life, so that nothing is ever moved; what stands in a row is written without
//! the instance's record being written. That is what makes a join of thousands linear.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Operation, OperationKind};
use crate::context::OperationId;

/// So many operations stand in the instance's record.
const INLINE_OPERATIONS: usize = usize::MAX;

/// All operations of an instance.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Operations {
    all: BTreeMap<OperationId, Entry>,
    inline: usize,
    /// Rows that are to be written or removed with the next transition.
    changed: Vec<OperationId>,
    /// The instance's record is to be written.
    inline_changed: bool,
}

#[derive(Clone, Debug, PartialEq)]
struct Entry {
    operation: Operation,
    /// It stands in a row of its own.
    row: bool,
}

impl Operations {
    pub(crate) fn insert(&mut self, operation: Operation) {
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
        let rows = self.all.len() - self.inline;
        let inline: Vec<_> =
            self.all.values().filter(|entry| !entry.row).map(|entry| &entry.operation).collect();
        (rows, inline).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Operations {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (_rows, inline): (usize, Vec<Operation>) = Deserialize::deserialize(deserializer)?;
        let count = inline.len();
        let entry = |operation: Operation| (operation.id, Entry { operation, row: false });
        let all = inline.into_iter().map(entry).collect();
        Ok(Operations { all, inline: count, changed: Vec::new(), inline_changed: false })
    }
}
