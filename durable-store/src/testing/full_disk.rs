//! A disk with little room.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::StorageBackend;

use super::backend::{Call, Rule, RuledBackend};
use crate::MemoryImage;

const BLOCK: u64 = 4096;

/// What takes room on a [`FullDisk`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// The length of the file, as under a quota.
    Length,
    /// The blocks that were written: a file may be longer than the room, as on most file systems,
    /// and it is a write that fails.
    Blocks,
}

/// A disk that is full at a size. Clones are the same disk.
///
/// ```
/// use durable_store::testing::{FullDisk, Room};
/// use durable_store::{Batch, Error, Options, RedbStore, Store};
///
/// # fn main() -> Result<(), Error> {
/// let disk = FullDisk::new(3 << 20, Room::Blocks);
/// let store = RedbStore::with_backend(disk.factory(), Options::default())?;
/// let large = |n| Batch { programs: vec![(n, vec![0; 100_000])], ..Batch::default() };
/// let full = (0..1_000).find(|n| store.commit(&large(*n)).is_err()).expect("100 MB do not fit");
/// store.reopen()?;
/// assert!(store.program(0)?.is_some()); // what is there can be read
/// disk.set_limit(u64::MAX);
/// store.commit(&large(full))?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct FullDisk {
    image: MemoryImage,
    room: Room,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    limit: u64,
    blocks: BTreeSet<u64>,
}

impl FullDisk {
    /// An empty disk with room for `limit` bytes.
    pub fn new(limit: u64, room: Room) -> Self {
        let state = State { limit, blocks: BTreeSet::new() };
        Self { image: MemoryImage::new(), room, state: Arc::new(Mutex::new(state)) }
    }

    /// Makes the backend for each opening of a store.
    pub fn factory(&self) -> impl Fn() -> io::Result<Box<dyn StorageBackend>> + Send + Sync + use<> {
        let disk = self.clone();
        move || Ok(Box::new(RuledBackend::new(&disk.image, disk.clone())) as Box<dyn StorageBackend>)
    }

    /// Changes the room. What is there stays there.
    pub fn set_limit(&self, limit: u64) {
        self.state().limit = limit;
    }

    /// How much room is taken.
    pub fn used(&self) -> u64 {
        match self.room {
            Room::Length => self.image.snapshot().len() as u64,
            Room::Blocks => self.state().blocks.len() as u64 * BLOCK,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rule for FullDisk {
    fn before(&self, call: &Call<'_>) -> io::Result<()> {
        let mut state = self.state();
        match (self.room, call) {
            (Room::Length, Call::SetLen(len)) if *len > state.limit => {
                Err(io::Error::from(io::ErrorKind::StorageFull))
            }
            (Room::Blocks, Call::SetLen(len)) => {
                state.blocks.retain(|block| block * BLOCK < *len);
                Ok(())
            }
            (Room::Blocks, Call::Write(offset, data)) => {
                for block in offset / BLOCK..(offset + data.len() as u64).div_ceil(BLOCK) {
                    if state.blocks.contains(&block) {
                        continue;
                    }
                    if (state.blocks.len() as u64 + 1) * BLOCK > state.limit {
                        return Err(io::Error::from(io::ErrorKind::StorageFull));
                    }
                    state.blocks.insert(block);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
