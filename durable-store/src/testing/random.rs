//! Random numbers from a seed, and random batches from those.

use super::model::Model;
use super::sample;
use crate::{
    Batch, Change, Closed, Instance, KeyChange, Mail, MailTaken, Number, OperationChange, Slot,
    SnapshotChange, Timer, TimerChange, Transition,
};

/// A generator of random numbers (splitmix64): small, fast, and the same everywhere.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// Starts from a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which must not be zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next_u64() % bound
    }

    /// True `percent` times in a hundred.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn bytes(&mut self, max: u64) -> Vec<u8> {
        let len = self.below(max);
        (0..len).map(|_| self.next_u64() as u8).collect()
    }
}

/// States of more than so many bytes are edited more often than replaced. It is what the embedded store keeps whole.
const LARGE: usize = 16 << 10;

/// Makes up batches that a store in the state of its [`Model`] accepts.
#[derive(Debug)]
pub struct Batches {
    rng: Rng,
    model: Model,
    number: u64,
    seq: u64,
    state_bytes: u64,
}

impl Batches {
    /// Starts with an empty store.
    pub fn new(seed: u64) -> Self {
        Self { rng: Rng::new(seed), model: Model::default(), number: 0, seq: 0, state_bytes: 900 }
    }

    /// The same with states of up to so many bytes.
    #[must_use]
    pub fn with_state_bytes(self, state_bytes: u64) -> Self {
        Self { state_bytes, ..self }
    }

    /// What a store holds after all batches so far.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The next batch. `allocate` gives a free slot.
    pub fn next_batch(&mut self, mut allocate: impl FnMut() -> Slot) -> Batch {
        let mut batch = Batch::default();
        let live: Vec<(Slot, Instance)> = self.model.live().map(|(s, i)| (s, i.clone())).collect();
        for (slot, instance) in live {
            if self.rng.chance(30) {
                let transition = self.go_on(slot, instance);
                batch.transitions.push(transition);
            }
        }
        for _ in 0..self.rng.below(4) {
            let transition = self.start(allocate());
            batch.transitions.push(transition);
        }
        self.send(&mut batch);
        if self.rng.chance(20) {
            let id = self.rng.below(6);
            batch.layouts.push((id, format!("layout {id}").into_bytes()));
        }
        if self.rng.chance(20) {
            let bytes = self.rng.bytes(600);
            batch.programs.push((self.rng.below(3), bytes));
        }
        if self.rng.chance(30) {
            let closed: Vec<Number> = self.model.closed().map(|closed| closed.number).collect();
            batch.expired.extend(closed.into_iter().filter(|_| self.rng.chance(40)));
        }
        self.model.apply(&batch);
        batch
    }

    fn start(&mut self, slot: Slot) -> Transition {
        self.number += 1;
        let mut id = format!("id {}", self.number);
        let retained: Vec<String> = self.model.retained_ids().map(str::to_owned).collect();
        if !retained.is_empty() && self.rng.chance(30) {
            // A run of an id whose last run has ended, unless this very batch has started it.
            let again = &retained[self.rng.below(retained.len() as u64) as usize];
            if self.model.claim(again) {
                id.clone_from(again);
            }
        }
        let mut instance = sample::instance(&id, self.number);
        instance.active = self.rng.chance(50);
        instance.state = self.rng.bytes(self.state_bytes);
        let transition = sample::create(slot, instance);
        self.with_extras(transition)
    }

    fn go_on(&mut self, slot: Slot, mut instance: Instance) -> Transition {
        if self.rng.chance(15) {
            let end =
                Closed { state: self.rng.bytes(300), ..sample::closed(&instance.id, instance.number.0) };
            let mut transition = sample::close(slot, end);
            transition.timers = self.model.timers_of(slot).map(TimerChange::Clear).collect();
            return transition;
        }
        if self.rng.chance(30) {
            let transition = sample::keep(slot, instance.number.0);
            return self.with_extras(transition);
        }
        instance.active = self.rng.chance(50);
        instance.status = self.rng.below(9) as u8;
        instance.state = self.next_state(instance.state);
        let mut transition = sample::update(slot, instance);
        for timer in self.model.timers_of(slot).collect::<Vec<_>>() {
            if self.rng.chance(40) {
                transition.timers.push(TimerChange::Clear(timer));
            }
        }
        self.with_extras(transition)
    }

