//! What a store must hold: the same batches applied to maps in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use crate::{
    Batch, Change, Closed, Error, Found, Instance, KeyChange, Mail, Mailbox, Number, Operation,
    OperationChange, Queue, Slot, SnapshotChange, Store, Timer, TimerChange, Transition,
};

/// The contents of a store after a sequence of batches that agree with each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Model {
    instances: BTreeMap<Slot, Instance>,
    closed: BTreeMap<Number, Closed>,
    ids: BTreeMap<String, Found>,
    timers: BTreeSet<Timer>,
    history: BTreeMap<(Number, u32), Vec<u8>>,
    operations: BTreeMap<(Slot, u64), Vec<u8>>,
    mail: BTreeMap<(Slot, u64, u64), Vec<u8>>,
    keys: BTreeMap<(Number, [u8; 16]), Vec<u8>>,
    snapshots: BTreeMap<(Number, u32), Vec<u8>>,
    layouts: BTreeMap<u64, Vec<u8>>,
    programs: BTreeMap<u64, Vec<u8>>,
    /// Ids taken by the batch in the making.
    claimed: BTreeSet<String>,
}

/// How a store compares with a [`Model`], question by question.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// Answers that hold something the model does not.
    pub wrong: Vec<String>,
    /// Answers that lack something, without an error.
    pub missing: Vec<String>,
    /// Questions that were answered with an error.
    pub errors: Vec<String>,
}

impl Verdict {
    /// Whether every answer was right.
    pub fn is_right(&self) -> bool {
        self.wrong.is_empty() && self.missing.is_empty() && self.errors.is_empty()
    }

    fn compare<T: PartialEq + Debug>(
        &mut self,
        what: &str,
        answer: Result<Option<T>, Error>,
        right: Option<&T>,
    ) {
        match answer {
            Err(error) => self.errors.push(format!("{what}: {error}")),
            Ok(answer) if answer.as_ref() == right => {}
            Ok(None) => self.missing.push(what.to_owned()),
            Ok(answer) => self.wrong.push(format!("{what}: {answer:?} instead of {right:?}")),
        }
    }

    /// Compares a sequence, whose items may be missing but not other ones.
    fn compare_all<T: PartialEq + Debug>(&mut self, what: &str, answer: Result<Vec<T>, Error>, right: &[T]) {
        match answer {
            Err(error) => self.errors.push(format!("{what}: {error}")),
            Ok(answer) if answer == right => {}
            Ok(answer) => {
                let mut rest = right.iter();
                if answer.iter().all(|item| rest.any(|right| right == item)) {
                    self.missing.push(what.to_owned());
                } else {
                    self.wrong.push(format!("{what}: {answer:?} instead of {right:?}"));
                }
            }
        }
    }
}

impl Model {
    /// Applies a batch that agrees with the contents.
    pub fn apply(&mut self, batch: &Batch) {
        self.claimed.clear();
        for transition in &batch.transitions {
            if let Change::Close(closed) = &transition.change {
                self.instances.remove(&transition.slot);
                self.ids.insert(closed.id.clone(), Found::Closed(closed.number));
                self.closed.insert(closed.number, closed.clone());
            }
        }
        for transition in &batch.transitions {
            match &transition.change {
                Change::Create(instance) => {
                    self.ids.insert(instance.id.clone(), Found::Live(transition.slot));
                    self.instances.insert(transition.slot, instance.clone());
                }
                Change::Update { instance, .. } => {
                    self.instances.insert(transition.slot, instance.clone());
                }
                Change::Keep | Change::Close(_) => {}
            }
            for change in &transition.timers {
                match change {
                    TimerChange::Set(timer) => self.timers.insert(*timer),
                    TimerChange::Clear(timer) => self.timers.remove(timer),
                };
            }
            for (chunk, bytes) in &transition.history {
                self.history.insert((transition.number, *chunk), bytes.clone());
            }
            for (number, chunk, bytes) in &transition.history_of {
                self.history.insert((*number, *chunk), bytes.clone());
            }
            let (number, from) = (transition.number, transition.history_from);
            self.history.retain(|key, _| key.0 != number || key.1 >= from);
        }
        for transition in &batch.transitions {
            self.apply_beside(transition);
        }
        // After everything else: a message may be for an instance that the batch creates.
        for mail in batch.transitions.iter().flat_map(|transition| &transition.mail) {
            self.mail.insert((mail.slot, mail.queue, mail.seq), mail.bytes.clone());
        }
        self.layouts.extend(batch.layouts.iter().cloned());
        self.programs.extend(batch.programs.iter().cloned());
        for number in &batch.expired {
            if let Some(closed) = self.closed.remove(number)
                && self.ids.get(&closed.id) == Some(&Found::Closed(*number))
            {
                self.ids.remove(&closed.id);
            }
            self.history.retain(|key, _| key.0 != *number);
            self.keys.retain(|key, _| key.0 != *number);
            self.snapshots.retain(|key, _| key.0 != *number);
        }
    }

