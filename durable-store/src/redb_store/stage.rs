//! A backend whose writes are held back until the opening has proved the file good.
//!
//! redb repairs while it opens, and marks the file as in use, before anything of ours could look at
//! what the file is. A file that is refused must be left as it was, so the writes of an opening are
//! kept in memory and made, in their own order and with their own syncs, when the file is accepted.
//! A crash in the middle of that leaves what it would have left without this module.
//!
//! It also looks at the file before redb does (but after redb has locked it): an unfinished creation
//! is taken for an empty file, and what is not a redb file is recognised as such.

use std::collections::BTreeMap;
use std::io;
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::{BackendError, StorageBackend};

/// What the file was when it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Nothing, or a creation that a crash cut off: a new store is made in it.
    Empty,
    /// A redb file, by its first bytes.
    Redb,
    /// Something else.
    Other,
}

const REDB_MAGIC: [u8; 9] = [b'r', b'e', b'd', b'b', 0x1A, 0x0A, 0xA9, 0x0D, 0x0A];
/// redb writes its magic number last when it creates a file; before that, the first sector is
/// either zero or holds this page size at this offset.
const PAGE_SIZE_OFFSET: usize = 12;
const PAGE: usize = 4096;
const SECTOR: usize = 512;
/// No unfinished creation is longer: redb starts with about one megabyte.
const CREATION_MAX: u64 = 16 << 20;

/// One call of redb that changes the file.
enum Call {
    Write(u64, Vec<u8>),
    SetLen(u64),
    Sync,
}

/// The file as redb sees it while calls are held back.
struct Stage {
    content: Option<Content>,
    calls: Vec<Call>,
    len: u64,
    /// How much of the file still shows through: cuts of the length hide the rest.
    shown: u64,
    pages: BTreeMap<u64, Box<[u8; PAGE]>>,
}

impl Stage {
    /// What the file holds from `offset` on, with the held-back calls made.
    fn read(&self, file: &dyn StorageBackend, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let end = offset.checked_add(out.len() as u64).filter(|end| *end <= self.len);
        let end = end.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
        out.fill(0);
        let shown = self.shown.min(end).saturating_sub(offset) as usize;
        if shown > 0 {
            file.read(offset, &mut out[..shown])?;
        }
        for (&page, bytes) in self.pages.range(offset / PAGE as u64..end.div_ceil(PAGE as u64)) {
            let start = page * PAGE as u64;
            let (from, to) = (offset.max(start), end.min(start + PAGE as u64));
            out[(from - offset) as usize..(to - offset) as usize]
                .copy_from_slice(&bytes[(from - start) as usize..(to - start) as usize]);
        }
        Ok(())
    }

    fn write(&mut self, file: &dyn StorageBackend, offset: u64, data: &[u8]) -> io::Result<()> {
        let end = offset + data.len() as u64;
        for page in offset / PAGE as u64..end.div_ceil(PAGE as u64) {
            let start = page * PAGE as u64;
            if !self.pages.contains_key(&page) {
                let mut bytes = Box::new([0; PAGE]);
                let there = self.len.saturating_sub(start).min(PAGE as u64) as usize;
                self.read(file, start, &mut bytes[..there])?;
                self.pages.insert(page, bytes);
            }
            let (from, to) = (offset.max(start), end.min(start + PAGE as u64));
            if let Some(bytes) = self.pages.get_mut(&page) {
                bytes[(from - start) as usize..(to - start) as usize]
                    .copy_from_slice(&data[(from - offset) as usize..(to - offset) as usize]);
            }
        }
        self.len = self.len.max(end);
        self.calls.push(Call::Write(offset, data.to_vec()));
        Ok(())
    }

    fn set_len(&mut self, len: u64) {
        self.shown = self.shown.min(len);
        self.pages.retain(|page, _| page * (PAGE as u64) < len);
        if let Some(bytes) = self.pages.get_mut(&(len / PAGE as u64)) {
            bytes[(len % PAGE as u64) as usize..].fill(0);
        }
        self.len = len;
        self.calls.push(Call::SetLen(len));
    }

    /// Looks at the file for the first time.
    fn inspect(&mut self, file: &dyn StorageBackend) -> io::Result<()> {
        if self.content.is_some() {
            return Ok(());
        }
        self.len = file.len()?;
        self.shown = self.len;
        let mut head = vec![0; self.len.min(SECTOR as u64) as usize];
        file.read(0, &mut head)?;
        self.content = Some(if head.is_empty() {
            Content::Empty
        } else if head.starts_with(&REDB_MAGIC) {
            Content::Redb
        } else if is_unfinished_creation(file, self.len, &head)? {
            self.set_len(0);
            Content::Empty
        } else {
            Content::Other
        });
        Ok(())
    }
}

