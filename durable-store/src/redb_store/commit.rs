//! One batch, one transaction.
//!
//! A crash anywhere in here leaves the state before the batch or after it, nothing between: redb
//! makes the whole transaction visible with its last write. A batch that is refused is aborted, and
//! nothing of it was written.
//!
//! A table is opened only when the batch has something for it: opening one costs a look-up and a
//! dirty page. A batch of plain updates touches `instances` alone.

use redb::{ReadableTable, Table, WriteTransaction};

use super::fault::Fault;
use super::row::{self, Blob, InstanceRow};
use super::tables::{ACTIVE, CLOSED, HISTORY, IDS, INSTANCES, KEYS, LAYOUTS, PROGRAMS, TIMERS};
use super::{mail, operations, snapshots};
use crate::record::{
    Batch, Change, Closed, Found, Instance, KeyChange, Number, Record, Slot, Timer, TimerChange, Transition,
};

/// What the rows of `instances` have turned out to mean for the other tables.
#[derive(Default)]
struct Consequences<'a> {
    /// Instances that became active or ceased to be.
    active: Vec<(Slot, bool)>,
    created: Vec<(Slot, &'a str)>,
    closed: Vec<&'a Closed>,
}

/// Writes a batch into a transaction.
pub(super) fn apply(txn: &WriteTransaction, batch: &Batch) -> Result<(), Fault> {
    let consequences = instances(txn, &batch.transitions)?;
    operations::apply(txn, &batch.transitions)?;
    mail::apply(txn, &batch.transitions)?;
    keys(txn, &batch.transitions)?;
    snapshots::apply(txn, &batch.transitions)?;
    if !consequences.active.is_empty() {
        active(txn, &consequences.active)?;
    }
    if !consequences.created.is_empty() || !consequences.closed.is_empty() {
        ids(txn, &consequences)?;
    }
    if !consequences.closed.is_empty() {
        closed(txn, &consequences.closed)?;
    }
    timers(txn, &batch.transitions)?;
    history(txn, &batch.transitions)?;
    if !batch.layouts.is_empty() {
        layouts(txn, &batch.layouts)?;
    }
    if !batch.programs.is_empty() {
        programs(txn, &batch.programs)?;
    }
    if !batch.expired.is_empty() {
        expired(txn, &batch.expired)?;
    }
    Ok(())
}

pub(super) fn conflict<T>(reason: String) -> Result<T, Fault> {
    Err(Fault::Conflict(reason))
}

/// Writes the hot table, in order of slot so that each page is visited once.
fn instances<'a>(txn: &WriteTransaction, transitions: &'a [Transition]) -> Result<Consequences<'a>, Fault> {
    let mut consequences = Consequences::default();
    if transitions.is_empty() {
        return Ok(consequences);
    }
    let mut ordered: Vec<&Transition> = transitions.iter().collect();
    ordered.sort_unstable_by_key(|transition| transition.slot);
    if let Some(twice) = ordered.windows(2).find(|pair| pair[0].slot == pair[1].slot) {
        return conflict(format!("slot {} appears twice in one batch", twice[0].slot.0));
    }
    let mut table = txn.open_table(INSTANCES)?;
    let mut row = Vec::new();
    for transition in ordered {
        let slot = transition.slot;
        match &transition.change {
            Change::Create(instance) => {
                same_number(transition, instance.number)?;
                row::write_instance(slot, instance, &mut row)?;
                if table.insert(slot.0, row.as_slice())?.is_some() {
                    return conflict(format!("slot {} is in use and can't be created", slot.0));
                }
                consequences.created.push((slot, &instance.id));
                if instance.active {
                    consequences.active.push((slot, true));
                }
            }
            Change::Update { instance, .. } => {
                same_number(transition, instance.number)?;
                row::write_instance(slot, instance, &mut row)?;
                let was_active = replace(&mut table, slot, instance, &row)?;
                if was_active != instance.active {
                    consequences.active.push((slot, instance.active));
                }
            }
            Change::Keep => kept(&table, slot, transition.number)?,
            Change::Close(closed) => {
                same_number(transition, closed.number)?;
                if remove(&mut table, slot, closed)? {
                    consequences.active.push((slot, false));
                }
                consequences.closed.push(closed);
            }
        }
    }
    Ok(consequences)
}

