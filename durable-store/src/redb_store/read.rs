//! What can be asked, each in one read transaction: a consistent view as of the last commit.
//!
//! A damaged record ends a page of a scan before it; asked for the page that begins with it, the
//! scan answers with the error, whose record says where to go on behind it. Keys must ascend, so
//! that a scan ends even where damage has bent a tree into a circle.

use std::ops::Bound::{Excluded, Included, Unbounded};

use redb::{Key, ReadTransaction, ReadableTable, Value};

use super::fault::Fault;
use super::pieces;
use super::row::{self, Blob, InstanceRow, Stored};
use super::tables::{ACTIVE, CLOSED, HISTORY, IDS, INSTANCES, KEYS, LAYOUTS, PROGRAMS, TIMERS};
use crate::record::{Closed, Found, Instance, Number, Record, Slot, Timer};

pub(super) fn find(txn: &ReadTransaction, id: &str) -> Result<Option<Found>, Fault> {
    let table = txn.open_table(IDS)?;
    table.get(id)?.map(|entry| row::read_found(id, &entry.value())).transpose()
}

pub(super) fn instances(txn: &ReadTransaction, slots: &[Slot]) -> Result<Vec<Option<Instance>>, Fault> {
    let table = txn.open_table(INSTANCES)?;
    let mut all = Vec::with_capacity(slots.len());
    let mut room = PAGE_BYTES;
    for slot in slots {
        let row = table.get(slot.0)?;
        let found = row.map(|row| instance(txn, *slot, row.value())).transpose()?;
        room = room.saturating_sub(found.as_ref().map_or(0, |found: &Instance| found.state.len()));
        all.push(found);
        if room == 0 {
            break;
        }
    }
    Ok(all)
}

/// An instance by its row.
fn instance(txn: &ReadTransaction, slot: Slot, row: &[u8]) -> Result<Instance, Fault> {
    let row = InstanceRow::read(slot, row)?;
    let state = match row.state {
        Stored::Whole(state) => state.to_vec(),
        Stored::Pieces(root) => pieces::read(txn, slot, root)?,
    };
    Ok(row.to_instance(state))
}

pub(super) fn owner(txn: &ReadTransaction, slot: Slot) -> Result<Option<Number>, Fault> {
    let table = txn.open_table(INSTANCES)?;
    table.get(slot.0)?.map(|row| Ok(InstanceRow::read(slot, row.value())?.number)).transpose()
}

/// A page of states ends when it holds so many bytes.
const PAGE_BYTES: usize = 16 << 20;

/// Reads the rows after a key in order until `limit`, the end, or a damaged record that is not the first.
pub(super) fn page<K, V, P, T>(
    rows: redb::Range<'_, K, V>,
    after: Option<P>,
    limit: usize,
    read: impl Fn(K::SelfType<'_>, V::SelfType<'_>) -> Result<(P, T), Fault>,
) -> Result<Vec<T>, Fault>
where
    K: Key + 'static,
    V: Value + 'static,
    P: Ord,
{
    page_within(rows, after, limit, |_| 0, read)
}

/// The same, until [`PAGE_BYTES`] too.
fn page_within<K, V, P, T>(
    rows: redb::Range<'_, K, V>,
    after: Option<P>,
    limit: usize,
    bytes: impl Fn(&T) -> usize,
    read: impl Fn(K::SelfType<'_>, V::SelfType<'_>) -> Result<(P, T), Fault>,
) -> Result<Vec<T>, Fault>
where
    K: Key + 'static,
    V: Value + 'static,
    P: Ord,
{
    let mut page = Vec::new();
    let mut last = after;
    let mut room = PAGE_BYTES;
    for row in rows.take(limit) {
        let (key, value) = row?;
        match read(key.value(), value.value()) {
            Ok((position, item)) => {
                if last.as_ref().is_some_and(|last| *last >= position) {
                    return Err(out_of_order());
                }
                last = Some(position);
                room = room.saturating_sub(bytes(&item));
                page.push(item);
                if room == 0 {
                    break;
                }
            }
            Err(Fault::Damaged(_)) if !page.is_empty() => break,
            Err(fault) => return Err(fault),
        }
    }
    Ok(page)
}

pub(super) fn out_of_order() -> Fault {
    Fault::Corrupted("the keys of a table are out of order".to_owned())
}

pub(super) fn after(key: Option<u64>) -> (std::ops::Bound<u64>, std::ops::Bound<u64>) {
    (key.map_or(Unbounded, Excluded), Unbounded)
}

