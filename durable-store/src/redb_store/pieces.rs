//! Large states, cut into pieces that stand in rows of their own, so that a step writes what it has changed and not the whole.
//!
//! A state is cut where its own bytes say so (content-defined chunking with a gear hash): what is inserted or grows in one place
//! moves everything behind it, and still leaves all but a few pieces around that place as they were. A piece that the state had
//! before, at whatever place, stays in its row; so do bytes that occur twice, as what a call's arguments share with the
//! variables. The row of the instance has the list of pieces; a long list is cut and kept in the same way.
//!
//! Invariants:
//! - A slot has the rows that its instance's list names, and no others: all change in one transaction.
//! - Numbers are not used twice within a run.
//! - A piece is taken for one that is stored only after their bytes were compared: a hash proposes, it does not decide.
//! - Each list says the hashes of what it names, and the instance's row is under its checksum: a state that was put together is the
//!   one that was stored, or an error.
//!
//! A piece fills one page of the file by itself: that is what its bounds are for.
//!
//! Deliberately absent: sharing between instances, and pieces of anything but a live instance's state. Other rows are written once.

use std::collections::{HashMap, HashSet};

use redb::{ReadTransaction, ReadableTable, Table, WriteTransaction};
use xxhash_rust::xxh3::xxh3_64;

use super::fault::Fault;
use super::row;
use super::tables::PIECES;
use crate::record::{Batch, Change, Record, Slot};

/// A state of up to so many bytes stands whole in its row.
const WHOLE_MAX: usize = 16 << 10;
/// Two of these do not fit into a page.
const PIECE_MIN: usize = 2048;
/// With its key and the checksum this fills a page.
const PIECE_MAX: usize = 4064;
/// A list of up to so many bytes stands in the instance's row.
const LIST_MAX: usize = 2048;
/// The number of a piece and the hash of its bytes.
const ENTRY: usize = 16;

/// How many bytes decide about a cut: each shifts the hash by a bit.
const WINDOW: usize = 64;
/// One place in 1,024 can be cut at, so that pieces are of some 2,900 bytes.
const CUT_BITS: u32 = 10;

/// A random number for each value of a byte (splitmix64).
const GEAR: [u64; 256] = {
    let mut table = [0; 256];
    let mut n = 0;
    while n < 256 {
        let mut z = (n as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        table[n] = z ^ (z >> 31);
        n += 1;
    }
    table
};

/// How long the first piece of some bytes is. It depends on the bytes up to its end alone.
fn first_cut(bytes: &[u8]) -> usize {
    let end = bytes.len().min(PIECE_MAX);
    if end <= PIECE_MIN {
        return end;
    }
    let mut hash = 0_u64;
    for byte in &bytes[PIECE_MIN - WINDOW..PIECE_MIN] {
        hash = (hash << 1).wrapping_add(GEAR[usize::from(*byte)]);
    }
    for (at, byte) in bytes[PIECE_MIN..end].iter().enumerate() {
        if hash >> (u64::BITS - CUT_BITS) == 0 {
            return PIECE_MIN + at;
        }
        hash = (hash << 1).wrapping_add(GEAR[usize::from(*byte)]);
    }
    end
}

/// A part of a state or of a list.
struct Piece<'a> {
    bytes: &'a [u8],
    hash: u64,
}

/// A state that was cut.
pub(super) struct Cut<'a> {
    len: usize,
    pieces: Vec<Piece<'a>>,
}

fn cut(bytes: &[u8]) -> Cut<'_> {
    let mut pieces = Vec::with_capacity(bytes.len() / PIECE_MIN + 1);
    let mut rest = bytes;
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at(first_cut(rest));
        pieces.push(Piece { bytes: piece, hash: xxh3_64(piece) });
        rest = behind;
    }
    Cut { len: bytes.len(), pieces }
}

/// The states of a batch that do not stand whole in their rows.
pub(super) type Large<'a> = HashMap<Slot, Cut<'a>>;

/// Cuts the large states of a batch: before its transaction, which is nobody's but the disk's.
pub(super) fn cut_large(batch: &Batch) -> Large<'_> {
    let large = batch.transitions.iter().filter_map(|transition| match &transition.change {
        Change::Create(instance) | Change::Update { instance, .. } if instance.state.len() > WHOLE_MAX => {
            Some((transition.slot, cut(&instance.state)))
        }
        _ => None,
    });
    large.collect()
}

/// What the row of an instance says of a state that is in pieces.
struct Root<'a> {
    /// Of the whole state, in bytes.
    len: u64,
    /// The number of the next new piece.
    next: u64,
    /// 1 if the list names the state's pieces, 2 if it names those of the list that does, and so on.
    depth: u8,
    list: &'a [u8],
}

/// How long a root is without its list.
const ROOT_HEAD: usize = 17;

