//! The file itself.

use std::{fmt, fs, io::ErrorKind, path::Path};

use super::{Lock, LockError};

/// The first line that says something.
pub(super) const HEAD: &str = "durable.lock 1";

const ABOUT: &str = "\
# What instances of this program in flight may be made of, so that a build can say what an edit would do to them.
# Written by `DURABLE_LOCK=write`, at each release; do commit it. A workflow may have several versions here: one is removed (as a whole)
# when no instance of it is left, and `DURABLE_LOCK=prune` removes all but those of today. In a merge conflict keep both sides.
";

impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(ABOUT)?;
        writeln!(f, "{HEAD}")?;
        self.blocks.iter().try_for_each(|block| write!(f, "\n{block}"))
    }
}

impl Lock {
    /// Reads a file; `None` if there is none.
    pub fn read(path: impl AsRef<Path>) -> Result<Option<Self>, LockError> {
        let path = path.as_ref();
        match fs::read_to_string(path) {
            Ok(text) => text.parse().map(Some),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(LockError::Read { path: path.into(), source }),
        }
    }

    /// Writes the file: to another one first, which then takes its place. Whether it was written: not if it would be the same.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<bool, LockError> {
        let (path, text) = (path.as_ref(), self.to_string());
        if fs::read_to_string(path).is_ok_and(|before| before == text) {
            return Ok(false);
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}", std::process::id()));
        let beside = path.with_file_name(name);
        let written = fs::write(&beside, text).and_then(|()| fs::rename(&beside, path));
        written.map(|()| true).map_err(|source| LockError::Write { path: path.into(), source })
    }
}
