//! What a store must hold: the same batches applied to maps in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use crate::{Batch, Change, Closed, Error, Found, Instance, Number, Slot, Store, Timer, TimerChange};

/// The contents of a store after a sequence of batches that agree with each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Model {
    instances: BTreeMap<Slot, Instance>,
    closed: BTreeMap<Number, Closed>,
    ids: BTreeMap<String, Found>,
    timers: BTreeSet<Timer>,
    history: BTreeMap<(Number, u32), Vec<u8>>,
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
                Change::Close(_) => {}
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
            let (number, from) = (transition.number, transition.history_from);
            self.history.retain(|key, _| key.0 != number || key.1 >= from);
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
        }
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
        for id in 0..6 {
            verdict.compare(&format!("layout {id}"), store.layout(id), self.layouts.get(&id));
            verdict.compare(&format!("program {id}"), store.program(id), self.programs.get(&id));
        }
        verdict
    }

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