/// Whether the file is what a crash leaves of a creation: no magic number yet, and nothing but
/// zeros behind the first sector.
fn is_unfinished_creation(file: &dyn StorageBackend, len: u64, head: &[u8]) -> io::Result<bool> {
    let page_size = head.get(PAGE_SIZE_OFFSET..PAGE_SIZE_OFFSET + 4);
    let is_header = head.iter().take(REDB_MAGIC.len()).all(|byte| *byte == 0)
        && page_size == Some(&(PAGE as u32).to_le_bytes()[..]);
    let is_zero = head.iter().all(|byte| *byte == 0);
    if len > CREATION_MAX || !(is_zero || is_header) {
        return Ok(false);
    }
    let mut rest = vec![0; len as usize - head.len()];
    file.read(head.len() as u64, &mut rest)?;
    Ok(rest.iter().all(|byte| *byte == 0))
}

/// The backend, with what both ends share.
struct Shared {
    file: Box<dyn StorageBackend>,
    holding: AtomicBool,
    stage: Mutex<Stage>,
}

/// The end that redb has.
pub(super) struct Staged(Arc<Shared>);

/// The end that stays outside of redb.
pub(super) struct Control(Arc<Shared>);

impl std::fmt::Debug for Staged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Staged").field(&self.0.file).finish()
    }
}

impl Shared {
    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The stage while calls are held back, inspected; `None` afterwards.
    fn held(&self) -> io::Result<Option<MutexGuard<'_, Stage>>> {
        if !self.holding.load(Ordering::Acquire) {
            return Ok(None);
        }
        let mut stage = self.stage();
        stage.inspect(&*self.file)?;
        Ok(Some(stage))
    }
}

impl Control {
    /// What the file was; `None` if redb never came to look at it.
    pub(super) fn content(&self) -> Option<Content> {
        self.0.stage().content
    }

    /// How long the file is.
    pub(super) fn len(&self) -> io::Result<u64> {
        self.0.file.len()
    }

    /// Accepts the file: makes the calls that were held back, and holds back none from here on.
    /// To be called while redb is at rest.
    ///
    /// A crash inside leaves what a crash inside redb's own opening leaves: the calls keep their order.
    pub(super) fn accept(&self) -> io::Result<()> {
        let mut stage = self.0.stage();
        for call in std::mem::take(&mut stage.calls) {
            match call {
                Call::Write(offset, data) => self.0.file.write(offset, &data)?,
                Call::SetLen(len) => self.0.file.set_len(len)?,
                Call::Sync => self.0.file.sync_data()?,
            }
        }
        stage.pages.clear();
        self.0.holding.store(false, Ordering::Release);
        Ok(())
    }
}

impl Staged {
    pub(super) fn new(file: Box<dyn StorageBackend>) -> (Self, Control) {
        let stage = Stage { content: None, calls: Vec::new(), len: 0, shown: 0, pages: BTreeMap::new() };
        let shared = Arc::new(Shared { file, holding: AtomicBool::new(true), stage: Mutex::new(stage) });
        (Self(shared.clone()), Control(shared))
    }
}

impl StorageBackend for Staged {
    fn len(&self) -> io::Result<u64> {
        match self.0.held()? {
            Some(stage) => Ok(stage.len),
            None => self.0.file.len(),
        }
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        match self.0.held()? {
            Some(stage) => stage.read(&*self.0.file, offset, out),
            None => self.0.file.read(offset, out),
        }
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        match self.0.held()? {
            Some(mut stage) => {
                stage.set_len(len);
                Ok(())
            }
            None => self.0.file.set_len(len),
        }
    }

    fn sync_data(&self) -> io::Result<()> {
        match self.0.held()? {
            Some(mut stage) => {
                stage.calls.push(Call::Sync);
                Ok(())
            }
            None => self.0.file.sync_data(),
        }
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        match self.0.held()? {
            Some(mut stage) => stage.write(&*self.0.file, offset, data),
            None => self.0.file.write(offset, data),
        }
    }

    fn close(&self) -> io::Result<()> {
        self.0.file.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.file.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.file.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.file.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.file.query_lock_range(start, end)
    }
}
