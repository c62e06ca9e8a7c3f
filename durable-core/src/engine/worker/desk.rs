//! What lies before a worker while it makes steps: where another can take it from, should a step not come back.
//!
//! A worker takes instances by the hundred and commits their transitions together. If the step of one of them never ends, the transitions made
//! before it and the instances behind it must not wait: the watchdog has another worker take all of it but that one. The one that was left alone with
//! its step commits that by itself, should it end, and goes.
//!
//! Invariant: whatever lies here is one worker's only: who takes it has all of it, and who comes back finds nothing.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard},
};

use durable_store::{Number, Slot};

use super::{Inner, Outcome, StartRequest, Work, claim::Claim};
use crate::engine::suspects::Suspect;

/// One worker's place.
#[derive(Default)]
pub(crate) struct Lane {
    /// Where it is in the side file of suspects; none where there is no watchdog either.
    region: Option<usize>,
    desk: Mutex<Desk>,
}

#[derive(Default)]
struct Desk {
    rest: Rest,
    current: Option<Current>,
    /// Counts steps.
    step: u64,
    left: bool,
    /// The step that the watchdog saw last, how often, and when it first did.
    seen: (u64, u32, u64),
}

/// What is to be stepped, and what was.
#[derive(Default)]
pub(crate) struct Rest {
    pub(super) work: Work,
    pub(super) claims: VecDeque<Claim>,
    pub(super) starts: VecDeque<StartRequest>,
    /// Those who are stepped alone.
    pub(super) suspects: VecDeque<Claim>,
}

/// Whose step is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Current {
    Instance {
        slot: Slot,
        number: Number,
    },
    /// The id of one that is being started.
    Start {
        id: String,
    },
    /// An attempt that the worker polls, of this run.
    Attempt {
        slot: Slot,
        number: Number,
    },
}

/// A step that is being made.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) current: Current,
    pub(crate) step: u64,
    /// How often the watchdog has seen it now.
    pub(crate) times: u32,
}

impl Current {
    /// Who may take the process down by this step. An attempt may too, and is tried again as its policy says.
    pub(in crate::engine) fn who(&self) -> Option<Suspect> {
        match self {
            Current::Instance { slot, number } => Some(Suspect::Instance { slot: *slot, number: *number }),
            Current::Start { id } => Some(Suspect::start(id)),
            Current::Attempt { .. } => None,
        }
    }

    /// Its id, for people.
    pub(crate) fn id(&self, inner: &Inner) -> String {
        match self {
            Current::Instance { slot, number } | Current::Attempt { slot, number } => {
                inner.id_of_run(*slot, *number)
            }
            Current::Start { id } => id.clone(),
        }
    }
}

impl Lane {
    pub(crate) fn new(region: usize) -> Arc<Self> {
        Arc::new(Lane { region: Some(region), desk: Mutex::default() })
    }

    pub(crate) fn region(&self) -> Option<usize> {
        self.region
    }

    /// Whether others have taken what lay here.
    pub(crate) fn is_left(&self) -> bool {
        self.lock().left
    }

    pub(super) fn lay(&self, rest: Rest) {
        self.lock().rest = rest;
    }

    /// All that lies here: the worker's own, unless it was taken.
    pub(super) fn clear(&self) -> Rest {
        let mut desk = self.lock();
        desk.current = None;
        std::mem::take(&mut desk.rest)
    }

    pub(super) fn has_suspects(&self) -> bool {
        !self.lock().rest.suspects.is_empty()
    }

    /// The next instance to be stepped; one of the suspects if `alone`.
    pub(super) fn next_claim(&self, alone: bool) -> Option<Claim> {
        let mut desk = self.lock();
        let rest = &mut desk.rest;
        let claim = if alone { &mut rest.suspects } else { &mut rest.claims }.pop_front()?;
        desk.begin(Current::Instance { slot: claim.slot, number: claim.number });
        Some(claim)
    }

    /// The next to be started.
    pub(super) fn next_start(&self) -> Option<StartRequest> {
        let mut desk = self.lock();
        let start = desk.rest.starts.pop_front()?;
        desk.begin(Current::Start { id: start.id.clone() });
        Some(start)
    }

    /// The step is made. If others have taken the rest meanwhile, it is work of its own.
    #[inline]
    pub(super) fn finish(&self, generation: u64, outcome: Outcome) -> Option<Work> {
        let mut desk = self.lock();
        let current = desk.current.take();
        if !desk.left {
            desk.rest.work.add(outcome);
            return None;
        }
        drop(desk);
        let mut late = Work { generation, ..Work::default() };
        match current {
            Some(Current::Instance { slot, number }) => late.unsettled.push((slot, number)),
            Some(Current::Start { id }) => late.ids.push(id),
            Some(Current::Attempt { .. }) | None => {}
        }
        late.add(outcome);
        Some(late)
    }

    /// The worker polls an attempt, and may not come back from that any sooner than from a step.
    pub(crate) fn attempt<T>(&self, slot: Slot, number: Number, poll: impl FnOnce() -> T) -> T {
        self.lock().begin(Current::Attempt { slot, number });
        let polled = poll();
        self.lock().current = None;
        polled
    }

    /// The watchdog looks whether the step is still the one that it saw before.
    pub(crate) fn look(&self, now_ms: u64) -> Option<Seen> {
        let mut desk = self.lock();
        let current = desk.current.clone()?;
        let (step, times, since_ms) = desk.seen;
        desk.seen = if step == desk.step { (step, times + 1, since_ms) } else { (desk.step, 1, now_ms) };
        Some(Seen { current, step: desk.step, times: desk.seen.1 })
    }

    /// Whose step is being made.
    pub(crate) fn current(&self) -> Option<Current> {
        self.lock().current.clone()
    }

    /// Which step is being made.
    pub(crate) fn step(&self) -> Option<u64> {
        let desk = self.lock();
        desk.current.as_ref().map(|_| desk.step)
    }

    /// Since when a step of this run has been made, if the watchdog has seen that.
    pub(crate) fn stepping_since(&self, run: Number) -> Option<u64> {
        let desk = self.lock();
        let is_it = matches!(desk.current, Some(Current::Instance { number, .. }) if number == run);
        (is_it && desk.seen.0 == desk.step && desk.seen.1 > 0).then_some(desk.seen.2)
    }

    /// Leaves the worker alone with this step, and gives everything else; nothing if the step has ended.
    pub(crate) fn leave(&self, step: u64) -> Option<(Current, Rest)> {
        let mut desk = self.lock();
        let current = desk.current.clone().filter(|_| desk.step == step && !desk.left)?;
        desk.left = true;
        let mut rest = std::mem::take(&mut desk.rest);
        match &current {
            Current::Instance { slot, number } => rest.work.unsettled.retain(|who| *who != (*slot, *number)),
            Current::Start { id } => rest.work.ids.retain(|other| other != id),
            Current::Attempt { .. } => {}
        }
        Some((current, rest))
    }

    fn lock(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().expect("no code panics while it holds this lock")
    }
}

impl Desk {
    fn begin(&mut self, current: Current) {
        self.current = Some(current);
        self.step += 1;
    }
}