fn same_number(transition: &Transition, number: Number) -> Result<(), Fault> {
    if transition.number == number {
        return Ok(());
    }
    conflict(format!(
        "the transition of slot {} is of run {} and its record of run {}",
        transition.slot.0, transition.number.0, number.0
    ))
}

/// Whether what is stored is the run that the batch means.
fn same_run(slot: Slot, stored: &InstanceRow<'_>, number: Number, id: &str) -> Result<(), Fault> {
    if stored.number == number && stored.id == id {
        return Ok(());
    }
    conflict(format!(
        "slot {} holds run {} of {}, not run {} of {id}",
        slot.0, stored.number.0, stored.id, number.0
    ))
}

/// Replaces a row; answers whether the old one was active.
fn replace(
    table: &mut Table<'_, u64, &'static [u8]>,
    slot: Slot,
    instance: &Instance,
    row: &[u8],
) -> Result<bool, Fault> {
    let Some(old) = table.insert(slot.0, row)? else {
        return conflict(format!("slot {} is empty and can't be updated", slot.0));
    };
    let stored = InstanceRow::read(slot, old.value())?;
    same_run(slot, &stored, instance.number, &instance.id)?;
    Ok(stored.active)
}

/// Sees to it that a row which stays as it is is the one that the batch means.
fn kept(table: &Table<'_, u64, &'static [u8]>, slot: Slot, number: Number) -> Result<(), Fault> {
    let Some(row) = table.get(slot.0)? else {
        return conflict(format!("slot {} is empty and can't be kept", slot.0));
    };
    let stored = InstanceRow::read(slot, row.value())?;
    same_run(slot, &stored, number, stored.id)
}

/// Removes a row; answers whether it may stand in the index of active instances.
///
/// A damaged row may be closed, unlike updated: that is how one gets rid of it.
fn remove(table: &mut Table<'_, u64, &'static [u8]>, slot: Slot, closed: &Closed) -> Result<bool, Fault> {
    let Some(old) = table.remove(slot.0)? else {
        return conflict(format!("slot {} is empty and can't be closed", slot.0));
    };
    match InstanceRow::read(slot, old.value()) {
        Ok(stored) => {
            same_run(slot, &stored, closed.number, &closed.id)?;
            Ok(stored.active)
        }
        Err(Fault::Damaged(_)) => Ok(true),
        Err(other) => Err(other),
    }
}

fn active(txn: &WriteTransaction, changes: &[(Slot, bool)]) -> Result<(), Fault> {
    let mut table = txn.open_table(ACTIVE)?;
    for &(slot, active) in changes {
        if active {
            table.insert(slot.0, row::active_sum(slot))?;
        } else {
            table.remove(slot.0)?;
        }
    }
    Ok(())
}

/// Closings first: a batch may close a run and start another under the same id.
fn ids(txn: &WriteTransaction, consequences: &Consequences<'_>) -> Result<(), Fault> {
    let mut table = txn.open_table(IDS)?;
    for closed in &consequences.closed {
        let id = closed.id.as_str();
        table.insert(id, row::write_found(id, Found::Closed(closed.number)))?;
    }
    for &(slot, id) in &consequences.created {
        if let Some(old) = table.insert(id, row::write_found(id, Found::Live(slot)))?
            && let Found::Live(other) = row::read_found(id, &old.value())?
        {
            return conflict(format!("{id} is live in slot {} and can't be created in {}", other.0, slot.0));
        }
    }
    Ok(())
}

fn closed(txn: &WriteTransaction, closed: &[&Closed]) -> Result<(), Fault> {
    let mut table = txn.open_table(CLOSED)?;
    for closed in closed {
        let row = row::write_closed(closed)?;
        if table.insert(closed.number.0, row.as_slice())?.is_some() {
            return conflict(format!("run {} was closed before", closed.number.0));
        }
    }
    Ok(())
}

fn timers(txn: &WriteTransaction, transitions: &[Transition]) -> Result<(), Fault> {
    let changes = transitions.iter().flat_map(|transition| &transition.timers);
    let mut changes: Vec<(&Timer, bool)> = changes
        .map(|change| match change {
            TimerChange::Set(timer) => (timer, true),
            TimerChange::Clear(timer) => (timer, false),
        })
        .collect();
    if changes.is_empty() {
        return Ok(());
    }
    // Stable: of several changes of one timer the last one in the batch holds.
    changes.sort_by_key(|(timer, _)| **timer);
    let mut table = txn.open_table(TIMERS)?;
    for (timer, set) in changes {
        if set {
            table.insert(row::timer_key(timer), row::timer_sum(timer))?;
        } else {
            table.remove(row::timer_key(timer))?;
        }
    }
    Ok(())
}

