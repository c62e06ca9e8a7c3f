//! How much room the file takes, what of, and how what is free is given back.

use redb::{Key, ReadTransaction, ReadableTableMetadata, TableDefinition, TableHandle, Value};

use super::fault::Fault;
use super::tables::with_tables;
use crate::usage::{DiskUsage, TableUsage};

/// Looks at every page that a moment's contents take: as long as it takes to read the file. Nobody waits for it.
pub(super) fn usage(txn: &ReadTransaction, file_bytes: u64) -> Result<DiskUsage, Fault> {
    let mut tables = Vec::new();
    macro_rules! each {
        ($($table:ident)*) => { $(tables.push(table(txn, super::tables::$table)?);)* };
    }
    with_tables!(each);
    let used: u64 = tables.iter().map(|table| table.bytes).sum();
    Ok(DiskUsage { file_bytes, free_bytes: file_bytes.saturating_sub(used), tables })
}

fn table<K: Key + 'static, V: Value + 'static>(
    txn: &ReadTransaction,
    table: TableDefinition<'_, K, V>,
) -> Result<TableUsage, Fault> {
    let opened = txn.open_table(table)?;
    let stats = opened.stats()?;
    let bytes = stats.stored_bytes() + stats.metadata_bytes() + stats.fragmented_bytes();
    Ok(TableUsage { name: table.name().to_owned(), rows: opened.len()?, bytes })
}
