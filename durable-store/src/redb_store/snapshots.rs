//! Earlier snapshots of a run, at places that the engine overwrites in turn.
//!
//! The place stands first in the key, so that what the instances of a batch keep, which are often at the same place, lies close together.
//! To find those of one run each place that is in use by any is looked at once: there are as many as an engine keeps of an instance.
//!
//! Invariant: they stay until their run expires, whatever becomes of the instance. Nothing here reads a row in order to write or to remove it.

use redb::{ReadTransaction, ReadableTable, WriteTransaction};

use super::fault::Fault;
use super::row::Blob;
use super::tables::SNAPSHOTS;
use crate::record::{Number, SnapshotChange, Transition};

pub(super) fn apply(txn: &WriteTransaction, transitions: &[Transition]) -> Result<(), Fault> {
    // In order of the key, so that each page is visited once. Stable: of several changes of one place the last holds.
    let all = transitions.iter().flat_map(|transition| {
        transition.snapshots.iter().map(|change| match change {
            SnapshotChange::Put(place, bytes) => ((*place, transition.number), Some(bytes)),
            SnapshotChange::Remove(place) => ((*place, transition.number), None),
        })
    });
    let mut changes: Vec<_> = all.collect();
    if changes.is_empty() {
        return Ok(());
    }
    changes.sort_by_key(|(key, _)| *key);
    let mut table = txn.open_table(SNAPSHOTS)?;
    for ((place, number), bytes) in changes {
        match bytes {
            Some(bytes) => {
                let row = Blob::Snapshot(number, place).write(bytes);
                table.insert((place, number.0), row.as_slice())?;
            }
            None => drop(table.remove((place, number.0))?),
        }
    }
    Ok(())
}

pub(super) fn expire(txn: &WriteTransaction, numbers: &[Number]) -> Result<(), Fault> {
    let mut table = txn.open_table(SNAPSHOTS)?;
    for &number in numbers {
        for place in of_run(&table, number)? {
            table.remove((place, number.0))?;
        }
    }
    Ok(())
}

pub(super) fn places(txn: &ReadTransaction, number: Number) -> Result<Vec<u32>, Fault> {
    of_run(&txn.open_table(SNAPSHOTS)?, number)
}

pub(super) fn one(txn: &ReadTransaction, number: Number, place: u32) -> Result<Option<Vec<u8>>, Fault> {
    let table = txn.open_table(SNAPSHOTS)?;
    let row = table.get((place, number.0))?;
    row.map(|row| Ok(Blob::Snapshot(number, place).read(row.value())?.to_vec())).transpose()
}

/// The places of a run, in order.
fn of_run(table: &impl ReadableTable<(u32, u64), &'static [u8]>, number: Number) -> Result<Vec<u32>, Fault> {
    let mut places = Vec::new();
    let mut from = Some(0);
    while let Some(place) = from {
        let Some(next) = table.range((place, number.0)..)?.next().transpose()? else { break };
        let (found, owner) = next.0.value();
        if owner == number.0 {
            places.push(found);
            from = found.checked_add(1);
        } else if found > place && owner < number.0 {
            // The place is in use, and the run's row there would stand behind this one.
            from = Some(found);
        } else {
            from = found.checked_add(1);
        }
    }
    Ok(places)
}