fn history(txn: &WriteTransaction, transitions: &[Transition]) -> Result<(), Fault> {
    let touched = |transition: &&Transition| {
        let written = transition.history.len() + transition.history_of.len();
        written > 0 || transition.history_from > 0
    };
    if !transitions.iter().any(|transition| touched(&transition)) {
        return Ok(());
    }
    let mut table = txn.open_table(HISTORY)?;
    for transition in transitions.iter().filter(touched) {
        let number = transition.number;
        for (chunk, bytes) in &transition.history {
            let row = Blob::History(number, *chunk).write(bytes);
            table.insert((number.0, *chunk), row.as_slice())?;
        }
        for (number, chunk, bytes) in &transition.history_of {
            let row = Blob::History(*number, *chunk).write(bytes);
            table.insert((number.0, *chunk), row.as_slice())?;
        }
        if transition.history_from > 0 {
            table.retain_in((number.0, 0)..(number.0, transition.history_from), |_, _| false)?;
        }
    }
    Ok(())
}

fn keys(txn: &WriteTransaction, transitions: &[Transition]) -> Result<(), Fault> {
    if transitions.iter().all(|transition| transition.keys.is_empty()) {
        return Ok(());
    }
    let mut table = txn.open_table(KEYS)?;
    for KeyChange::Put(number, key, bytes) in transitions.iter().flat_map(|transition| &transition.keys) {
        let row = Blob::Key(*number, *key).write(bytes);
        table.insert(row::key_key(*number, key), row.as_slice())?;
    }
    Ok(())
}

fn layouts(txn: &WriteTransaction, layouts: &[(u64, Vec<u8>)]) -> Result<(), Fault> {
    let mut table = txn.open_table(LAYOUTS)?;
    for (id, bytes) in layouts {
        let row = Blob::Layout(*id).write(bytes);
        if let Some(old) = table.insert(id, row.as_slice())?
            && old.value() != row
        {
            Blob::Layout(*id).read(old.value())?;
            return conflict(format!("layout {id:016x} is known with other bytes"));
        }
    }
    Ok(())
}

fn programs(txn: &WriteTransaction, programs: &[(u64, Vec<u8>)]) -> Result<(), Fault> {
    let mut table = txn.open_table(PROGRAMS)?;
    for (build, bytes) in programs {
        let row = Blob::Program(*build).write(bytes);
        table.insert(build, row.as_slice())?;
    }
    Ok(())
}

/// Removes closed instances with their history, their keys and their snapshots. A number that is not there is not an error.
///
/// The id goes too, unless a later run has it. The id of a damaged row is unknown; its entry then
/// stays and names a run that is gone.
fn expired(txn: &WriteTransaction, numbers: &[Number]) -> Result<(), Fault> {
    let mut closed = txn.open_table(CLOSED)?;
    let mut ids = txn.open_table(IDS)?;
    let mut history = txn.open_table(HISTORY)?;
    let mut keys = txn.open_table(KEYS)?;
    for &number in numbers {
        if let Some(old) = closed.remove(number.0)? {
            match row::read_closed(number, old.value()) {
                Ok(old) => forget_id(&mut ids, &old.id, number)?,
                Err(Fault::Damaged(Record::Closed(_))) => {}
                Err(other) => return Err(other),
            }
        }
        history.retain_in((number.0, 0)..=(number.0, u32::MAX), |_, _| false)?;
        keys.retain_in((number.0, 0)..=(number.0, u128::MAX), |_, _| false)?;
    }
    snapshots::expire(txn, numbers)
}

fn forget_id(ids: &mut Table<'_, &'static str, [u8; 17]>, id: &str, number: Number) -> Result<(), Fault> {
    let found = ids.get(id)?.map(|entry| row::read_found(id, &entry.value())).transpose()?;
    if found == Some(Found::Closed(number)) {
        ids.remove(id)?;
    }
    Ok(())
}
