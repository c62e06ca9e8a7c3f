//! Which messages of the mailbox are not there for the taking any more, while a machine runs.
//!
//! A run may take ten thousand messages one after the other, so nothing in here costs what was taken before: neither asking
//! for one message, nor finding the next one.

use std::collections::{HashMap, HashSet};

use crate::engine::state::Held;

#[derive(Debug, Default)]
pub(crate) struct Gone {
    messages: HashSet<(u64, u64)>,
    /// By queue: everything in front of this number is gone.
    from: HashMap<u64, u64>,
}

impl Gone {
    pub(super) fn of<'a>(held: impl Iterator<Item = &'a Held>, consumed: &[(u64, u64)]) -> Self {
        let held = held.map(|held| (held.queue, held.seq));
        Gone { messages: held.chain(consumed.iter().copied()).collect(), from: HashMap::new() }
    }

    pub(super) fn add(&mut self, queue: u64, seq: u64) {
        self.messages.insert((queue, seq));
    }

    /// A message waits again.
    pub(super) fn give_back(&mut self, queue: u64, seq: u64) {
        self.messages.remove(&(queue, seq));
        if let Some(from) = self.from.get_mut(&queue) {
            *from = seq.min(*from);
        }
    }

    pub(super) fn holds(&self, queue: u64, seq: u64) -> bool {
        self.messages.contains(&(queue, seq))
    }

    /// The number before which there is no use looking.
    pub(super) fn from(&self, queue: u64) -> u64 {
        self.from.get(&queue).copied().unwrap_or_default()
    }

    /// This is the first message of its queue that is not gone.
    pub(super) fn found_first(&mut self, queue: u64, seq: u64) {
        self.from.insert(queue, seq);
    }
}