    /// Another state, or this one edited, as it is with those that grow: a few stay large for some batches.
    fn next_state(&mut self, mut state: Vec<u8>) -> Vec<u8> {
        if !self.rng.chance(if state.len() > LARGE { 80 } else { 5 }) {
            return self.rng.bytes(self.state_bytes);
        }
        let at = self.rng.below(state.len() as u64 + 1) as usize;
        let removed = if self.rng.chance(30) { self.rng.below(8_000) as usize } else { 0 };
        let until = state.len().min(at + removed);
        let inserted = match self.rng.below(3) {
            0 if state.len() < 8 * LARGE => self.rng.bytes(3 * LARGE as u64),
            // What is there already.
            1 if state.len() < 8 * LARGE => state.clone(),
            _ => self.rng.bytes(50),
        };
        state.splice(at..until, inserted);
        state
    }

    fn with_extras(&mut self, mut transition: Transition) -> Transition {
        if self.rng.chance(40) {
            let timer = Timer {
                deadline_ms: self.rng.below(50),
                slot: transition.slot,
                operation: self.rng.below(1_000),
            };
            transition.timers.push(TimerChange::Set(timer));
        }
        if self.rng.chance(40) {
            let bytes = self.rng.bytes(200);
            transition.history.push((self.rng.below(20) as u32, bytes));
        }
        if self.rng.chance(10) {
            transition.history_from = self.rng.below(15) as u32;
        }
        self.with_changes_beside(transition)
    }

    /// Adds operations, messages taken and keys.
    fn with_changes_beside(&mut self, mut transition: Transition) -> Transition {
        let slot = transition.slot;
        for operation in self.model.operations_of(slot).collect::<Vec<_>>() {
            if self.rng.chance(20) {
                transition.operations.push(OperationChange::Remove(operation.operation));
            }
        }
        for _ in 0..self.rng.below(4) {
            let bytes = self.rng.bytes(200);
            transition.operations.push(OperationChange::Put(self.rng.below(20), bytes));
        }
        for Mail { queue, seq, .. } in self.model.mail_of(slot).collect::<Vec<_>>() {
            if self.rng.chance(40) {
                transition.taken.push(MailTaken { queue, seq });
            }
        }
        if self.rng.chance(20) {
            let key = [self.rng.below(u64::from(Model::KEYS)) as u8; 16];
            transition.keys.push(KeyChange::Put(transition.number, key, self.rng.bytes(50)));
        }
        if self.rng.chance(50) {
            let bytes = self.rng.bytes(300);
            transition.snapshots.push(SnapshotChange::Put(self.rng.below(5) as u32, bytes));
        }
        if self.rng.chance(20) {
            transition.snapshots.push(SnapshotChange::Remove(self.rng.below(5) as u32));
        }
        transition
    }

    /// Adds messages from the batch's transitions to all who live after it.
    fn send(&mut self, batch: &mut Batch) {
        let ends = |transition: &&Transition| matches!(transition.change, Change::Close(_));
        let closed: Vec<Slot> = batch.transitions.iter().filter(ends).map(|end| end.slot).collect();
        let changed = batch.transitions.iter().map(|transition| transition.slot);
        let mut receivers: Vec<Slot> = self.model.live().map(|(slot, _)| slot).chain(changed).collect();
        receivers.retain(|slot| !closed.contains(slot));
        if receivers.is_empty() {
            return;
        }
        for transition in &mut batch.transitions {
            for _ in 0..self.rng.below(4) {
                self.seq += 1;
                let slot = receivers[self.rng.below(receivers.len() as u64) as usize];
                let queue = self.rng.below(Model::QUEUES);
                transition.mail.push(Mail { slot, queue, seq: self.seq, bytes: self.rng.bytes(200) });
            }
        }
    }
}
