//! The floors: a bare redb that commits the same rows, and a bare file that syncs the same bytes.

use std::{
    fs::{File, OpenOptions},
    os::unix::fs::FileExt,
    path::Path,
    time::{Duration, Instant},
};

use redb::{Database, Durability, TableDefinition};

use crate::recorder::Commit;

const ROWS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("rows");
/// So large a log is written before it is measured: an overwritten byte costs no allocation.
const LOG_BYTES: u64 = 16 << 20;

/// A redb file with one table.
pub(crate) struct BareRedb(Database);

impl BareRedb {
    pub(crate) fn create(path: &Path) -> Self {
        let db = Database::create(path).expect("redb opens");
        let txn = db.begin_write().expect("redb writes");
        txn.open_table(ROWS).expect("the table opens");
        txn.commit().expect("redb commits");
        BareRedb(db)
    }

    /// Commits the same rows in the same batches.
    pub(crate) fn replay(&self, commits: &[Commit]) -> Duration {
        let mut bytes = vec![0u8; 1 << 20];
        fastrand_fill(&mut bytes);
        let started = Instant::now();
        for commit in commits {
            let mut txn = self.0.begin_write().expect("redb writes");
            txn.set_durability(Durability::Immediate).expect("an empty transaction takes it");
            {
                let mut table = txn.open_table(ROWS).expect("the table opens");
                let mut rows = commit.rows.clone();
                rows.sort_unstable();
                for (slot, len) in rows {
                    table.insert(slot, &bytes[..len]).expect("redb inserts");
                }
            }
            txn.commit().expect("redb commits");
        }
        started.elapsed()
    }
}

/// A log that was filled with zeroes.
pub(crate) struct BareLog {
    file: File,
    at: u64,
}

impl BareLog {
    pub(crate) fn create(path: &Path) -> Self {
        let file =
            OpenOptions::new().create(true).truncate(true).write(true).open(path).expect("the log opens");
        file.write_all_at(&vec![0; LOG_BYTES as usize], 0).expect("the log is filled");
        file.sync_all().expect("the log syncs");
        BareLog { file, at: 0 }
    }

    /// Writes and syncs the same bytes.
    pub(crate) fn replay(&mut self, commits: &[Commit]) -> Duration {
        let mut bytes = vec![0u8; 1 << 20];
        fastrand_fill(&mut bytes);
        let started = Instant::now();
        for commit in commits {
            let len: usize = commit.rows.iter().map(|(_, len)| len).sum();
            if self.at + len as u64 > LOG_BYTES {
                self.at = 0;
            }
            self.file.write_all_at(&bytes[..len], self.at).expect("the log is written");
            self.file.sync_data().expect("the log syncs");
            self.at += len as u64;
        }
        started.elapsed()
    }
}

/// Bytes that no file system can leave out: a xorshift.
fn fastrand_fill(bytes: &mut [u8]) {
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    for chunk in bytes.chunks_mut(8) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        chunk.copy_from_slice(&state.to_le_bytes()[..chunk.len()]);
    }
}
