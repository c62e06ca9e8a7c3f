//! The side file of suspects, byte by byte.
//!
//! It begins with [`MAGIC`]; then come regions of one size: one per worker, and a last one. A worker's region says whose steps it makes
//! now; the last one names those who are still suspected of what happened before. A region is a checksum (8 bytes, of all that follows), the
//! build that wrote it (8 bytes), whether its only cell is stepped alone (1 byte), how many cells there are (4 bytes), and the cells: a kind
//! (1 byte), and three numbers of 8 bytes each. All little-endian.
//!
//! Invariants:
//! - It is written in place, without a sync: the page cache outlives the process, and after a loss of power there is nobody to suspect.
//! - Nothing in it is believed: a region whose checksum is wrong is an empty one, and whoever is named must be there in the store, at the very
//!   step, before anything is done to it.
//! - A file that is not one of these is left alone.
//!
//! Deliberately absent: what follows from it (`suspects`).

use std::{
    fs::{File, OpenOptions},
    io::{self, Read},
    path::{Path, PathBuf},
};

use durable_store::{Number, Slot};
use xxhash_rust::xxh3::{xxh3_64_with_seed, xxh3_128};

const MAGIC: &[u8; 16] = b"durable suspects";
/// Counts the formats. It is the seed of the checksums: what another format wrote reads as empty.
const FORMAT: u64 = 1;
/// So many workers have a region.
pub(in crate::engine) const REGIONS: usize = 16;
/// So many are named in a region at most. A worker takes no more at once.
pub(in crate::engine) const CELLS: usize = 512;
/// Where those stand who are still suspected.
pub(super) const LIST: usize = REGIONS;

const HEAD: usize = 8 + 8 + 1 + 4;
const CELL: usize = 1 + 3 * 8;
const REGION: usize = HEAD + CELLS * CELL;
const SIZE: usize = MAGIC.len() + (REGIONS + 1) * REGION;

/// Who may have taken the process with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::engine) enum Suspect {
    Instance {
        slot: Slot,
        number: Number,
    },
    /// One that was being started, and may not be there: the hash of its id.
    Start {
        id: u128,
    },
}

impl Suspect {
    pub(in crate::engine) fn start(id: &str) -> Self {
        Suspect::Start { id: xxh3_128(id.as_bytes()) }
    }
}

/// Somebody whose step is being made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) struct Cell {
    pub(in crate::engine) who: Suspect,
    /// How many steps it had made; [`ANY_STEP`] if that is not known.
    pub(in crate::engine) steps: u64,
}

pub(in crate::engine) const ANY_STEP: u64 = u64::MAX;

/// What a region says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) build: u64,
    pub(super) alone: bool,
    pub(super) cells: Vec<Cell>,
}

/// What was found in a file that was opened.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The workers' regions, and the list as the last one.
    pub(super) regions: Vec<Region>,
    /// The file was there: whoever had it did not stop, or had somebody to suspect.
    pub(super) was_there: bool,
}

/// The open file.
#[derive(Debug)]
pub(super) struct SideFile {
    path: PathBuf,
    file: Positioned,
}

impl SideFile {
    /// Opens the file, or makes one; gives what stands in it.
    pub(super) fn open(path: &Path) -> io::Result<(SideFile, Found)> {
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("it is no file"));
        }
        let mut bytes = Vec::new();
        (&mut file).take(SIZE as u64).read_to_end(&mut bytes)?;
        // One that was never written to the disk may be shorter after a loss of power, or hold nothing but zeros.
        let begins = &bytes[..bytes.len().min(MAGIC.len())];
        if !MAGIC.starts_with(begins) && bytes.iter().any(|byte| *byte != 0) {
            return Err(io::Error::other("there is another file of this name"));
        }
        let was_there = !bytes.is_empty();
        let regions = bytes.get(MAGIC.len()..).unwrap_or_default().chunks(REGION).enumerate();
        let mut regions: Vec<Region> =
            regions.map(|(at, bytes)| read(at, bytes).unwrap_or_default()).collect();
        regions.resize(REGIONS + 1, Region::default());
        let file = Positioned::new(file);
        let made = bytes.len() < SIZE;
        if made {
            // Once, so that what is written later takes no new block and can't find the disk full.
            bytes.resize(SIZE, 0);
        }
        if !bytes.starts_with(MAGIC) || made {
            bytes[..MAGIC.len()].copy_from_slice(MAGIC);
            file.write(&bytes, 0)?;
        }
        Ok((SideFile { path: path.to_path_buf(), file }, Found { regions, was_there }))
    }

    /// Says who stands in a region. A crash inside leaves the old region, the new one, or one that reads as empty.
    pub(super) fn write(
        &self,
        region: usize,
        build: u64,
        alone: bool,
        cells: impl ExactSizeIterator<Item = Cell>,
    ) -> io::Result<()> {
        let count = cells.len().min(CELLS);
        let mut bytes = Vec::with_capacity(HEAD + count * CELL);
        bytes.extend([0; 8]);
        bytes.extend(build.to_le_bytes());
        bytes.push(u8::from(alone));
        bytes.extend(u32::try_from(count).unwrap_or_default().to_le_bytes());
        for Cell { who, steps } in cells.take(CELLS) {
            let (kind, a, b) = match who {
                Suspect::Instance { slot, number } => (0, slot.0, number.0),
                Suspect::Start { id } => (1, (id >> 64) as u64, id as u64),
            };
            bytes.push(kind);
            bytes.extend([a, b, steps].iter().flat_map(|n| n.to_le_bytes()));
        }
        let sum = checksum(region, &bytes[8..]);
        bytes[..8].copy_from_slice(&sum.to_le_bytes());
        self.file.write(&bytes, position(region))
    }

    /// Nobody stands in a region.
    pub(super) fn clear(&self, region: usize) -> io::Result<()> {
        self.file.write(&[0; HEAD], position(region))
    }

    /// Nobody is suspected of anything.
    pub(super) fn remove(&self) {
        // Whoever opens the store next finds nobody in it, too.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn position(region: usize) -> u64 {
    (MAGIC.len() + region * REGION) as u64
}

