//! A copy of a store that goes on working: what one read transaction sees, written into a file of its own.
//!
//! The copy is made under another name, synced, and then renamed, so that a file of the name that was asked for is whole. It is
//! compact: what the store has free is not in it.
//!
//! Deliberately absent: any look at the rows. One that is damaged is copied as it is, and found where it is read.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use redb::backends::FileBackend;
use redb::{Builder, Key, ReadTransaction, ReadableTable, TableDefinition, Value, WriteTransaction};

use super::fault::{Fault, contained};
use super::tables::with_tables;
use crate::Error;

/// How much memory is used for pages of the copy.
const CACHE_BYTES: usize = 32 << 20;

/// On which side a copy has failed.
pub(super) enum Side {
    Store(Fault),
    Copy(Error),
}

impl From<Fault> for Side {
    fn from(fault: Fault) -> Self {
        Self::Store(fault)
    }
}

/// A file that is removed again unless it becomes the copy.
struct Partial {
    path: PathBuf,
    whole: bool,
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.whole {
            // It is in nobody's way but for the room that it takes.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Writes what `from` sees into a new file.
pub(super) fn copy(from: &ReadTransaction, to: &Path) -> Result<(), Side> {
    let failed = |source| Side::Copy(Error::Io { path: to.to_owned(), source });
    if to.try_exists().map_err(failed)? {
        let reason = "it is there already: a back-up replaces no file";
        return Err(failed(io::Error::new(io::ErrorKind::AlreadyExists, reason)));
    }
    let mut name = to.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    let mut partial = Partial { path: to.with_file_name(name), whole: false };
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&partial.path);
    let file = file.map_err(failed)?;
    let written = contained(|| {
        let backend = FileBackend::new(file)?;
        let db = Builder::new().set_cache_size(CACHE_BYTES).create_with_backend(backend)?;
        let mut txn = db.begin_write()?;
        txn.set_quick_repair(true);
        let copied = copy_all(from, &txn);
        if copied.is_ok() {
            txn.commit()?;
        }
        Ok(copied)
    });
    written.map_err(|fault| Side::Copy(fault.on(to)))??;
    fs::rename(&partial.path, to).map_err(failed)?;
    partial.whole = true;
    sync_directory(to).map_err(failed)
}

fn copy_all(from: &ReadTransaction, to: &WriteTransaction) -> Result<(), Side> {
    macro_rules! copy_each {
        ($($table:ident)*) => { $(copy_table(from, to, super::tables::$table)?;)* };
    }
    with_tables!(copy_each);
    Ok(())
}

fn copy_table<K: Key + 'static, V: Value + 'static>(
    from: &ReadTransaction,
    to: &WriteTransaction,
    table: TableDefinition<'_, K, V>,
) -> Result<(), Side> {
    let on_copy = |fault: Fault| Side::Copy(fault.on(Path::new("the copy")));
    let rows = from.open_table(table).map_err(Fault::from)?;
    let mut copied = to.open_table(table).map_err(|error| on_copy(error.into()))?;
    let mut last: Option<Vec<u8>> = None;
    for row in rows.iter().map_err(Fault::from)? {
        let (key, value) = row.map_err(Fault::from)?;
        let bytes = K::as_bytes(&key.value()).as_ref().to_vec();
        if last.is_some_and(|last| K::compare(&last, &bytes).is_ge()) {
            // A damaged tree may lead in a circle.
            return Err(Fault::Corrupted(format!("the keys of table {table} do not ascend")).into());
        }
        copied.insert(key.value(), value.value()).map_err(|error| on_copy(error.into()))?;
        last = Some(bytes);
    }
    Ok(())
}

fn sync_directory(file: &Path) -> io::Result<()> {
    let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) }
}
