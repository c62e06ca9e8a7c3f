//! The tables of a store's file.
//!
//! | table | key | value |
//! |---|---|---|
//! | `instances` | slot | everything that changes at a step: the only table a plain step writes |
//! | `pieces` | slot, number | a piece of a state that is too large for the instance's row |
//! | `ids` | the user's id | the live slot, or the number of the retained closed instance |
//! | `active` | slot | a checksum |
//! | `timers` | deadline, slot, operation | a checksum |
//! | `closed` | number | a closed instance |
//! | `operations` | slot, operation | an operation that stands beside its instance |
//! | `mail` | slot, queue, place | a message that waits for the instance |
//! | `mailboxes` | slot | how many messages wait in which queue; absent if none does |
//! | `keys` | number, key | what is remembered under a key of a run |
//! | `history` | number, chunk | one chunk of history |
//! | `snapshots` | place, number | an earlier snapshot of a run: most places are overwritten in turn |
//! | `layouts`, `programs` | id | bytes |
//! | `meta` | name | a number: the format version, the epoch |
//!
//! Keys are fixed-width numbers wherever order matters, so that redb orders and packs them.
//! What is kept under a slot goes when the instance closes; what is kept under a number stays until
//! the run expires.
//!
//! Deliberately absent: an index by status or by workflow (listing scans; a step must not pay for it).

use redb::{TableDefinition, WriteTransaction};

use super::fault::Fault;

/// The version of everything in the file, tables and rows. A build opens its own and earlier ones,
/// back to [`OLDEST_FORMAT`].
///
/// - 1: never released.
/// - 2: `operations`, `mail`, `mailboxes`, `keys`.
/// - 3: `snapshots`.
/// - 4: `pieces`.
pub(super) const FORMAT_VERSION: u64 = 4;

/// The first format that a release has written.
pub(super) const OLDEST_FORMAT: u64 = 2;

/// The keys of `meta`. This table and these two keys stay as they are in every later format, so
/// that any build can tell which format a file has.
pub(super) const META_FORMAT: &str = "format";
pub(super) const META_EPOCH: &str = "epoch";

pub(super) const META: TableDefinition<'_, &str, (u64, u64)> = TableDefinition::new("meta");
pub(super) const INSTANCES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("instances");
pub(super) const PIECES: TableDefinition<'_, (u64, u64), &[u8]> = TableDefinition::new("pieces");
pub(super) const IDS: TableDefinition<'_, &str, [u8; 17]> = TableDefinition::new("ids");
pub(super) const ACTIVE: TableDefinition<'_, u64, u32> = TableDefinition::new("active");
pub(super) const TIMERS: TableDefinition<'_, (u64, u64, u64), u32> = TableDefinition::new("timers");
pub(super) const CLOSED: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("closed");
pub(super) const OPERATIONS: TableDefinition<'_, (u64, u64), &[u8]> = TableDefinition::new("operations");
pub(super) const MAIL: TableDefinition<'_, (u64, u64, u64), &[u8]> = TableDefinition::new("mail");
pub(super) const MAILBOXES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("mailboxes");
pub(super) const KEYS: TableDefinition<'_, (u64, u128), &[u8]> = TableDefinition::new("keys");
pub(super) const HISTORY: TableDefinition<'_, (u64, u32), &[u8]> = TableDefinition::new("history");
pub(super) const SNAPSHOTS: TableDefinition<'_, (u32, u64), &[u8]> = TableDefinition::new("snapshots");
pub(super) const LAYOUTS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("layouts");
pub(super) const PROGRAMS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("programs");

/// Calls `$then!` with every table.
macro_rules! with_tables {
    ($then:ident) => {
        $then! {
            META INSTANCES PIECES IDS ACTIVE TIMERS CLOSED OPERATIONS MAIL MAILBOXES KEYS HISTORY SNAPSHOTS
            LAYOUTS PROGRAMS
        }
    };
}
pub(super) use with_tables;

/// Creates every table that is not there, so that a reading never meets a missing one.
pub(super) fn create(txn: &WriteTransaction) -> Result<(), Fault> {
    macro_rules! open {
        ($($table:ident)*) => { $(txn.open_table($table)?;)* };
    }
    with_tables!(open);
    Ok(())
}
