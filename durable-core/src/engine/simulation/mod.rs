//! An engine in which nothing happens by itself: each of its moves is made by whoever simulates it, in an order of their choice, on one
//! thread. The moves are those of the threads of an engine outside, and the same code (feature `simulation`; no part of the public face).
//!
//! What the order, the clock, the random numbers and the store decide is decided from outside, so that a seed repeats everything. `audit` says
//! after any move whether the engine's invariants hold, in the store and in memory.
//!
//! Attempts of activities run on the runtime that the engine was opened with: on one with a single thread they move when it is given time, in the order in
//! which they were woken. Deliberately absent: what is simulated, and what goes wrong (`tests/reliability/simulation`).

mod audit;
mod waits;

use std::{cell::RefCell, sync::Arc};

pub use audit::Audit;
use durable_store::Store;

use super::{
    Engine, EngineBuilder, OpenError, Status, recover,
    state::Loaded,
    worker::{Turn, has_work},
};
use crate::{random::Random, testing::clock::VirtualClock};

/// How many batches are in the making at once: one per worker.
const MOST_TURNS: usize = 2;
/// So many instances are read at once.
const PAGE: usize = 1_000;

/// A clock that stands still until it is moved.
#[derive(Clone, Debug)]
pub struct SimulatedClock(Arc<VirtualClock>);

impl SimulatedClock {
    /// A clock that shows this time, in milliseconds since the Unix epoch.
    pub fn new(now_ms: u64) -> Self {
        SimulatedClock(Arc::new(VirtualClock::new(now_ms)))
    }

    /// What it shows.
    pub fn now_ms(&self) -> u64 {
        self.0.now()
    }

    /// Sets it, forward or back. Whoever waits for what it has passed is woken.
    pub fn set(&self, now_ms: u64) {
        self.0.jump(now_ms);
    }
}

/// What a simulated engine can do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// What was going on is taken up, after an opening.
    Recover,
    /// The store failed and is opened again.
    Reopen,
    /// A worker takes what is ready and steps it.
    Take,
    /// A worker that waits for the disk takes more.
    Gather(usize),
    /// A worker commits its batch.
    Commit(usize),
    /// A worker begins the effects of its batch.
    Conclude(usize),
}

/// A simulated engine.
pub struct Simulated {
    engine: Engine,
    clock: SimulatedClock,
    turns: Vec<Turn>,
    recovered: bool,
    /// What the last audit has read.
    seen: RefCell<Option<audit::Seen>>,
}

impl std::fmt::Debug for Simulated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Simulated").field("turns", &self.turns.len()).finish_non_exhaustive()
    }
}

impl Simulated {
    /// Opens an engine that has the builder's settings and draws its random numbers from a seed.
    ///
    /// # Errors
    /// Those of [`EngineBuilder::open`].
    pub fn open(
        mut builder: EngineBuilder,
        store: Arc<dyn Store>,
        clock: &SimulatedClock,
        seed: u64,
        runtime: &tokio::runtime::Handle,
    ) -> Result<Self, OpenError> {
        builder.store = Some(store);
        builder.clock = clock.0.clone();
        builder.random = Random::seeded(seed);
        builder.build = Some(1);
        let engine = builder.open_by_hand(runtime.clone())?;
        Ok(Simulated {
            engine,
            clock: clock.clone(),
            turns: Vec::new(),
            recovered: false,
            seen: RefCell::default(),
        })
    }

    /// The engine, as callers have it.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// What can be done next.
    pub fn moves(&self) -> Vec<Move> {
        let mut moves = Vec::new();
        let mut shared = self.engine.inner.lock();
        if shared.broken.is_some() {
            moves.push(Move::Reopen);
        } else {
            if !self.recovered {
                moves.push(Move::Recover);
            }
            if has_work(&self.engine.inner, &mut shared) {
                if self.turns.len() < MOST_TURNS {
                    moves.push(Move::Take);
                }
                let more = (0..self.turns.len()).filter(|turn| !self.turns[*turn].is_written());
                moves.extend(more.map(Move::Gather));
            }
        }
        let turns = self.turns.iter().enumerate();
        moves.extend(turns.map(
            |(at, turn)| {
                if turn.is_written() { Move::Conclude(at) } else { Move::Commit(at) }
            },
        ));
        moves
    }