impl<'a> Root<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let (head, list) = bytes.split_first_chunk::<ROOT_HEAD>()?;
        let (len, rest) = head.split_first_chunk::<8>()?;
        let (next, depth) = rest.split_first_chunk::<8>()?;
        let (len, next) = (u64::from_le_bytes(*len), u64::from_le_bytes(*next));
        Some(Self { len, next, depth: depth[0], list })
    }

    fn write(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(ROOT_HEAD + self.list.len());
        bytes.extend_from_slice(&self.len.to_le_bytes());
        bytes.extend_from_slice(&self.next.to_le_bytes());
        bytes.push(self.depth);
        bytes.extend_from_slice(self.list);
        bytes
    }
}

/// A piece as a list names it.
#[derive(Clone, Copy)]
struct Entry {
    number: u64,
    hash: u64,
}

fn entries(list: &[u8]) -> impl Iterator<Item = Entry> {
    list.chunks_exact(ENTRY).map(|entry| {
        let half = |at: usize| u64::from_le_bytes(std::array::from_fn(|byte| entry[at + byte]));
        Entry { number: half(0), hash: half(8) }
    })
}

type Rows = (u64, u64);

/// Puts together what a list names.
fn join(
    table: &impl ReadableTable<Rows, &'static [u8]>,
    slot: Slot,
    list: &[u8],
    len: usize,
) -> Result<Vec<u8>, Fault> {
    let mut joined = Vec::with_capacity(len.min(list.len() / ENTRY * PIECE_MAX));
    for Entry { number, hash } in entries(list) {
        let row = table.get((slot.0, number))?;
        let piece = row.as_ref().and_then(|row| row::read_piece(slot, number, hash, row.value()));
        joined.extend_from_slice(piece.ok_or(Fault::Damaged(Record::Instance(slot)))?);
    }
    Ok(joined)
}

/// The lists of a state, from the one in the row to the one that names the state's own pieces.
fn lists(
    table: &impl ReadableTable<Rows, &'static [u8]>,
    slot: Slot,
    root: &Root<'_>,
) -> Result<Vec<Vec<u8>>, Fault> {
    let mut lists = vec![root.list.to_vec()];
    for _ in 1..root.depth {
        let outer = lists.last().map_or(&[][..], Vec::as_slice);
        let inner = join(table, slot, outer, usize::MAX)?;
        lists.push(inner);
    }
    Ok(lists)
}

/// The state that is in pieces by what the row of its instance says.
pub(super) fn read(txn: &ReadTransaction, slot: Slot, stored: &[u8]) -> Result<Vec<u8>, Fault> {
    let damaged = || Fault::Damaged(Record::Instance(slot));
    let root = Root::read(stored).ok_or_else(damaged)?;
    let len = usize::try_from(root.len).map_err(|_| damaged())?;
    let table = txn.open_table(PIECES)?;
    let lists = lists(&table, slot, &root)?;
    let state = join(&table, slot, lists.last().map_or(&[][..], Vec::as_slice), len)?;
    if state.len() == len { Ok(state) } else { Err(damaged()) }
}

/// The pieces of a transaction's instances. Its table is opened only when there are any.
pub(super) struct Pieces<'txn, 'a> {
    txn: &'txn WriteTransaction,
    table: Option<Table<'txn, Rows, &'static [u8]>>,
    large: &'a Large<'a>,
    /// Rows written.
    pub(super) puts: usize,
}

impl<'txn, 'a> Pieces<'txn, 'a> {
    pub(super) fn new(txn: &'txn WriteTransaction, large: &'a Large<'a>) -> Self {
        Self { txn, table: None, large, puts: 0 }
    }

    /// Whether the state that a slot is given does not stand whole in its row.
    pub(super) fn is_large(&self, slot: Slot) -> bool {
        !self.large.is_empty() && self.large.contains_key(&slot)
    }

    /// Writes those pieces of a slot's large state that are not there, removes those that are not needed any more, and gives what stands
    /// in the instance's row. `old` is what stood there, if that was in pieces too.
    pub(super) fn put(&mut self, slot: Slot, old: Option<&[u8]>) -> Result<Vec<u8>, Fault> {
        let Some(state) = self.large.get(&slot) else { return Ok(Vec::new()) };
        let table = match &mut self.table {
            Some(table) => table,
            none => none.insert(self.txn.open_table(PIECES)?),
        };
        let old = old.map(|old| Root::read(old).ok_or(Fault::Damaged(Record::Instance(slot)))).transpose()?;
        let before = old.as_ref().map(|old| lists(table, slot, old)).transpose()?.unwrap_or_default();
        let before: Vec<Entry> = before.iter().flat_map(|list| entries(list)).collect();
        let mut writer = Writer {
            table,
            slot,
            next: old.map_or(0, |old| old.next),
            known: before.iter().map(|entry| (entry.hash, entry.number)).collect(),
            named: HashSet::with_capacity(state.pieces.len()),
            row: Vec::with_capacity(PIECE_MAX + 8),
            puts: 0,
        };
        let mut list = writer.level(&state.pieces)?;
        let mut depth = 1;
        while list.len() > LIST_MAX {
            list = writer.level(&cut(&list).pieces)?;
            depth += 1;
        }
        let Writer { next, named, puts, .. } = writer;
        for Entry { number, .. } in before {
            if !named.contains(&number) {
                table.remove((slot.0, number))?;
            }
        }
        self.puts += puts;
        Ok(Root { len: state.len as u64, next, depth, list: &list }.write())
    }

