//! Opening a file: what it is, whether it is ours, and the epoch.
//!
//! Invariant: a file that is refused is left byte for byte as it was (see [`stage`](super::stage)).
//! Opening reads a handful of pages, however large the store is, unless redb has to repair a file
//! whose last commit was not prepared for it (see [`settle`](crate::Store::settle)).
//!
//! A crash during an opening leaves a file that opens: a creation that was cut off begins again, and
//! an epoch that was not committed is given again to the next opening, since nobody was given it.

use std::fs::{File, OpenOptions};
use std::io;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};

use redb::backends::FileBackend;
use redb::{Builder, Database, ReadableDatabase, StorageBackend, TableError};

use super::Options;
use super::fault::{Fault, contained};
use super::slots::Slots;
use super::stage::{Content, Control, Staged};
use super::tables::{self, FORMAT_VERSION, META, META_EPOCH, META_FORMAT, OLDEST_FORMAT};
use super::{read, row};
use crate::Error;

/// Makes a backend for each opening.
pub(super) type Factory = Box<dyn Fn() -> io::Result<Box<dyn StorageBackend>> + Send + Sync>;

/// Where a store's bytes are.
pub(super) enum Source {
    File(PathBuf),
    Backend(Factory),
}

impl Source {
    /// How errors name it.
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::File(path) => path,
            Self::Backend(_) => Path::new("(memory)"),
        }
    }

    fn backend(&self) -> Result<Box<dyn StorageBackend>, Error> {
        let io = |source| Error::Io { path: self.path().to_owned(), source };
        match self {
            Self::Backend(factory) => factory().map_err(io),
            Self::File(path) => {
                let file = open_file(path).map_err(io)?;
                let backend = FileBackend::new(file).map_err(|error| Fault::from(error).on(path))?;
                Ok(Box::new(backend))
            }
        }
    }

    /// Makes a new file's name as durable as what is going to be committed to it.
    fn sync_name(&self) -> io::Result<()> {
        match self {
            #[cfg(unix)]
            Self::File(path) => File::open(directory(path))?.sync_all(),
            // Elsewhere a directory can't be synced, and needs not be.
            _ => Ok(()),
        }
    }
}

fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn open_file(path: &Path) -> io::Result<File> {
    let directory = directory(path);
    if !directory.is_dir() {
        let reason = format!("the directory {} does not exist: create it first", directory.display());
        return Err(io::Error::new(io::ErrorKind::NotFound, reason));
    }
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

/// An open database. Closing it can't do harm, whatever redb finds wrong then.
pub(super) struct Handle(Option<Database>);

impl Deref for Handle {
    type Target = Database;

    fn deref(&self) -> &Database {
        self.0.as_ref().expect("only dropping takes it")
    }
}

impl DerefMut for Handle {
    fn deref_mut(&mut self) -> &mut Database {
        self.0.as_mut().expect("only dropping takes it")
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // redb writes while it closes, and may panic on a damaged file. Nothing depends on that
        // writing: it only makes the next opening shorter.
        let db = self.0.take();
        let _ = contained(|| {
            drop(db);
            Ok(())
        });
    }
}

/// An opened file.
pub(super) struct Opened {
    pub(super) db: Handle,
    pub(super) epoch: u64,
    /// The epoch is not on disk yet: the next commit must write it.
    pub(super) epoch_due: bool,
    pub(super) slots: Slots,
    pub(super) control: Control,
}

/// Opens a file and commits its new epoch.
pub(super) fn open(source: &Source, options: &Options) -> Result<Opened, Error> {
    accept(source, options, true)
}

/// Opens a file again after an error. Where there is no room even for the epoch, it is left to the
/// next commit, so that what is stored can be read.
pub(super) fn open_again(source: &Source, options: &Options) -> Result<Opened, Error> {
    match accept(source, options, true) {
        Err(Error::Io { .. }) => accept(source, options, false),
        other => other,
    }
}

/// Opens a file, and refuses it or accepts it. The new epoch is committed before the file is
/// accepted, so that a file on which even that fails is left as it was.
fn accept(source: &Source, options: &Options, commit_epoch: bool) -> Result<Opened, Error> {
    let path = source.path();
    let (staged, control) = Staged::new(source.backend()?);
    let opened = contained(|| {
        let db = Builder::new().set_cache_size(options.cache_bytes).create_with_backend(staged)?;
        Ok(Handle(Some(db)))
    });
    let mut db = opened.map_err(|fault| refusal(fault, &control, path))?;
    let on = |fault: Fault| fault.on(path);
    let contents = contained(|| Ok(inspect(&mut db, options, path))).map_err(on)??;
    let epoch = contents.epoch + 1;
    if commit_epoch {
        contained(|| begin_epoch(&db, epoch, contents.is_older)).map_err(on)?;
    }
    let made = control.accept().and_then(|()| match control.content() {
        Some(Content::Empty) => source.sync_name(),
        _ => Ok(()),
    });
    made.map_err(|error| Error::Io { path: path.to_owned(), source: error })?;
    Ok(Opened { db, epoch, epoch_due: !commit_epoch, slots: contents.slots, control })
}

/// What a sound file says of itself.
struct Contents {
    epoch: u64,
    /// It lacks tables of later formats.
    is_older: bool,
    slots: Slots,
}

/// Why redb did not open the file.
fn refusal(fault: Fault, control: &Control, path: &Path) -> Error {
    let path_buf = path.to_owned();
    match fault {
        Fault::Redb(redb::Error::DatabaseAlreadyOpen) => Error::Locked { path: path_buf },
        _ if control.content() == Some(Content::Other) => {
            Error::Foreign { path: path_buf, reason: "it does not begin as one".to_owned() }
        }
        Fault::Redb(redb::Error::UpgradeRequired(version)) => Error::Foreign {
            path: path_buf,
            reason: format!("it is a redb file of the old format {version}"),
        },
        other => other.on(path),
    }
}

/// Looks at what redb opened.
fn inspect(db: &mut Database, options: &Options, path: &Path) -> Result<Contents, Error> {
    if options.verify && !db.check_integrity().map_err(|error| Fault::from(error).on(path))? {
        let reason = "a checksum of its pages is wrong".to_owned();
        return Err(Error::Damaged { path: path.to_owned(), reason });
    }
    let on = |fault: Fault| fault.on(path);
    let txn = db.begin_read().map_err(|error| on(error.into()))?;
    let foreign = |reason: &str| Error::Foreign { path: path.to_owned(), reason: reason.to_owned() };
    let meta = match txn.open_table(META) {
        Ok(meta) => meta,
        Err(TableError::TableDoesNotExist(_)) => {
            let tables = txn.list_tables().map_err(|error| on(error.into()))?.count();
            let multimaps = txn.list_multimap_tables().map_err(|error| on(error.into()))?.count();
            if tables + multimaps > 0 {
                return Err(foreign("it is a redb file with other tables"));
            }
            return Ok(Contents { epoch: 0, is_older: true, slots: Slots::opened(None) });
        }
        Err(TableError::Storage(error)) => return Err(on(error.into())),
        Err(_) => return Err(foreign("it is a redb file with other tables")),
    };
    let stored = |name: &str| -> Result<Option<(u64, u64)>, Error> {
        Ok(meta.get(name).map_err(|error| on(error.into()))?.map(|value| value.value()))
    };
    let damaged = |name: &str| Error::Damaged {
        path: path.to_owned(),
        reason: format!("its {name} fails its checksum"),
    };
    let format = stored(META_FORMAT)?.ok_or_else(|| foreign("it has no format version"))?;
    let format = row::read_meta(META_FORMAT, format).ok_or_else(|| damaged("format version"))?;
    if format > FORMAT_VERSION {
        return Err(Error::Newer {
            path: path.to_owned(),
            found: u32::try_from(format).unwrap_or(u32::MAX),
            supported: FORMAT_VERSION as u32,
        });
    }
    if format < OLDEST_FORMAT {
        let reason =
            format!("it has format version {format}, which no release has written: start a new file");
        return Err(foreign(&reason));
    }
    let epoch = stored(META_EPOCH)?.and_then(|epoch| row::read_meta(META_EPOCH, epoch));
    let epoch = epoch.ok_or_else(|| damaged("epoch"))?;
    let slots = Slots::opened(read::last_slot(&txn).map_err(on)?);
    Ok(Contents { epoch, is_older: format < FORMAT_VERSION, slots })
}

/// Commits a new epoch, and before it the tables that the file lacks.
///
/// With quick-repair: should nothing else be committed before a crash, the next opening is short.
fn begin_epoch(db: &Database, epoch: u64, is_older: bool) -> Result<(), Fault> {
    let mut txn = db.begin_write()?;
    txn.set_quick_repair(true);
    if is_older {
        tables::create(&txn)?;
    }
    write_epoch(&txn, epoch)?;
    txn.commit()?;
    Ok(())
}

/// Writes the epoch and the format of whoever has the file open from here on.
pub(super) fn write_epoch(txn: &redb::WriteTransaction, epoch: u64) -> Result<(), Fault> {
    let mut meta = txn.open_table(META)?;
    meta.insert(META_FORMAT, row::write_meta(META_FORMAT, FORMAT_VERSION))?;
    meta.insert(META_EPOCH, row::write_meta(META_EPOCH, epoch))?;
    Ok(())
}