pub(super) fn scan(
    txn: &ReadTransaction,
    from: Option<Slot>,
    limit: usize,
) -> Result<Vec<(Slot, Instance)>, Fault> {
    let table = txn.open_table(INSTANCES)?;
    let bytes = |(_, instance): &(Slot, Instance)| instance.state.len();
    page_within(table.range(after(from.map(|slot| slot.0)))?, from, limit, bytes, |key, value| {
        let slot = Slot(key);
        Ok((slot, (slot, instance(txn, slot, value)?)))
    })
}

pub(super) fn active(txn: &ReadTransaction, from: Option<Slot>, limit: usize) -> Result<Vec<Slot>, Fault> {
    let table = txn.open_table(ACTIVE)?;
    page(table.range(after(from.map(|slot| slot.0)))?, from, limit, |key, sum| {
        let slot = Slot(key);
        if sum == row::active_sum(slot) {
            Ok((slot, slot))
        } else {
            Err(Fault::Damaged(Record::Active(slot)))
        }
    })
}

pub(super) fn closed(txn: &ReadTransaction, number: Number) -> Result<Option<Closed>, Fault> {
    let table = txn.open_table(CLOSED)?;
    table.get(number.0)?.map(|row| row::read_closed(number, row.value())).transpose()
}

pub(super) fn scan_closed(
    txn: &ReadTransaction,
    from: Option<Number>,
    limit: usize,
) -> Result<Vec<Closed>, Fault> {
    let table = txn.open_table(CLOSED)?;
    let bytes = |closed: &Closed| closed.state.len();
    page_within(table.range(after(from.map(|number| number.0)))?, from, limit, bytes, |key, value| {
        Ok((Number(key), row::read_closed(Number(key), value)?))
    })
}

pub(super) fn timers(
    txn: &ReadTransaction,
    from: Option<Timer>,
    until_ms: u64,
    limit: usize,
) -> Result<Vec<Timer>, Fault> {
    if from.is_some_and(|timer| timer.deadline_ms > until_ms) {
        return Ok(Vec::new());
    }
    let start = from.map_or(Unbounded, |timer| Excluded(row::timer_key(&timer)));
    let end = (until_ms, u64::MAX, u64::MAX);
    if start == Excluded(end) {
        return Ok(Vec::new());
    }
    let table = txn.open_table(TIMERS)?;
    page(table.range((start, Included(end)))?, from, limit, |(deadline_ms, slot, operation), sum| {
        let timer = Timer { deadline_ms, slot: Slot(slot), operation };
        if deadline_ms > until_ms {
            return Err(out_of_order());
        }
        if sum == row::timer_sum(&timer) {
            Ok((timer, timer))
        } else {
            Err(Fault::Damaged(Record::Timer(timer)))
        }
    })
}

pub(super) fn history(txn: &ReadTransaction, number: Number) -> Result<Vec<(u32, Vec<u8>)>, Fault> {
    let table = txn.open_table(HISTORY)?;
    let mut chunks: Vec<(u32, Vec<u8>)> = Vec::new();
    for row in table.range((number.0, 0)..=(number.0, u32::MAX))? {
        let (key, value) = row?;
        let chunk = key.value().1;
        if chunks.last().is_some_and(|last| last.0 >= chunk) {
            return Err(out_of_order());
        }
        chunks.push((chunk, Blob::History(number, chunk).read(value.value())?.to_vec()));
    }
    Ok(chunks)
}

pub(super) fn key(txn: &ReadTransaction, number: Number, key: &[u8; 16]) -> Result<Option<Vec<u8>>, Fault> {
    let table = txn.open_table(KEYS)?;
    let row = table.get(row::key_key(number, key))?;
    row.map(|row| Ok(Blob::Key(number, *key).read(row.value())?.to_vec())).transpose()
}

pub(super) fn layout(txn: &ReadTransaction, id: u64) -> Result<Option<Vec<u8>>, Fault> {
    let table = txn.open_table(LAYOUTS)?;
    table.get(id)?.map(|row| Ok(Blob::Layout(id).read(row.value())?.to_vec())).transpose()
}

pub(super) fn program(txn: &ReadTransaction, build: u64) -> Result<Option<Vec<u8>>, Fault> {
    let table = txn.open_table(PROGRAMS)?;
    table.get(build)?.map(|row| Ok(Blob::Program(build).read(row.value())?.to_vec())).transpose()
}

/// The highest used slot.
pub(super) fn last_slot(txn: &ReadTransaction) -> Result<Option<u64>, Fault> {
    let table = txn.open_table(INSTANCES)?;
    Ok(table.last()?.map(|(key, _)| key.value()))
}

/// The used slots in `range`, in order, at most `limit`; only keys are looked at.
pub(super) fn used_slots(
    txn: &ReadTransaction,
    range: std::ops::Range<u64>,
    limit: usize,
) -> Result<Vec<u64>, Fault> {
    let table = txn.open_table(INSTANCES)?;
    page(table.range(range)?, None, limit, |key, _| Ok((key, key)))
}
