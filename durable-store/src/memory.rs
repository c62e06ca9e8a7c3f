//! A file in memory, for stores that need not outlive the process, and for tests of crashes.

use std::io;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::{BackendError, StorageBackend};

/// A file in memory. Clones share its bytes.
///
/// At most one store has it open; a second one is refused as another process would be.
///
/// ```
/// use durable_store::{MemoryImage, RedbStore, Store};
///
/// # fn main() -> Result<(), durable_store::Error> {
/// let image = MemoryImage::new();
/// let store = RedbStore::open_image(&image)?;
/// assert_eq!(store.epoch(), 1);
///
/// // What a crash at this moment would leave, while the first store lives on.
/// let after_crash = RedbStore::open_image(&image.fork())?;
/// assert_eq!(after_crash.epoch(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct MemoryImage(Arc<Mutex<File>>);

#[derive(Default)]
struct File {
    bytes: Vec<u8>,
    /// How often the image was opened or cut off: a backend of an earlier opening is dead.
    opening: u64,
    open: bool,
}

impl std::fmt::Debug for MemoryImage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryImage").field("len", &self.file().bytes.len()).finish()
    }
}

impl MemoryImage {
    /// An empty file.
    pub fn new() -> Self {
        Self::default()
    }

    /// A file with these bytes.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new(File { bytes, ..File::default() })))
    }

    /// How long the file is, in bytes.
    pub fn len(&self) -> usize {
        self.file().bytes.len()
    }

    /// Whether nothing was written into it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A copy of the bytes as they are now.
    pub fn snapshot(&self) -> Vec<u8> {
        self.file().bytes.clone()
    }

    /// An independent image with the bytes as they are now: what a process that is killed at this
    /// moment leaves behind.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self::from_bytes(self.snapshot())
    }

    /// Takes the image away from the store that has it open, as if its process had been killed:
    /// the bytes stay as they are, every later access of that store fails, and the image can be
    /// opened again at once.
    pub fn cut_off(&self) {
        let mut file = self.file();
        file.opening += 1;
        file.open = false;
    }

    /// Access for one opening.
    pub(crate) fn backend(&self) -> ImageBackend {
        ImageBackend { image: self.clone(), opening: Mutex::new(None) }
    }

    fn file(&self) -> MutexGuard<'_, File> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One opening's access to an image.
#[derive(Debug)]
pub(crate) struct ImageBackend {
    image: MemoryImage,
    /// Which opening this is, once the image was locked for it.
    opening: Mutex<Option<u64>>,
}

impl ImageBackend {
    fn opening(&self) -> MutexGuard<'_, Option<u64>> {
        self.opening.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn file(&self) -> io::Result<MutexGuard<'_, File>> {
        let file = self.image.file();
        if *self.opening() == Some(file.opening) {
            Ok(file)
        } else {
            Err(io::Error::other("the image was cut off"))
        }
    }

    fn release(&self) {
        let mut file = self.image.file();
        if self.opening().take() == Some(file.opening) {
            file.open = false;
        }
    }
}

impl Drop for ImageBackend {
    fn drop(&mut self) {
        self.release();
    }
}

fn range(file: &File, offset: u64, len: usize) -> io::Result<std::ops::Range<usize>> {
    let start = usize::try_from(offset).ok();
    let end = start.and_then(|start| start.checked_add(len)).filter(|end| *end <= file.bytes.len());
    match (start, end) {
        (Some(start), Some(end)) => Ok(start..end),
        _ => Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
    }
}

impl StorageBackend for ImageBackend {
    fn len(&self) -> io::Result<u64> {
        Ok(self.file()?.bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let file = self.file()?;
        let range = range(&file, offset, out.len())?;
        out.copy_from_slice(&file.bytes[range]);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let len = usize::try_from(len).map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
        self.file()?.bytes.resize(len, 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file().map(|_| ())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut file = self.file()?;
        let range = range(&file, offset, data.len())?;
        file.bytes[range].copy_from_slice(data);
        Ok(())
    }

    fn close(&self) -> io::Result<()> {
        self.release();
        Ok(())
    }

    // redb locks several ranges of its choice; an image knows only the whole, which redb asks for
    // when it is told that ranges are not supported.
    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        if (start, end) != (Bound::Unbounded, Bound::Unbounded) {
            return Err(BackendError::Unsupported);
        }
        let mut file = self.image.file();
        if file.open {
            return Ok(false);
        }
        file.open = true;
        file.opening += 1;
        *self.opening() = Some(file.opening);
        Ok(true)
    }

    fn unlock_range(&self, _start: Bound<u64>, _end: Bound<u64>) -> Result<(), BackendError> {
        self.release();
        Ok(())
    }
}