    /// What a transition changes beside its instance, but for the mail that it sends.
    fn apply_beside(&mut self, transition: &Transition) {
        let slot = transition.slot;
        if matches!(transition.change, Change::Close(_)) {
            self.operations.retain(|key, _| key.0 != slot);
            self.mail.retain(|key, _| key.0 != slot);
        } else {
            for change in &transition.operations {
                match change {
                    OperationChange::Put(operation, bytes) => {
                        self.operations.insert((slot, *operation), bytes.clone());
                    }
                    OperationChange::Remove(operation) => {
                        self.operations.remove(&(slot, *operation));
                    }
                }
            }
            for taken in &transition.taken {
                self.mail.remove(&(slot, taken.queue, taken.seq));
            }
        }
        for KeyChange::Put(number, key, bytes) in &transition.keys {
            self.keys.insert((*number, *key), bytes.clone());
        }
        for change in &transition.snapshots {
            match change {
                SnapshotChange::Put(place, bytes) => {
                    self.snapshots.insert((transition.number, *place), bytes.clone())
                }
                SnapshotChange::Remove(place) => self.snapshots.remove(&(transition.number, *place)),
            };
        }
    }

    /// The live instances.
    pub fn live(&self) -> impl Iterator<Item = (Slot, &Instance)> {
        self.instances.iter().map(|(slot, instance)| (*slot, instance))
    }

    /// The retained closed instances.
    pub fn closed(&self) -> impl Iterator<Item = &Closed> {
        self.closed.values()
    }

    pub(super) fn retained_ids(&self) -> impl Iterator<Item = &str> {
        let closed = self.ids.iter().filter(|(_, found)| matches!(found, Found::Closed(_)));
        closed.map(|(id, _)| id.as_str())
    }

    /// Takes an id for an instance of the batch in the making; false if it was taken.
    pub(super) fn claim(&mut self, id: &str) -> bool {
        self.claimed.insert(id.to_owned())
    }

    pub(super) fn timers_of(&self, slot: Slot) -> impl Iterator<Item = Timer> {
        self.timers.iter().filter(move |timer| timer.slot == slot).copied()
    }

    pub(super) fn operations_of(&self, slot: Slot) -> impl Iterator<Item = Operation> {
        let operations = self.operations.range((slot, 0)..=(slot, u64::MAX));
        operations.map(|(key, bytes)| Operation { operation: key.1, bytes: bytes.clone() })
    }

    pub(super) fn mail_of(&self, slot: Slot) -> impl Iterator<Item = Mail> {
        let mail = self.mail.range((slot, 0, 0)..=(slot, u64::MAX, u64::MAX));
        mail.map(|(&(slot, queue, seq), bytes)| Mail { slot, queue, seq, bytes: bytes.clone() })
    }

    /// Counted from the messages, not kept beside them as a store may.
    fn mailbox_of(&self, slot: Slot) -> Option<Mailbox> {
        let mut queues: Vec<Queue> = Vec::new();
        for Mail { queue, seq, .. } in self.mail_of(slot) {
            match queues.last_mut().filter(|last| last.queue == queue) {
                Some(last) => {
                    last.count += 1;
                    last.last = seq;
                }
                None => queues.push(Queue { queue, count: 1, first: seq, last: seq }),
            }
        }
        (!queues.is_empty()).then_some(Mailbox { queues })
    }

