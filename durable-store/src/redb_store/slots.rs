//! Which slots are free.
//!
//! Slots given up in this session are remembered. The gaps that earlier sessions left are not
//! looked for at opening, which must not cost a reading of the whole table, but a piece at a time
//! when no remembered slot is free.
//!
//! Invariant: a slot below `known` that the file held at opening belongs to the search while the
//! search has not passed it, and to `free` or `gaps` afterwards; never to
//! both. So a closing leaves alone
//! what the search will still find.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::ops::Range;

use crate::Slot;

/// How many rows one search for gaps reads: about twenty pages, under a tenth of a millisecond.
pub(super) const SEARCH_ROWS: usize = 256;

#[derive(Debug, Default)]
pub(super) struct Slots {
    /// The lowest slot that has never been used.
    next: u64,
    /// The end of what the search covers: `next` as it was at opening.
    known: u64,
    /// Where the search goes on.
    searched: u64,
    /// Slots given up in this session, lowest first, which keeps the rows of a batch close together.
    free: BTreeSet<u64>,
    /// The gaps the search has found, in order. Ranges, because a gap may be of any length.
    gaps: VecDeque<Range<u64>>,
    /// Handed out and not committed yet. Only these can be given back, so that a caller who gives
    /// back what it was handed before a reopening does no harm.
    lent: HashSet<u64>,
}

impl Slots {
    /// The slots of a file whose highest used slot is `last`.
    pub(super) fn opened(last: Option<u64>) -> Self {
        let next = last.map_or(0, |last| last.saturating_add(1));
        Self { next, known: next, ..Self::default() }
    }

    /// A slot that was given up and is known.
    pub(super) fn take_free(&mut self) -> Option<Slot> {
        let slot = self.pop_free()?;
        self.lent.insert(slot.0);
        Some(slot)
    }

    fn pop_free(&mut self) -> Option<Slot> {
        if let Some(slot) = self.free.pop_first() {
            return Some(Slot(slot));
        }
        let gap = self.gaps.front_mut()?;
        let slot = gap.start;
        gap.start += 1;
        if gap.is_empty() {
            self.gaps.pop_front();
        }
        Some(Slot(slot))
    }

    /// A slot that has never been used.
    pub(super) fn take_new(&mut self) -> Slot {
        let slot = self.next;
        self.next = slot.saturating_add(1);
        self.lent.insert(slot);
        Slot(slot)
    }

    /// The part of the file that was not searched yet.
    pub(super) fn unsearched(&self) -> Option<Range<u64>> {
        (self.searched < self.known).then_some(self.searched..self.known)
    }

    /// Records what a search found: the used slots from `searched` on, in order. `complete` says
    /// that there are no more before `known`.
    pub(super) fn found_used(&mut self, used: &[u64], complete: bool) {
        // A damaged table may answer with others than were asked for.
        let expected = self.searched..self.known;
        for &slot in used.iter().filter(|slot| expected.contains(slot)) {
            self.gap(self.searched..slot);
            self.searched = slot + 1;
        }
        if complete {
            self.gap(self.searched..self.known);
            self.searched = self.known;
        }
    }

    fn gap(&mut self, gap: Range<u64>) {
        if !gap.is_empty() {
            self.gaps.push_back(gap);
        }
    }

    /// Whether a closing may put `slot` into `free` after its commit; otherwise the search finds it.
    /// To be asked before the commit: the search may pass the slot meanwhile.
    pub(super) fn may_give_back(&self, slot: Slot) -> bool {
        slot.0 < self.searched || slot.0 >= self.known
    }

    /// An instance was created in `slot`.
    pub(super) fn created(&mut self, slot: Slot) {
        self.lent.remove(&slot.0);
    }

    /// An instance in `slot` was closed, and [`may_give_back`](Self::may_give_back) allowed it.
    pub(super) fn closed(&mut self, slot: Slot) {
        self.free.insert(slot.0);
    }

    /// A slot that was handed out will not be used.
    pub(super) fn give_back(&mut self, slot: Slot) {
        if self.lent.remove(&slot.0) {
            self.free.insert(slot.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_found_piecewise_and_used_before_new_slots() {
        let mut slots = Slots::opened(Some(9));
        assert_eq!(slots.unsearched(), Some(0..10));
        slots.found_used(&[1, 2, 5], false);
        assert_eq!(slots.unsearched(), Some(6..10));
        slots.found_used(&[6, 9], true);
        assert_eq!(slots.unsearched(), None);
        let free: Vec<_> = std::iter::from_fn(|| slots.take_free()).map(|slot| slot.0).collect();
        assert_eq!(free, [0, 3, 4, 7, 8]);
        assert_eq!(slots.take_new(), Slot(10));
    }

    #[test]
    fn a_slot_closed_ahead_of_the_search_is_found_once() {
        let mut slots = Slots::opened(Some(3));
        slots.found_used(&[0], false);
        assert!(!slots.may_give_back(Slot(2)), "the search will pass it");
        assert!(slots.may_give_back(Slot(0)), "the search has passed it");
        slots.found_used(&[1, 3], true);
        assert_eq!(slots.take_free(), Some(Slot(2)));
        assert_eq!(slots.take_free(), None);
    }

    #[test]
    fn an_empty_file_starts_at_zero() {
        let mut slots = Slots::opened(None);
        assert_eq!(slots.unsearched(), None);
        assert_eq!(slots.take_new(), Slot(0));
        slots.give_back(Slot(0));
        assert_eq!(slots.take_free(), Some(Slot(0)));
        slots.created(Slot(0));
        slots.give_back(Slot(0));
        assert_eq!(slots.take_free(), None, "a slot in use can't be given back");
    }
}
