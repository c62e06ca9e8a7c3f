//! A consistent copy of a store that another process may have open.
//!
//! The file is only ever written to where its last commit does not look, until the next commit turns to what was written by
//! changing the file's header. So a copy is that commit's state, if the header was the same before and after it was made, and whatever was
//! torn in the copy belongs to no commit. Opening the copy verifies the checksums of all that does.

use std::{
    fs::File,
    io::{Read, Result},
    path::{Path, PathBuf},
    time::Duration,
};

use durable_store::RedbStore;

use crate::engine::error::OpenError;

/// The part of the file that a commit changes.
const HEADER: usize = 512;
/// How often a copy is begun anew because something was committed meanwhile.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(50);

/// A copy, which is removed with this value.
pub(crate) struct Copied {
    path: PathBuf,
}

impl Copied {
    pub(crate) fn of(store: &Path) -> std::result::Result<Self, OpenError> {
        let failed = |source| OpenError::Copy { path: store.into(), source };
        let mut name = store.file_name().unwrap_or_default().to_owned();
        name.push(format!(".check-{}", std::process::id()));
        let copied = Copied { path: store.with_file_name(name) };
        for _ in 0..TRIES {
            let before = header(store).map_err(failed)?;
            std::fs::copy(store, &copied.path).map_err(failed)?;
            if header(store).map_err(failed)? == before {
                return Ok(copied);
            }
            std::thread::sleep(PAUSE);
        }
        Err(OpenError::Busy { path: store.into() })
    }

    pub(crate) fn open(&self) -> std::result::Result<RedbStore, OpenError> {
        Ok(RedbStore::open(&self.path)?)
    }
}

impl Drop for Copied {
    fn drop(&mut self) {
        // It is in nobody's way but for the room that it takes.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn header(store: &Path) -> Result<Vec<u8>> {
    let mut header = Vec::with_capacity(HEADER);
    File::open(store)?.take(HEADER as u64).read_to_end(&mut header)?;
    Ok(header)
}
