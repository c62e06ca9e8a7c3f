//! How much is kept in memory of instances that wait for their attempts, so that their next step need not read them.
//!
//! What is kept is a copy of what the store has. Instances that wait for nothing but timers or messages are not in memory at all.

use super::state::Loaded;

/// So many records are kept.
const INSTANCES: usize = 20_000;
/// So many bytes of stored state are theirs; decoded they are of about that size.
const BYTES: usize = 64 << 20;

/// What is kept.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Cached {
    instances: usize,
    bytes: usize,
}

impl Cached {
    /// Whether one more can be kept. If so it is.
    pub(crate) fn has_room(&mut self, loaded: &Loaded) -> bool {
        let bytes = self.bytes + loaded.stored_bytes;
        let has_room = self.instances < INSTANCES && bytes <= BYTES;
        if has_room {
            *self = Cached { instances: self.instances + 1, bytes };
        }
        has_room
    }

    /// This one is not kept any more, if one was.
    pub(crate) fn without(&mut self, loaded: Option<&Loaded>) {
        if let Some(loaded) = loaded {
            self.instances -= 1;
            self.bytes -= loaded.stored_bytes;
        }
    }
}