    /// Asks a store everything.
    pub fn judge(&self, store: &dyn Store) -> Verdict {
        let mut verdict = Verdict::default();
        let instances: Vec<_> = self.instances.iter().map(|(s, i)| (*s, i.clone())).collect();
        verdict.compare_all(
            "live instances",
            all(|after: Option<&(Slot, Instance)>| store.scan(after.map(|row| row.0), 50)),
            &instances,
        );
        let active: Vec<_> = instances.iter().filter(|row| row.1.active).map(|row| row.0).collect();
        verdict.compare_all("active slots", all(|after| store.active(after.copied(), 50)), &active);
        let closed: Vec<_> = self.closed.values().cloned().collect();
        verdict.compare_all(
            "closed instances",
            all(|after: Option<&Closed>| store.scan_closed(after.map(|closed| closed.number), 50)),
            &closed,
        );
        let timers: Vec<_> = self.timers.iter().copied().collect();
        verdict.compare_all("timers", all(|after| store.timers(after.copied(), u64::MAX, 50)), &timers);
        for (slot, instance) in &self.instances {
            verdict.compare(&format!("instance in {slot:?}"), store.instance(*slot), Some(instance));
            verdict.compare(&format!("run in {slot:?}"), store.owner(*slot), Some(&instance.number));
        }
        self.judge_beside(store, &mut verdict);
        for (number, closed) in &self.closed {
            verdict.compare(&format!("closed {number:?}"), store.closed(*number), Some(closed));
        }
        for (id, found) in &self.ids {
            verdict.compare(&format!("id {id}"), store.find(id), Some(found));
        }
        let runs = self.instances.values().map(|live| live.number).chain(self.closed.keys().copied());
        for number in runs {
            let range = (number, 0)..=(number, u32::MAX);
            let chunks: Vec<_> = self.history.range(range).map(|(key, b)| (key.1, b.clone())).collect();
            verdict.compare_all(&format!("history of {number:?}"), store.history(number), &chunks);
        }
        for id in (0..6).chain(self.layouts.keys().copied()).collect::<BTreeSet<_>>() {
            verdict.compare(&format!("layout {id}"), store.layout(id), self.layouts.get(&id));
        }
        for id in (0..6).chain(self.programs.keys().copied()).collect::<BTreeSet<_>>() {
            verdict.compare(&format!("program {id}"), store.program(id), self.programs.get(&id));
        }
        verdict
    }

    /// Asks a store for everything that stands beside the live instances and the runs.
    fn judge_beside(&self, store: &dyn Store, verdict: &mut Verdict) {
        for &slot in self.instances.keys() {
            let operations: Vec<_> = self.operations_of(slot).collect();
            verdict.compare_all(&format!("operations of {slot:?}"), store.operations(slot), &operations);
            for Operation { operation, bytes } in &operations {
                let what = format!("operation {operation} of {slot:?}");
                verdict.compare(&what, store.operation(slot, *operation), Some(bytes));
            }
            let mailbox = self.mailbox_of(slot);
            verdict.compare(&format!("mailbox of {slot:?}"), store.mailbox(slot), mailbox.as_ref());
            let used = self.mail_of(slot).map(|mail| mail.queue);
            for queue in (0..Self::QUEUES).chain(used).collect::<BTreeSet<_>>() {
                let mail: Vec<_> = self.mail_of(slot).filter(|mail| mail.queue == queue).collect();
                let read = |after: Option<&Mail>| store.mail(slot, queue, after.map(|mail| mail.seq), 3);
                verdict.compare_all(&format!("queue {queue} of {slot:?}"), all(read), &mail);
            }
        }
        let mailboxes: Vec<_> =
            self.instances.keys().filter_map(|slot| Some((*slot, self.mailbox_of(*slot)?))).collect();
        let read = |after: Option<&(Slot, Mailbox)>| store.mailboxes(after.map(|row| row.0), 3);
        verdict.compare_all("mailboxes", all(read), &mailboxes);
        let runs = self.instances.values().map(|live| live.number).chain(self.closed.keys().copied());
        for number in runs {
            let used = self.keys.range((number, [0; 16])..=(number, [0xff; 16])).map(|(key, _)| key.1);
            for key in (0..Self::KEYS).map(|key| [key; 16]).chain(used).collect::<BTreeSet<_>>() {
                let right = self.keys.get(&(number, key));
                verdict.compare(&format!("key {} of {number:?}", key[0]), store.key(number, &key), right);
            }
            let kept = self.snapshots.range((number, 0)..=(number, u32::MAX));
            let kept: Vec<_> = kept.map(|(key, bytes)| (key.1, bytes)).collect();
            let places: Vec<_> = kept.iter().map(|(place, _)| *place).collect();
            verdict.compare_all(&format!("snapshots of {number:?}"), store.snapshots(number), &places);
            for (place, bytes) in kept {
                let what = format!("snapshot {place} of {number:?}");
                verdict.compare(&what, store.snapshot(number, place), Some(bytes));
            }
        }
    }

    /// Queues with numbers below this are asked for, used or not.
    pub(super) const QUEUES: u64 = 3;

    /// Keys of so many different bytes are asked for, used or not.
    pub(super) const KEYS: u8 = 4;

    /// Whether a store holds exactly this.
    pub fn is_in(&self, store: &dyn Store) -> bool {
        self.judge(store).is_right()
    }
}

/// Reads page after page. A sound store ends; one that does not would be a hang.
fn all<T>(mut page: impl FnMut(Option<&T>) -> Result<Vec<T>, Error>) -> Result<Vec<T>, Error> {
    let mut items: Vec<T> = Vec::new();
    loop {
        let next = page(items.last())?;
        if next.is_empty() {
            return Ok(items);
        }
        items.extend(next);
        assert!(items.len() < 100_000, "a scan does not end");
    }
}