    /// Makes one of the [`moves`](Self::moves).
    ///
    /// # Panics
    /// If it is none of them.
    pub fn make(&mut self, next: Move) {
        let inner = &self.engine.inner;
        match next {
            Move::Recover => {
                self.recovered = true;
                recover::at_start(inner);
            }
            Move::Reopen => {
                self.recovered = true;
                inner.lock().reopening = true;
                recover::reopen(inner);
            }
            Move::Take => self.turns.extend(Turn::take(inner)),
            Move::Gather(at) => {
                let turn = self.turns.remove(at);
                self.turns.extend(turn.gather(inner));
            }
            Move::Commit(at) | Move::Conclude(at) => {
                let turn = self.turns.remove(at);
                self.turns.extend(turn.go_on(inner));
            }
        }
    }

    /// Whether a timer or a back-off is due.
    pub fn is_due(&self) -> bool {
        self.next_deadline().is_some_and(|deadline_ms| deadline_ms <= self.clock.now_ms())
    }

    /// When the next timer or back-off is due.
    pub fn next_deadline(&self) -> Option<u64> {
        let inner = &self.engine.inner;
        if inner.lock().broken.is_some() {
            return None;
        }
        inner.next_deadline()
    }

    /// When the next attempt runs out of its time.
    pub fn next_sleeper(&self) -> Option<u64> {
        self.clock.0.next_sleeper()
    }

    /// Fires what is due.
    pub fn fire(&self) {
        self.engine.inner.fire_due();
    }

    /// What an engine that has been idle for a moment does.
    pub fn settle(&self) {
        // Best effort, as there.
        let _ = self.engine.inner.ask(Store::settle);
    }

    /// Whether the store failed and was not opened again.
    pub fn is_broken(&self) -> bool {
        self.engine.inner.lock().broken.is_some()
    }

    /// The instances that have not ended, as they are stored.
    ///
    /// # Errors
    /// Why they can't be read.
    pub fn open_instances(&self) -> Result<Vec<(String, Status)>, String> {
        let live = self.engine.inner.store.scan(None, PAGE).map_err(|error| error.to_string())?;
        let read = |(slot, instance)| {
            let loaded: Loaded = self.engine.inner.load(slot, instance)?;
            Ok((loaded.id.clone(), loaded.state.status()))
        };
        live.into_iter().map(read).collect()
    }

    /// Reads every value of every unfinished instance as its own type, and gives what it could not read.
    ///
    /// # Errors
    /// Why the store can't be read.
    pub fn unreadable(&self) -> Result<Option<String>, String> {
        let report = self.engine.inner.check().map_err(|error| error.to_string())?;
        Ok((report.exit_code() != 0).then(|| report.to_string()))
    }

    /// Whether an instance was told to end, or has ended. Nothing if there is no such instance.
    ///
    /// # Errors
    /// Why it can't be read.
    pub fn is_told_to_end(&self, id: &str) -> Result<Option<bool>, String> {
        use durable_store::Found;
        let inner = &self.engine.inner;
        match inner.store.find(id).map_err(|error| error.to_string())? {
            None => Ok(None),
            Some(Found::Closed(_)) => Ok(Some(true)),
            Some(Found::Live(slot)) => {
                let instance = inner.store.instance(slot).map_err(|error| error.to_string())?;
                let instance =
                    instance.ok_or_else(|| format!("the index names slot {} for `{id}`", slot.0))?;
                let loaded = inner.load(slot, instance)?;
                Ok(Some(loaded.state.stop.is_some() || loaded.state.ending.is_some()))
            }
        }
    }
}
