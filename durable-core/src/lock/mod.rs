//! The layout file: what instances in flight may be made of, as text that is committed beside the source.
//!
//! [`check`](crate::EngineBuilder::check) needs a store. Where there is none, as in the CI of a pull request, this says what an edit would do to
//! instances that the build before it has left behind: which resume points they may stand at, and of which types their variables, arguments
//! and results are. The file keeps a version of a workflow until somebody says that no instance of it is left.
//!
//! [`testing::lock_file`](crate::testing::lock_file) is the whole of it in a test. This module is for programs that write the file
//! themselves, or want the report as JSON.
//!
//! ```
//! use durable_core::lock::Lock;
//!
//! let text = Lock::of_this_build()?.to_string(); // what to commit
//! let report = text.parse::<Lock>()?.check()?;
//! assert_eq!(report.exit_code(), 0, "{report}");
//! # Ok::<(), durable_core::lock::LockError>(())
//! ```
//!
//! # What it can't see
//!
//! Types are seen through by asking their `Deserialize` for values. What it asks for by `deserialize_any` (untagged enums, `flatten`) and what
//! refuses everything that is made up is *opaque*: it is in the file by its name, and the report says that nothing can be told of it from
//! there.
//!
//! Invariants: resume points and variables are matched by the functions that the engine matches them with, and values are read by today's types as the
//! engine reads them. So where it tells, it tells what the engine would do. Lines of the source are in the file for people; they count for nothing.

mod compare;
mod content;
mod file;
mod learn;
mod parse;
mod report;

use std::{path::PathBuf, str::FromStr};

pub use report::{LockGroup, LockReport};

use content::Block;

/// What a layout file says; displayed, it is the file.
#[derive(Clone, Debug, Default)]
pub struct Lock {
    /// In the order in which they are written: by name, and a name's versions as they came.
    blocks: Vec<Block>,
}

/// A layout file could not be made, read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// It can't be read from its file.
    #[error("the layout file {path} can't be read: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It can't be written.
    #[error("the layout file {path} can't be written: {source}")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It was merged with a conflict that nobody has resolved.
    #[error(
        "the layout file has a merge conflict at line {line}: keep what stands on both sides and remove the markers; it may hold several \
         versions of a workflow"
    )]
    Conflict {
        /// The line, from 1.
        line: usize,
    },
    /// It is no layout file, or of a newer version of durable.
    #[error(
        "the layout file begins with `{found}` and not with `durable.lock 1`: if a newer version of durable wrote it, build with that; else \
         write it anew with the build that runs in production"
    )]
    Version {
        /// Its first line.
        found: String,
    },
    /// It was edited, or damaged.
    #[error(
        "the layout file is wrong at line {line}: {message}; take it from the last commit, or write it anew with the build that runs in production"
    )]
    Line {
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// Two items of this build have one name.
    #[error("two items are called `{name}`: {first} and {second}; give one of them a name of its own")]
    Duplicate {
        /// The name.
        name: String,
        /// The one.
        first: String,
        /// The other.
        second: String,
    },
}

impl Lock {
    /// What this build has: all workflows and activities that are linked into it, with their types.
    pub fn of_this_build() -> Result<Self, LockError> {
        Ok(Lock { blocks: learn::Build::new()?.blocks() })
    }

    /// What this build would do with instances that are made as the file says.
    pub fn check(&self) -> Result<LockReport, LockError> {
        let build = learn::Build::new()?;
        let mut report = compare::compare(self, &build)?;
        report.missing = self.missing(&build.blocks());
        Ok(report)
    }

    /// The same and what this build has besides: to be written at a release, before the first instance of it is started.
    #[must_use]
    pub fn with(mut self, build: Lock) -> Self {
        for block in build.blocks {
            let same = self.blocks.iter().any(|known| known.is(&block));
            if !same {
                let behind = self.blocks.iter().rposition(|known| known.sort_key() <= block.sort_key());
                self.blocks.insert(behind.map_or(0, |at| at + 1), block);
            }
        }
        self
    }

    /// What `build` has, in the words of this file where they say the same: versions of which no instance is left are gone.
    #[must_use]
    pub fn pruned(self, build: Lock) -> Self {
        let known = self.blocks;
        let keep = |block: Block| known.iter().find(|known| known.is(&block)).cloned().unwrap_or(block);
        Lock { blocks: build.blocks.into_iter().map(keep).collect() }
    }

    /// What is new in a build, for people.
    fn missing(&self, build: &[Block]) -> Vec<String> {
        let new = build.iter().filter(|block| !self.blocks.iter().any(|known| known.is(block)));
        new.map(Block::title).collect()
    }
}

impl FromStr for Lock {
    type Err = LockError;

    fn from_str(text: &str) -> Result<Self, LockError> {
        let lock = Lock { blocks: parse::blocks(text)? };
        // What can't be read is said at once, not when it is needed.
        for block in &lock.blocks {
            block.parse()?;
        }
        Ok(lock)
    }
}
