//! Earlier snapshots of an instance: where it stood after each of its last steps, so that it can be forked at one of them or go back to it.
//!
//! A snapshot is kept in the transaction of its step, at place `step % n`, so that it takes the place of the one n steps before. It holds
//! what a step of this instance needs to go on from there, and what that step has taken from outside (messages), so that it can be given
//! back. The first one is where the instance began.
//!
//! Invariants: a setting of 0 writes nothing; a transition without a step keeps none; what is kept is bounded in number and in bytes.
//!
//! Deliberately absent: the history, which a fork does not share, and mail that was not taken, which stays the instance's.

mod rewind;
mod view;

use std::sync::Arc;

use durable_store::{Number, Slot, SnapshotChange};
use serde::{Deserialize, Serialize};

pub use rewind::RewindError;
pub use view::KeptSnapshot;
pub(crate) use view::Source;

use super::{
    inner::Inner,
    mail::{Message, Placed},
    state::{InstanceState, Loaded, Operation},
};

/// The most snapshots that can be kept of an instance.
pub const MAX_KEPT_SNAPSHOTS: u32 = 1_000;
/// A snapshot with more operations in rows of their own than this is not kept: each step would write all of them.
const MOST_ROWS: usize = 64;
/// Nor is one of more bytes.
const MOST_BYTES: usize = 8 << 20;

/// A message that a step has taken: its queue, its place there, and what it is.
pub(crate) type Taken = (u64, u64, Arc<Message>);

/// An instance after one of its steps.
#[derive(Debug, Deserialize)]
pub(crate) struct Kept {
    pub(crate) step: u64,
    /// The step after which it stood before that one; the same if it began here.
    pub(crate) before: u64,
    pub(crate) at_ms: u64,
    pub(crate) slot: Slot,
    /// Messages that were taken between the two.
    pub(crate) taken: Vec<Placed>,
    rows: Vec<Operation>,
    state: InstanceState,
}

/// The same, borrowed. The fields are in the same order.
#[derive(Serialize)]
struct ToKeep<'a> {
    step: u64,
    before: u64,
    at_ms: u64,
    slot: Slot,
    taken: Vec<(u64, u64, &'a Message)>,
    rows: Vec<&'a Operation>,
    state: &'a InstanceState,
}

/// What a transition keeps.
#[derive(Clone, Debug)]
pub(crate) struct Keeping {
    /// How many snapshots are kept.
    pub(crate) most: u32,
    /// The step after which the instance stood when the transition began.
    pub(crate) began: u64,
    /// Messages that were taken since.
    pub(crate) taken: Vec<Taken>,
    pub(crate) changes: Vec<SnapshotChange>,
}

impl Keeping {
    pub(crate) fn new(most: u32, loaded: &Loaded) -> Self {
        Keeping { most, began: loaded.state.steps, taken: Vec::new(), changes: Vec::new() }
    }

    /// It stands again where it stood after a step; so much changes of what is kept.
    pub(crate) fn rewound(&mut self, step: u64, changes: impl Iterator<Item = SnapshotChange>) {
        self.began = step;
        self.taken.clear();
        self.changes.extend(changes);
    }

    /// A message was taken.
    pub(crate) fn taken(&mut self, queue: u64, seq: u64, message: &Arc<Message>) {
        if self.most > 0 {
            self.taken.push((queue, seq, message.clone()));
        }
    }

    /// Keeps where the instance begins.
    pub(crate) fn keep_beginning(&mut self, slot: Slot, state: &mut InstanceState, now_ms: u64) {
        if self.most > 0 {
            let kept = self.keep(slot, state, now_ms);
            self.changes.extend(kept);
        }
    }

    /// Keeps where the instance stands, if it has moved since the transition began.
    pub(crate) fn keep_step(&mut self, slot: Slot, state: &mut InstanceState, now_ms: u64) {
        if self.most > 0 && state.steps != self.began {
            let kept = self.keep(slot, state, now_ms);
            self.changes.extend(kept);
        }
    }

    /// The snapshot of the step, once more, if it was kept: what was sent has found its receivers.
    pub(crate) fn kept_again(
        changes: &mut [SnapshotChange],
        most: u32,
        state: &mut InstanceState,
    ) -> Option<()> {
        let place = (state.steps % u64::from(most.max(1))) as u32;
        let last = changes.iter_mut().rev().find_map(|change| match change {
            SnapshotChange::Put(at, bytes) if *at == place => Some(bytes),
            _ => None,
        })?;
        let kept = Kept::read(last).ok().filter(|kept| kept.step == state.steps)?;
        let taken = kept.taken.iter().map(|(queue, seq, message)| (*queue, *seq, message)).collect();
        *last = bytes(kept.before, kept.at_ms, kept.slot, taken, state)?;
        Some(())
    }

    fn keep(&self, slot: Slot, state: &mut InstanceState, now_ms: u64) -> Option<SnapshotChange> {
        let taken = self.taken.iter().map(|(queue, seq, message)| (*queue, *seq, &**message)).collect();
        let bytes = bytes(self.began, now_ms, slot, taken, state)?;
        Some(SnapshotChange::Put((state.steps % u64::from(self.most)) as u32, bytes))
    }
}

/// Nothing if it is too large.
fn bytes(
    before: u64,
    at_ms: u64,
    slot: Slot,
    taken: Vec<(u64, u64, &Message)>,
    state: &mut InstanceState,
) -> Option<Vec<u8>> {
    if state.operations.rows().nth(MOST_ROWS).is_some() {
        return None;
    }
    let history = std::mem::take(&mut state.history);
    let rows = state.operations.rows().collect();
    let kept = ToKeep { step: state.steps, before, at_ms, slot, taken, rows, state };
    let bytes = postcard::to_stdvec(&kept).expect("the engine's own records always encode");
    state.history = history;
    (bytes.len() <= MOST_BYTES).then_some(bytes)
}

impl Kept {
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, postcard::Error> {
        postcard::from_bytes(bytes)
    }

    /// The state with all its operations.
    pub(crate) fn into_state(self) -> InstanceState {
        let mut state = self.state;
        self.rows.into_iter().for_each(|row| state.operations.add_row(row));
        state
    }
}

impl Inner {
    /// The snapshots that are kept of a run, the oldest first, each with its place. One that can't be read is reported and left out.
    pub(crate) fn kept(&self, number: Number) -> Result<Vec<(u32, Kept)>, durable_store::Error> {
        let mut all = Vec::new();
        for place in self.ask(|store| store.snapshots(number))? {
            match self.ask(|store| store.snapshot(number, place)) {
                Ok(Some(bytes)) => match Kept::read(&bytes) {
                    Ok(kept) => all.push((place, kept)),
                    Err(error) => self.report(&format!("a kept snapshot can't be read: {error}")),
                },
                // Another one takes its place.
                Ok(None) => {}
                Err(error @ durable_store::Error::DamagedRecord { .. }) => self.report(&error.to_string()),
                Err(error) => return Err(error),
            }
        }
        all.sort_by_key(|(_, kept)| kept.step);
        Ok(all)
    }
}
