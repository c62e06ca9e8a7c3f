//! How records are written as rows, and the checksum that each carries.
//!
//! Invariant: no row is decoded before its checksum was verified. The checksum covers the key as
//! well, so that a row that damage moved to another key is found too. redb has checksums of its
//! own, per page, but looks at them only when it repairs a file, never when it reads.
//!
//! Rows are laid out by hand: a step rewrites one, and a fixed header is what makes reading the few
//! fields that a commit compares free.

use xxhash_rust::xxh3::xxh3_64;

use super::fault::Fault;
use crate::record::{Closed, Found, Instance, Mailbox, Number, Queue, Record, Slot, Timer};

/// What a checksum is of: part of it, so that rows of different tables can't be taken for each other.
#[derive(Clone, Copy)]
enum Kind {
    Instance = 1,
    Id,
    Active,
    Timer,
    Closed,
    History,
    Layout,
    Program,
    Meta,
    Operation,
    Mail,
    Mailbox,
    Key,
    Snapshot,
    Piece,
}

/// Spreads a key over 64 bits; distinct keys of one kind stay distinct.
fn mix(kind: Kind, key: u64) -> u64 {
    (key ^ ((kind as u64) << 56)).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29)
}

const CHECKSUM_LEN: usize = 8;

/// Fills the first eight bytes of `row` with the checksum of the rest and of the key.
fn seal(kind: Kind, key: u64, row: &mut [u8]) {
    let sum = xxh3_64(&row[CHECKSUM_LEN..]) ^ mix(kind, key);
    row[..CHECKSUM_LEN].copy_from_slice(&sum.to_le_bytes());
}

/// What stands behind a valid checksum.
fn unseal(kind: Kind, key: u64, row: &[u8]) -> Option<&[u8]> {
    let (sum, body) = row.split_first_chunk::<CHECKSUM_LEN>()?;
    (u64::from_le_bytes(*sum) == xxh3_64(body) ^ mix(kind, key)).then_some(body)
}

/// Reads fixed-width fields off the front of a verified row.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_le_bytes)
    }

    fn text(&mut self, len: u16) -> Option<&'a str> {
        let (head, rest) = self.0.split_at_checked(usize::from(len))?;
        self.0 = rest;
        std::str::from_utf8(head).ok()
    }
}

fn text_len(what: &str, text: &str) -> Result<u16, Fault> {
    u16::try_from(text.len())
        .map_err(|_| Fault::Conflict(format!("{what} is {} bytes long and at most 65535 fit", text.len())))
}

/// A live instance's row, borrowed.
pub(super) struct InstanceRow<'a> {
    pub(super) number: Number,
    pub(super) started_ms: u64,
    pub(super) status: u8,
    pub(super) active: bool,
    pub(super) id: &'a str,
    pub(super) workflow: &'a str,
    /// The state, or what says where its pieces are.
    pub(super) state: Stored<'a>,
}