    /// Removes all pieces of a slot, which may be damaged.
    pub(super) fn clear(&mut self, slot: Slot) -> Result<(), Fault> {
        let table = match &mut self.table {
            Some(table) => table,
            none => none.insert(self.txn.open_table(PIECES)?),
        };
        let all = (slot.0, 0)..=(slot.0, u64::MAX);
        if table.range(all.clone())?.next().transpose()?.is_some() {
            table.retain_in(all, |_, _| false)?;
        }
        Ok(())
    }
}

/// Writes the pieces of one state.
struct Writer<'t, 'txn> {
    table: &'t mut Table<'txn, Rows, &'static [u8]>,
    slot: Slot,
    next: u64,
    /// Numbers of stored pieces by the hash of their bytes.
    known: HashMap<u64, u64>,
    /// The numbers that the new lists name.
    named: HashSet<u64>,
    row: Vec<u8>,
    puts: usize,
}

impl Writer<'_, '_> {
    /// Sees to it that some pieces are stored, and gives the list that names them.
    fn level(&mut self, pieces: &[Piece<'_>]) -> Result<Vec<u8>, Fault> {
        let mut list = Vec::with_capacity(pieces.len() * ENTRY);
        for piece in pieces {
            let number = match self.stored(piece)? {
                Some(number) => number,
                None => self.put(piece)?,
            };
            self.named.insert(number);
            list.extend_from_slice(&number.to_le_bytes());
            list.extend_from_slice(&piece.hash.to_le_bytes());
        }
        Ok(list)
    }

    /// The number of the stored piece with these bytes. One that is damaged has others.
    fn stored(&self, piece: &Piece<'_>) -> Result<Option<u64>, Fault> {
        let Some(&number) = self.known.get(&piece.hash) else { return Ok(None) };
        let Some(row) = self.table.get((self.slot.0, number))? else { return Ok(None) };
        Ok(row::is_piece(self.slot, number, piece.hash, piece.bytes, row.value()).then_some(number))
    }

    fn put(&mut self, piece: &Piece<'_>) -> Result<u64, Fault> {
        let number = self.next;
        self.next += 1;
        row::write_piece(self.slot, number, piece.hash, piece.bytes, &mut self.row);
        self.table.insert((self.slot.0, number), self.row.as_slice())?;
        self.known.insert(piece.hash, number);
        self.puts += 1;
        Ok(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(len: usize, mut seed: u64) -> Vec<u8> {
        let byte = |_| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 56) as u8
        };
        (0..len).map(byte).collect()
    }

    fn lengths(bytes: &[u8]) -> Vec<usize> {
        cut(bytes).pieces.iter().map(|piece| piece.bytes.len()).collect()
    }

    #[test]
    fn pieces_are_within_their_bounds_and_make_up_the_whole() {
        for bytes in [noise(1_000_000, 1), vec![0; 100_000], noise(PIECE_MIN, 2), noise(1, 3), Vec::new()] {
            let lengths = lengths(&bytes);
            assert_eq!(lengths.iter().sum::<usize>(), bytes.len());
            assert!(lengths.iter().all(|len| *len <= PIECE_MAX));
            assert!(lengths.iter().rev().skip(1).all(|len| *len >= PIECE_MIN));
        }
        let average = 1_000_000 / lengths(&noise(1_000_000, 1)).len();
        assert!((2_700..3_100).contains(&average), "{average}");
    }

    /// Whatever happens in one place, the pieces elsewhere stay.
    #[test]
    fn an_edit_changes_the_pieces_around_it() {
        let before = noise(1_000_000, 4);
        let known: HashSet<u64> = cut(&before).pieces.iter().map(|piece| piece.hash).collect();
        let changed =
            |after: &[u8]| cut(after).pieces.iter().filter(|piece| !known.contains(&piece.hash)).count();
        let edit = |at: usize, removed: usize, inserted: &[u8]| {
            let mut after = before.clone();
            after.splice(at..at + removed, inserted.iter().copied());
            changed(&after)
        };
        assert_eq!(changed(&before), 0);
        for at in [0, 1, 5_000, 500_000, 999_000, 1_000_000] {
            assert!(edit(at, 0, b"x") <= 12, "one byte more at {at}: {}", edit(at, 0, b"x"));
            assert!(edit(at, 0, &noise(10_000, 5)) <= 16, "10,000 more at {at}");
        }
        for at in [0, 300_000, 900_000] {
            assert!(edit(at, 1, b"") <= 12, "one byte less at {at}");
            assert!(edit(at, 50_000, b"") <= 12, "50,000 less at {at}");
        }
    }

    #[test]
    fn a_root_reads_back() {
        let list = noise(64, 6);
        let bytes = Root { len: 1 << 40, next: 7, depth: 2, list: &list }.write();
        let root = Root::read(&bytes).unwrap();
        assert_eq!((root.len, root.next, root.depth, root.list), (1 << 40, 7, 2, &list[..]));
        assert!(Root::read(&bytes[..ROOT_HEAD - 1]).is_none());
    }
}
