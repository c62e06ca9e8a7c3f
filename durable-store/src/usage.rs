//! What the room that a store takes is made of.

use std::fmt;

/// How much room a store takes, and how much of that is free.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DiskUsage {
    /// How long the file is, in bytes.
    pub file_bytes: u64,
    /// How much of it holds nothing, in bytes. It is used again before the file grows; compacting the file gives most of it back.
    pub free_bytes: u64,
    /// What stands in it, by kind.
    pub tables: Vec<TableUsage>,
}

/// One kind of what is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TableUsage {
    /// The name of the table, as `docs/format.md` has it.
    pub name: String,
    /// How many rows it has.
    pub rows: u64,
    /// What they take with the pages that they stand in, in bytes.
    pub bytes: u64,
}

impl fmt::Display for DiskUsage {
    /// As a table for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} bytes, {} of them free", self.file_bytes, self.free_bytes)?;
        for TableUsage { name, rows, bytes } in &self.tables {
            writeln!(f, "{name:>12}  {rows:>10} rows  {bytes:>12} bytes")?;
        }
        Ok(())
    }
}

/// What compacting a file has given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Compacted {
    /// How long the file was, in bytes.
    pub before_bytes: u64,
    /// How long it is now, in bytes.
    pub after_bytes: u64,
}

impl Compacted {
    pub(crate) fn new(before_bytes: u64, after_bytes: u64) -> Self {
        Self { before_bytes, after_bytes }
    }

    /// What the file system has back, in bytes.
    pub fn given_back_bytes(&self) -> u64 {
        self.before_bytes.saturating_sub(self.after_bytes)
    }
}
