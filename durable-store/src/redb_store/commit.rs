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
use super::pieces::{Large, Pieces};
use super::row::{self, Blob, InstanceRow, Stored};
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
    /// Rows that pieces of large states have taken.
    pieces: usize,
}

/// Writes a batch, whose large states have been cut, into a transaction. Gives how many rows their pieces have taken.
pub(super) fn apply(txn: &WriteTransaction, batch: &Batch, large: &Large<'_>) -> Result<usize, Fault> {
    let consequences = instances(txn, &batch.transitions, large)?;
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
    Ok(consequences.pieces)
}

pub(super) fn conflict<T>(reason: String) -> Result<T, Fault> {
    Err(Fault::Conflict(reason))
}

/// The hot table, and the pieces of states that are too large for it.
struct Instances<'txn, 'a> {
    table: Table<'txn, u64, &'static [u8]>,
    pieces: Pieces<'txn, 'a>,
    /// The row in the making.
    row: Vec<u8>,
}

/// Writes the hot table, in order of slot so that each page is visited once.
fn instances<'a>(
    txn: &WriteTransaction,
    transitions: &'a [Transition],
    large: &Large<'_>,
) -> Result<Consequences<'a>, Fault> {
    let mut consequences = Consequences::default();
    if transitions.is_empty() {
        return Ok(consequences);
    }
    let mut ordered: Vec<&Transition> = transitions.iter().collect();
    ordered.sort_unstable_by_key(|transition| transition.slot);
    if let Some(twice) = ordered.windows(2).find(|pair| pair[0].slot == pair[1].slot) {
        return conflict(format!("slot {} appears twice in one batch", twice[0].slot.0));
    }
    let table = txn.open_table(INSTANCES)?;
    let mut instances = Instances { table, pieces: Pieces::new(txn, large), row: Vec::new() };
    for transition in ordered {
        let slot = transition.slot;
        match &transition.change {
            Change::Create(instance) => {
                same_number(transition, instance.number)?;
                instances.create(slot, instance)?;
                consequences.created.push((slot, &instance.id));
                if instance.active {
                    consequences.active.push((slot, true));
                }
            }
            Change::Update { instance, .. } => {
                same_number(transition, instance.number)?;
                let was_active = instances.replace(slot, instance)?;
                if was_active != instance.active {
                    consequences.active.push((slot, instance.active));
                }
            }
            Change::Keep => instances.keep(slot, transition.number)?,
            Change::Close(closed) => {
                same_number(transition, closed.number)?;
                if instances.remove(slot, closed)? {
                    consequences.active.push((slot, false));
                }
                consequences.closed.push(closed);
            }
        }
    }
    consequences.pieces = instances.pieces.puts;
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

impl Instances<'_, '_> {
    /// Makes the row of an instance, and before it the pieces of its state if that is too large for a row.
    fn make(&mut self, slot: Slot, instance: &Instance, old_root: Option<&[u8]>) -> Result<(), Fault> {
        if self.pieces.is_large(slot) {
            let root = self.pieces.put(slot, old_root)?;
            row::write_instance(slot, instance, Stored::Pieces(&root), &mut self.row)
        } else {
            row::write_instance(slot, instance, Stored::Whole(&instance.state), &mut self.row)
        }
    }

    fn create(&mut self, slot: Slot, instance: &Instance) -> Result<(), Fault> {
        self.make(slot, instance, None)?;
        if self.table.insert(slot.0, self.row.as_slice())?.is_some() {
            return conflict(format!("slot {} is in use and can't be created", slot.0));
        }
        Ok(())
    }

    /// What says where the pieces of a slot's stored state are, if it is in pieces.
    fn root(&self, slot: Slot) -> Result<Option<Vec<u8>>, Fault> {
        let Some(row) = self.table.get(slot.0)? else { return Ok(None) };
        Ok(match InstanceRow::read(slot, row.value())?.state {
            Stored::Whole(_) => None,
            Stored::Pieces(root) => Some(root.to_vec()),
        })
    }

    /// Replaces a row; answers whether the old one was active.
    fn replace(&mut self, slot: Slot, instance: &Instance) -> Result<bool, Fault> {
        let is_large = self.pieces.is_large(slot);
        let old_root = if is_large { self.root(slot)? } else { None };
        self.make(slot, instance, old_root.as_deref())?;
        let Some(old) = self.table.insert(slot.0, self.row.as_slice())? else {
            return conflict(format!("slot {} is empty and can't be updated", slot.0));
        };
        let stored = InstanceRow::read(slot, old.value())?;
        same_run(slot, &stored, instance.number, &instance.id)?;
        if !is_large && matches!(stored.state, Stored::Pieces(_)) {
            self.pieces.clear(slot)?;
        }
        Ok(stored.active)
    }

    /// Sees to it that a row which stays as it is is the one that the batch means.
    fn keep(&self, slot: Slot, number: Number) -> Result<(), Fault> {
        let Some(row) = self.table.get(slot.0)? else {
            return conflict(format!("slot {} is empty and can't be kept", slot.0));
        };
        let stored = InstanceRow::read(slot, row.value())?;
        same_run(slot, &stored, number, stored.id)
    }

    /// Removes a row and the pieces of its state; answers whether it may stand in the index of active instances.
    ///
    /// A damaged row may be closed, unlike updated: that is how one gets rid of it.
    fn remove(&mut self, slot: Slot, closed: &Closed) -> Result<bool, Fault> {
        let Some(old) = self.table.remove(slot.0)? else {
            return conflict(format!("slot {} is empty and can't be closed", slot.0));
        };
        let (was_active, may_have_pieces) = match InstanceRow::read(slot, old.value()) {
            Ok(stored) => {
                same_run(slot, &stored, closed.number, &closed.id)?;
                (stored.active, matches!(stored.state, Stored::Pieces(_)))
            }
            Err(Fault::Damaged(_)) => (true, true),
            Err(other) => return Err(other),
        };
        if may_have_pieces {
            self.pieces.clear(slot)?;
        }
        Ok(was_active)
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
        let number = closed.number.0;
        let was_closed = if closed.state.len() < row::LARGE_CLOSED {
            let row = row::write_closed(closed)?;
            table.insert(number, row.as_slice())?.is_some()
        } else {
            let head = row::closed_head(closed)?;
            let was_closed = table.get(number)?.is_some();
            let mut row = table.insert_reserve(number, head.len() + closed.state.len())?;
            row::fill_closed(closed, &head, row.as_mut());
            was_closed
        };
        if was_closed {
            return conflict(format!("run {number} was closed before"));
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