/// How a state stands in its instance's row.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stored<'a> {
    /// There it is.
    Whole(&'a [u8]),
    /// It is in pieces, which are found by this.
    Pieces(&'a [u8]),
}

/// The bits of an instance's row.
const ACTIVE: u8 = 1;
const IN_PIECES: u8 = 2;

impl<'a> InstanceRow<'a> {
    pub(super) fn read(slot: Slot, row: &'a [u8]) -> Result<Self, Fault> {
        Self::fields(slot, row).ok_or(Fault::Damaged(Record::Instance(slot)))
    }

    fn fields(slot: Slot, row: &'a [u8]) -> Option<Self> {
        let mut fields = Fields(unseal(Kind::Instance, slot.0, row)?);
        let number = Number(fields.u64()?);
        let started_ms = fields.u64()?;
        let status = fields.u8()?;
        let bits = fields.u8()?;
        let (id_len, workflow_len) = (fields.u16()?, fields.u16()?);
        let (id, workflow) = (fields.text(id_len)?, fields.text(workflow_len)?);
        let in_pieces = bits & IN_PIECES != 0;
        let state = if in_pieces { Stored::Pieces(fields.0) } else { Stored::Whole(fields.0) };
        Some(Self { number, started_ms, status, active: bits & ACTIVE != 0, id, workflow, state })
    }

    /// The instance, whose state is this.
    pub(super) fn to_instance(&self, state: Vec<u8>) -> Instance {
        Instance {
            id: self.id.to_owned(),
            number: self.number,
            workflow: self.workflow.to_owned(),
            status: self.status,
            active: self.active,
            started_ms: self.started_ms,
            state,
        }
    }
}

/// Writes an instance's row into `row`, whose capacity is used again. `stored` stands for the instance's state.
pub(super) fn write_instance(
    slot: Slot,
    instance: &Instance,
    stored: Stored<'_>,
    row: &mut Vec<u8>,
) -> Result<(), Fault> {
    let (state, in_pieces) = match stored {
        Stored::Whole(state) => (state, 0),
        Stored::Pieces(root) => (root, IN_PIECES),
    };
    let id_len = text_len("the instance's id", &instance.id)?;
    let workflow_len = text_len("the workflow's name", &instance.workflow)?;
    row.clear();
    row.extend_from_slice(&[0; CHECKSUM_LEN]);
    row.extend_from_slice(&instance.number.0.to_le_bytes());
    row.extend_from_slice(&instance.started_ms.to_le_bytes());
    row.push(instance.status);
    row.push(if instance.active { ACTIVE | in_pieces } else { in_pieces });
    row.extend_from_slice(&id_len.to_le_bytes());
    row.extend_from_slice(&workflow_len.to_le_bytes());
    row.extend_from_slice(instance.id.as_bytes());
    row.extend_from_slice(instance.workflow.as_bytes());
    row.extend_from_slice(state);
    seal(Kind::Instance, slot.0, row);
    Ok(())
}

/// From so many bytes of state on a closed instance's row is made in its page, and not in memory first.
pub(super) const LARGE_CLOSED: usize = 1 << 20;

/// A closed instance's row. Its number is the key.
pub(super) fn write_closed(closed: &Closed) -> Result<Vec<u8>, Fault> {
    let mut row = closed_head(closed)?;
    row.extend_from_slice(&closed.state);
    seal(Kind::Closed, closed.number.0, &mut row);
    Ok(row)
}

/// The same in place: `row` is as long as the head and the state.
pub(super) fn fill_closed(closed: &Closed, head: &[u8], row: &mut [u8]) {
    row[..head.len()].copy_from_slice(head);
    row[head.len()..].copy_from_slice(&closed.state);
    seal(Kind::Closed, closed.number.0, row);
}

/// What a closed instance's row has in front of its state, with room for the checksum.
pub(super) fn closed_head(closed: &Closed) -> Result<Vec<u8>, Fault> {
    let id_len = text_len("the instance's id", &closed.id)?;
    let workflow_len = text_len("the workflow's name", &closed.workflow)?;
    let head = CHECKSUM_LEN + 8 + 8 + 1 + 2 + 2 + closed.id.len() + closed.workflow.len();
    let mut row =
        Vec::with_capacity(head + if closed.state.len() < LARGE_CLOSED { closed.state.len() } else { 0 });
    row.extend_from_slice(&[0; CHECKSUM_LEN]);
    row.extend_from_slice(&closed.started_ms.to_le_bytes());
    row.extend_from_slice(&closed.closed_ms.to_le_bytes());
    row.push(closed.status);
    row.extend_from_slice(&id_len.to_le_bytes());
    row.extend_from_slice(&workflow_len.to_le_bytes());
    row.extend_from_slice(closed.id.as_bytes());
    row.extend_from_slice(closed.workflow.as_bytes());
    Ok(row)
}

pub(super) fn read_closed(number: Number, row: &[u8]) -> Result<Closed, Fault> {
    let read = || {
        let mut fields = Fields(unseal(Kind::Closed, number.0, row)?);
        let (started_ms, closed_ms) = (fields.u64()?, fields.u64()?);
        let status = fields.u8()?;
        let (id_len, workflow_len) = (fields.u16()?, fields.u16()?);
        let (id, workflow) = (fields.text(id_len)?.to_owned(), fields.text(workflow_len)?.to_owned());
        Some(Closed { id, number, workflow, status, started_ms, closed_ms, state: fields.0.to_vec() })
    };
    read().ok_or(Fault::Damaged(Record::Closed(number)))
}

const LIVE: u8 = 1;
const CLOSED: u8 = 2;

pub(super) fn write_found(id: &str, found: Found) -> [u8; 17] {
    let (tag, number) = match found {
        Found::Live(slot) => (LIVE, slot.0),
        Found::Closed(number) => (CLOSED, number.0),
    };
    let mut row = [0; 17];
    row[CHECKSUM_LEN] = tag;
    row[9..].copy_from_slice(&number.to_le_bytes());
    seal(Kind::Id, xxh3_64(id.as_bytes()), &mut row);
    row
}

pub(super) fn read_found(id: &str, row: &[u8; 17]) -> Result<Found, Fault> {
    let read = || {
        let mut fields = Fields(unseal(Kind::Id, xxh3_64(id.as_bytes()), row)?);
        match (fields.u8()?, fields.u64()?) {
            (LIVE, slot) => Some(Found::Live(Slot(slot))),
            (CLOSED, number) => Some(Found::Closed(Number(number))),
            _ => None,
        }
    };
    read().ok_or_else(|| Fault::Damaged(Record::Id(id.to_owned())))
}

/// Index entries are all key: their value is half a checksum of it.
pub(super) fn active_sum(slot: Slot) -> u32 {
    (xxh3_64(&slot.0.to_le_bytes()) ^ mix(Kind::Active, slot.0)) as u32
}

pub(super) fn timer_key(timer: &Timer) -> (u64, u64, u64) {
    (timer.deadline_ms, timer.slot.0, timer.operation)
}

pub(super) fn timer_sum(timer: &Timer) -> u32 {
    let mut key = [0; 24];
    key[..8].copy_from_slice(&timer.deadline_ms.to_le_bytes());
    key[8..16].copy_from_slice(&timer.slot.0.to_le_bytes());
    key[16..].copy_from_slice(&timer.operation.to_le_bytes());
    (xxh3_64(&key) ^ mix(Kind::Timer, 0)) as u32
}

/// How much mail waits for an instance.
pub(super) fn write_mailbox(slot: Slot, mailbox: &Mailbox) -> Vec<u8> {
    let mut row = vec![0; CHECKSUM_LEN];
    for queue in &mailbox.queues {
        row.extend_from_slice(&queue.queue.to_le_bytes());
        row.extend_from_slice(&queue.count.to_le_bytes());
        row.extend_from_slice(&queue.first.to_le_bytes());
        row.extend_from_slice(&queue.last.to_le_bytes());
    }
    seal(Kind::Mailbox, slot.0, &mut row);
    row
}

pub(super) fn read_mailbox(slot: Slot, row: &[u8]) -> Result<Mailbox, Fault> {
    let read = || {
        let mut fields = Fields(unseal(Kind::Mailbox, slot.0, row)?);
        let mut queues = Vec::new();
        while !fields.0.is_empty() {
            let (queue, count) = (fields.u64()?, fields.u32()?);
            let (first, last) = (fields.u64()?, fields.u64()?);
            queues.push(Queue { queue, count, first, last });
        }
        Some(Mailbox { queues })
    };
    read().ok_or(Fault::Damaged(Record::Mailbox(slot)))
}

/// Spreads a key of several parts over 64 bits. Two keys that fall together are as unlikely as
/// damage that a checksum does not notice.
fn spread<const N: usize>(parts: [u64; N]) -> u64 {
    xxh3_64(parts.map(u64::to_le_bytes).as_flattened())
}

/// Bytes under a key, of which nothing is known here.
#[derive(Clone, Copy)]
pub(super) enum Blob {
    History(Number, u32),
    Layout(u64),
    Program(u64),
    Operation(Slot, u64),
    Mail(Slot, u64, u64),
    Key(Number, [u8; 16]),
    Snapshot(Number, u32),
}

impl Blob {
    fn kind_and_key(self) -> (Kind, u64) {
        match self {
            Self::History(number, chunk) => (Kind::History, number.0 ^ u64::from(chunk).rotate_left(40)),
            Self::Layout(id) => (Kind::Layout, id),
            Self::Program(build) => (Kind::Program, build),
            Self::Operation(slot, operation) => (Kind::Operation, spread([slot.0, operation])),
            Self::Mail(slot, queue, seq) => (Kind::Mail, spread([slot.0, queue, seq])),
            Self::Key(number, key) => (Kind::Key, number.0 ^ xxh3_64(&key)),
            Self::Snapshot(number, place) => (Kind::Snapshot, spread([number.0, u64::from(place)])),
        }
    }

    pub(super) fn write(self, bytes: &[u8]) -> Vec<u8> {
        let (kind, key) = self.kind_and_key();
        let mut row = Vec::with_capacity(CHECKSUM_LEN + bytes.len());
        row.extend_from_slice(&[0; CHECKSUM_LEN]);
        row.extend_from_slice(bytes);
        seal(kind, key, &mut row);
        row
    }

    pub(super) fn read(self, row: &[u8]) -> Result<&[u8], Fault> {
        let (kind, key) = self.kind_and_key();
        unseal(kind, key, row).ok_or(Fault::Damaged(match self {
            Self::History(number, chunk) => Record::History(number, chunk),
            Self::Layout(id) => Record::Layout(id),
            Self::Program(build) => Record::Program(build),
            Self::Operation(slot, operation) => Record::Operation(slot, operation),
            Self::Mail(slot, queue, seq) => Record::Mail(slot, queue, seq),
            Self::Key(number, _) => Record::Key(number),
            Self::Snapshot(number, place) => Record::Snapshot(number, place),
        }))
    }
}

/// The checksum of a piece of a large state: of its key, and of its bytes by their hash.
fn piece_sum(slot: Slot, number: u64, hash: u64) -> [u8; CHECKSUM_LEN] {
    (hash ^ mix(Kind::Piece, spread([slot.0, number]))).to_le_bytes()
}

/// Writes a piece, whose bytes have that hash, into `row`.
pub(super) fn write_piece(slot: Slot, number: u64, hash: u64, bytes: &[u8], row: &mut Vec<u8>) {
    row.clear();
    row.extend_from_slice(&piece_sum(slot, number, hash));
    row.extend_from_slice(bytes);
}

/// The bytes of a piece, if they have that hash.
pub(super) fn read_piece(slot: Slot, number: u64, hash: u64, row: &[u8]) -> Option<&[u8]> {
    let (sum, bytes) = row.split_first_chunk::<CHECKSUM_LEN>()?;
    (*sum == piece_sum(slot, number, hash) && xxh3_64(bytes) == hash).then_some(bytes)
}

/// Whether a row is that of a piece with these bytes, byte for byte.
pub(super) fn is_piece(slot: Slot, number: u64, hash: u64, bytes: &[u8], row: &[u8]) -> bool {
    let stored = row.split_first_chunk::<CHECKSUM_LEN>();
    stored.is_some_and(|(sum, stored)| *sum == piece_sum(slot, number, hash) && stored == bytes)
}

/// Where a key of a run stands.
pub(super) fn key_key(number: Number, key: &[u8; 16]) -> (u64, u128) {
    (number.0, u128::from_be_bytes(*key))
}

/// A number in `meta` with its checksum.
pub(super) fn write_meta(name: &str, value: u64) -> (u64, u64) {
    (value, xxh3_64(name.as_bytes()) ^ mix(Kind::Meta, value))
}

/// The number, if its checksum is right.
pub(super) fn read_meta(name: &str, stored: (u64, u64)) -> Option<u64> {
    (write_meta(name, stored.0) == stored).then_some(stored.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance() -> Instance {
        Instance {
            id: "order-1".into(),
            number: Number(7),
            workflow: "fulfil".into(),
            status: 3,
            active: true,
            started_ms: 9,
            state: vec![1, 2, 3],
        }
    }

    #[test]
    fn an_instance_reads_back() {
        let mut row = Vec::new();
        write_instance(Slot(4), &instance(), Stored::Whole(&instance().state), &mut row).unwrap();
        let read = InstanceRow::read(Slot(4), &row).unwrap();
        let Stored::Whole(state) = read.state else { panic!("it was written whole") };
        assert_eq!(read.to_instance(state.to_vec()), instance());
    }

    #[test]
    fn every_flipped_bit_of_a_row_is_found() {
        let mut row = Vec::new();
        write_instance(Slot(4), &instance(), Stored::Whole(&instance().state), &mut row).unwrap();
        for bit in 0..row.len() * 8 {
            row[bit / 8] ^= 1 << (bit % 8);
            assert!(matches!(
                InstanceRow::read(Slot(4), &row),
                Err(Fault::Damaged(Record::Instance(Slot(4))))
            ));
            row[bit / 8] ^= 1 << (bit % 8);
        }
    }

    #[test]
    fn a_row_under_another_key_is_found() {
        let mut row = Vec::new();
        write_instance(Slot(4), &instance(), Stored::Whole(&instance().state), &mut row).unwrap();
        assert!(InstanceRow::read(Slot(5), &row).is_err());
        assert!(read_found("b", &write_found("a", Found::Live(Slot(1)))).is_err());
        assert!(Blob::History(Number(1), 2).read(&Blob::History(Number(1), 3).write(b"x")).is_err());
        assert!(Blob::Layout(1).read(&Blob::Program(1).write(b"x")).is_err());
    }

    #[test]
    fn a_mailbox_reads_back_whole_or_not_at_all() {
        let queue = |queue| Queue { queue, count: 3, first: 5, last: 9 };
        let mailbox = Mailbox { queues: vec![queue(0), queue(7)] };
        let mut row = write_mailbox(Slot(4), &mailbox);
        assert_eq!(read_mailbox(Slot(4), &row).unwrap(), mailbox);
        assert!(read_mailbox(Slot(5), &row).is_err());
        for bit in 0..row.len() * 8 {
            row[bit / 8] ^= 1 << (bit % 8);
            assert!(read_mailbox(Slot(4), &row).is_err());
            row[bit / 8] ^= 1 << (bit % 8);
        }
        for len in 0..row.len() {
            assert!(read_mailbox(Slot(4), &row[..len]).is_err());
        }
    }

    #[test]
    fn an_operation_or_a_message_under_another_key_is_found() {
        let operation = Blob::Operation(Slot(1), 2).write(b"x");
        assert!(Blob::Operation(Slot(1), 2).read(&operation).is_ok());
        assert!(Blob::Operation(Slot(2), 1).read(&operation).is_err());
        assert!(Blob::Mail(Slot(1), 2, 3).read(&Blob::Mail(Slot(1), 3, 2).write(b"x")).is_err());
        assert!(Blob::Key(Number(1), [0; 16]).read(&Blob::Key(Number(1), [1; 16]).write(b"x")).is_err());
    }

    #[test]
    fn a_piece_with_any_other_bit_or_under_another_key_is_found() {
        let (bytes, mut row) = (b"a piece", Vec::new());
        let hash = xxh3_64(bytes);
        write_piece(Slot(1), 2, hash, bytes, &mut row);
        assert_eq!(read_piece(Slot(1), 2, hash, &row), Some(&bytes[..]));
        assert!(is_piece(Slot(1), 2, hash, bytes, &row));
        assert!(read_piece(Slot(2), 1, hash, &row).is_none());
        assert!(read_piece(Slot(1), 2, xxh3_64(b"another"), &row).is_none());
        assert!(!is_piece(Slot(1), 2, hash, b"a piecf", &row));
        for bit in 0..row.len() * 8 {
            row[bit / 8] ^= 1 << (bit % 8);
            assert!(read_piece(Slot(1), 2, hash, &row).is_none());
            assert!(!is_piece(Slot(1), 2, hash, bytes, &row));
            row[bit / 8] ^= 1 << (bit % 8);
        }
        assert!((0..row.len()).all(|len| read_piece(Slot(1), 2, hash, &row[..len]).is_none()));
    }

    #[test]
    fn a_truncated_row_is_found() {
        let row = write_closed(&Closed {
            id: "a".into(),
            number: Number(1),
            workflow: "w".into(),
            status: 0,
            started_ms: 1,
            closed_ms: 2,
            state: vec![],
        })
        .unwrap();
        for len in 0..row.len() {
            assert!(read_closed(Number(1), &row[..len]).is_err());
        }
        assert!(read_closed(Number(1), &row).is_ok());
    }
}
