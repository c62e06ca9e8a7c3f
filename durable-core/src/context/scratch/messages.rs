//! Messages: who takes one keeps it from others until the user's code has it, or whoever took it is cancelled.

use std::{collections::HashSet, sync::Arc};

use super::{Rare, Scratch};
use crate::{
    context::{ScopeId, StepFailure, gone::Gone},
    engine::{mail::Message, state::Held},
};

impl Scratch {
    /// The numbers of the first messages of a queue that are there for the taking.
    pub(super) fn free(&mut self, queue: u64, most: usize) -> Vec<u64> {
        let Rare { gone, messages, consumed, failure, .. } = &mut *self.rare;
        let held = &self.held;
        let gone = gone.get_or_insert_with(|| Gone::of(held.iter().chain(&*messages), consumed));
        match self.mail.first_from(gone.from(queue), queue, most, &|seq| gone.holds(queue, seq)) {
            Ok(first) => {
                first.first().iter().for_each(|seq| gone.found_first(queue, **seq));
                first
            }
            Err(reason) => {
                failure.get_or_insert(StepFailure::Incompatible { reason });
                Vec::new()
            }
        }
    }

    /// The next message of a queue, as far as a future may see; it is kept from others until it is consumed or given back.
    pub(crate) fn take_message(&mut self, queue: u64) -> Option<(u64, Arc<Message>)> {
        if self.blind {
            return None;
        }
        let visible = self.visible;
        let seq = self.free(queue, 1).into_iter().find(|seq| *seq <= visible)?;
        let message = self.mail.get(queue, seq)?.clone();
        self.rare.messages.push(Held { queue, seq, scope: self.scope });
        self.is_gone(queue, seq);
        Some((seq, message))
    }

    pub(super) fn is_gone(&mut self, queue: u64, seq: u64) {
        if let Some(Rare { gone: Some(gone), .. }) = self.rare.touched() {
            gone.add(queue, seq);
        }
    }

    /// What was taken or is held in scopes that are cancelled is there for others.
    pub(super) fn wait_again(&mut self, within: &HashSet<ScopeId>) {
        let is_within = |held: &Held| within.contains(&held.scope);
        let Rare { gone, messages, .. } = &mut *self.rare;
        for messages in [&mut self.held, messages] {
            if let Some(gone) = gone {
                let back = messages.iter().filter(|held| is_within(held));
                back.for_each(|held| gone.give_back(held.queue, held.seq));
            }
            messages.retain(|held| !is_within(held));
        }
    }

    /// The next message of a queue, whenever it came. It is the user's at once.
    pub(crate) fn try_message(&mut self, queue: u64) -> Option<(u64, Arc<Message>)> {
        let Some(seq) = self.free(queue, 1).pop() else {
            self.rare.asked = true;
            return None;
        };
        let message = self.mail.get(queue, seq)?.clone();
        self.rare.consumed.push((queue, seq));
        self.is_gone(queue, seq);
        Some((seq, message))
    }

    /// How many messages futures have taken by now.
    pub(crate) fn mark(&self) -> usize {
        self.rare.messages.len()
    }

    /// What was taken since a mark is the user's.
    pub(crate) fn consume_since(&mut self, mark: usize) {
        let Some(Rare { messages, consumed, .. }) = self.rare.touched() else { return };
        let taken = messages.drain(mark.min(messages.len())..);
        consumed.extend(taken.map(|held| (held.queue, held.seq)));
    }

    /// What was taken since a mark is kept by a composition that is not complete, until it is given back by
    /// [`give`](Self::give) or its scope is cancelled.
    pub(crate) fn hold_since(&mut self, mark: usize) -> Vec<(u64, u64)> {
        let Some(Rare { messages, .. }) = self.rare.touched() else { return Vec::new() };
        let taken: Vec<_> = messages.drain(mark.min(messages.len())..).collect();
        self.held.extend(&taken);
        taken.into_iter().map(|held| (held.queue, held.seq)).collect()
    }

    /// What a composition has held belongs to whoever polls it.
    pub(crate) fn give(&mut self, held: &[(u64, u64)]) {
        let given: HashSet<_> = held.iter().copied().collect();
        self.held.retain(|known| !given.contains(&(known.queue, known.seq)));
        let scope = self.scope;
        self.rare.messages.extend(held.iter().map(|&(queue, seq)| Held { queue, seq, scope }));
    }
}
