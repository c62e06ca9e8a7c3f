//! Operations that stand beside their instance's row, each in a row of its own.
//!
//! Invariant: they go with the instance, in the transaction that closes it, so that a slot that is
//! used again has none. Nothing here reads a row in order to write or to remove it: closing an
//! instance gets rid of damaged ones too.

use redb::{ReadTransaction, ReadableTable, ReadableTableMetadata, WriteTransaction};

use super::fault::Fault;
use super::read::out_of_order;
use super::row::Blob;
use super::tables::OPERATIONS;
use crate::record::{Change, Operation, OperationChange, Slot, Transition};

/// Every operation's key of a slot.
fn of_slot(slot: Slot) -> std::ops::RangeInclusive<(u64, u64)> {
    (slot.0, 0)..=(slot.0, u64::MAX)
}

pub(super) fn apply(txn: &WriteTransaction, transitions: &[Transition]) -> Result<(), Fault> {
    let closes = |transition: &Transition| matches!(transition.change, Change::Close(_));
    let touched = |transition: &&Transition| !transition.operations.is_empty() || closes(transition);
    if !transitions.iter().any(|transition| touched(&transition)) {
        return Ok(());
    }
    let mut table = txn.open_table(OPERATIONS)?;
    for transition in transitions.iter().filter(touched) {
        let slot = transition.slot;
        if closes(transition) {
            // Most have none, and looking costs less than removing nothing.
            if !table.is_empty()? && table.range(of_slot(slot))?.next().transpose()?.is_some() {
                table.retain_in(of_slot(slot), |_, _| false)?;
            }
            continue;
        }
        for change in &transition.operations {
            match change {
                OperationChange::Put(operation, bytes) => {
                    let row = Blob::Operation(slot, *operation).write(bytes);
                    table.insert((slot.0, *operation), row.as_slice())?;
                }
                OperationChange::Remove(operation) => {
                    table.remove((slot.0, *operation))?;
                }
            }
        }
    }
    Ok(())
}

pub(super) fn all(txn: &ReadTransaction, slot: Slot) -> Result<Vec<Operation>, Fault> {
    let table = txn.open_table(OPERATIONS)?;
    let mut operations: Vec<Operation> = Vec::new();
    for row in table.range(of_slot(slot))? {
        let (key, value) = row?;
        let (owner, operation) = key.value();
        let descends = operations.last().is_some_and(|last| last.operation >= operation);
        if owner != slot.0 || descends {
            return Err(out_of_order());
        }
        let bytes = Blob::Operation(slot, operation).read(value.value())?.to_vec();
        operations.push(Operation { operation, bytes });
    }
    Ok(operations)
}

pub(super) fn one(txn: &ReadTransaction, slot: Slot, operation: u64) -> Result<Option<Vec<u8>>, Fault> {
    let table = txn.open_table(OPERATIONS)?;
    let row = table.get((slot.0, operation))?;
    row.map(|row| Ok(Blob::Operation(slot, operation).read(row.value())?.to_vec())).transpose()
}