/// Never 0, which is what a cleared region has.
fn checksum(region: usize, bytes: &[u8]) -> u64 {
    xxh3_64_with_seed(bytes, (FORMAT << 32) | region as u64).max(1)
}

fn read(region: usize, bytes: &[u8]) -> Option<Region> {
    let number = |at: usize| Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
    let count = u32::from_le_bytes(bytes.get(17..HEAD)?.try_into().ok()?) as usize;
    let end = HEAD + count.min(CELLS) * CELL;
    if count > CELLS || number(0)? != checksum(region, bytes.get(8..end)?) {
        return None;
    }
    let cells = (0..count).map(|cell| {
        let at = HEAD + cell * CELL;
        let (a, b, steps) = (number(at + 1)?, number(at + 9)?, number(at + 17)?);
        let who = match bytes.get(at)? {
            0 => Suspect::Instance { slot: Slot(a), number: Number(b) },
            1 => Suspect::Start { id: (u128::from(a) << 64) | u128::from(b) },
            _ => return None,
        };
        Some(Cell { who, steps })
    });
    let cells = cells.collect::<Option<Vec<_>>>()?;
    Some(Region { build: number(8)?, alone: bytes[16] == 1 && cells.len() == 1, cells })
}

/// A file that is written at a position by several threads.
#[derive(Debug)]
struct Positioned {
    #[cfg(unix)]
    file: File,
    #[cfg(not(unix))]
    file: std::sync::Mutex<File>,
}

#[cfg(unix)]
impl Positioned {
    fn new(file: File) -> Self {
        Positioned { file }
    }

    fn write(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::write_all_at(&self.file, bytes, at)
    }
}

#[cfg(not(unix))]
impl Positioned {
    fn new(file: File) -> Self {
        Positioned { file: std::sync::Mutex::new(file) }
    }

    fn write(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        use std::io::{Seek, SeekFrom, Write};
        let mut file = self.file.lock().expect("no code panics while it holds this lock");
        file.seek(SeekFrom::Start(at))?;
        file.write_all(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells() -> Vec<Cell> {
        let instance = Suspect::Instance { slot: Slot(7), number: Number(8) };
        vec![Cell { who: instance, steps: 9 }, Cell { who: Suspect::start("order-1"), steps: ANY_STEP }]
    }

    #[test]
    fn what_is_written_is_read_by_the_next_opening() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("orders.redb.suspects");
        let (file, found) = SideFile::open(&path).unwrap();
        assert!(!found.was_there && found.regions.iter().all(|region| region.cells.is_empty()));
        file.write(3, 5, false, cells().into_iter()).unwrap();
        file.write(4, 5, true, cells().into_iter().take(1)).unwrap();
        file.write(5, 5, false, cells().into_iter()).unwrap();
        file.clear(5).unwrap();
        let (_, Found { regions, .. }) = SideFile::open(&path).unwrap();
        assert_eq!(regions[3], Region { build: 5, alone: false, cells: cells() });
        assert_eq!(regions[4], Region { build: 5, alone: true, cells: cells()[..1].to_vec() });
        assert_eq!(regions.iter().filter(|region| !region.cells.is_empty()).count(), 2);
    }

    #[test]
    fn garbage_names_nobody_and_another_file_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("orders.redb.suspects");
        let (file, _) = SideFile::open(&path).unwrap();
        file.write(0, 5, false, cells().into_iter()).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for at in MAGIC.len()..MAGIC.len() + HEAD + 2 * CELL {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x41;
            std::fs::write(&path, &damaged).unwrap();
            let (_, Found { regions, .. }) = SideFile::open(&path).unwrap();
            assert!(regions.iter().all(|region| region.cells.is_empty()), "byte {at}");
        }
        for length in [0, 3, MAGIC.len(), MAGIC.len() + 5, MAGIC.len() + HEAD] {
            std::fs::write(&path, &whole[..length]).unwrap();
            let (_, Found { regions, .. }) = SideFile::open(&path).unwrap();
            assert!(regions.iter().all(|region| region.cells.is_empty()), "{length} bytes");
            assert_eq!(std::fs::metadata(&path).unwrap().len(), SIZE as u64);
        }
        // It ends behind the only region that says something.
        std::fs::write(&path, &whole[..MAGIC.len() + HEAD + 2 * CELL]).unwrap();
        assert_eq!(SideFile::open(&path).unwrap().1.regions[0].cells, cells());
        std::fs::write(&path, "dear diary").unwrap();
        assert!(SideFile::open(&path).is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"dear diary");
    }
}
