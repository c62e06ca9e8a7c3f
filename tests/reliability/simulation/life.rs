//! One opening of the simulated engine: its disk, its moves, whoever calls it. Ends by a loss of power, or with the simulation.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context, Poll, Waker},
};

use durable::{
    prelude::*,
    store::{Batch, Error as StoreError, Options, RedbStore, Store, TimerChange},
};
use durable_core::simulation::{Simulated, SimulatedClock};
use durable_store::testing::{LossyDisk, Rng, Trace};

use super::world::World;
use crate::{contents::Contents, watched::Watched};

/// What a control breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    Nothing,
    /// The disk says that it has synced, and has not.
    Syncs,
    /// The store forgets some of the timers that are set.
    Timers,
    /// The store forgets what some instances are told by others, or by themselves.
    Mail,
    /// The store forgets operations that stand in rows of their own.
    Operations,
    /// The store forgets which instances are to be looked at at an opening.
    Marks,
}

/// What somebody was told to be durable.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Told {
    Started(String),
    Signalled(String, u64),
    ToEnd(String),
    Else,
}

type Call = Pin<Box<dyn Future<Output = Option<Told>>>>;
/// How many calls a disk has had.
pub(crate) type Counted = Arc<dyn Fn() -> usize + Send + Sync>;
type States = Arc<Mutex<Vec<(usize, Contents)>>>;

/// How the next commit fails.
const NOT: u8 = 0;
const BEFORE: u8 = 1;
const AFTER: u8 = 2;

pub(crate) struct Life {
    pub(crate) simulated: Simulated,
    pub(crate) world: World,
    /// The disk, if it records its calls.
    disk: Option<LossyDisk>,
    counted: Counted,
    calls: Vec<Call>,
    /// What was acknowledged, and after which call of the disk.
    pub(crate) told: Vec<(usize, Told)>,
    states: States,
    fails: Arc<AtomicU8>,
    /// Last, so that what runs on it is gone first.
    pub(crate) runtime: tokio::runtime::Runtime,
}

/// What an opening has come to.
pub(crate) enum Opened {
    Life(Box<Life>),
    /// Power was lost in the middle of it.
    Dead {
        left: Vec<u8>,
        states: Vec<Contents>,
    },
}

/// What a life begins with.
pub(crate) struct Birth<'a> {
    pub(crate) bytes: Vec<u8>,
    /// What the bytes must hold, one or the other.
    pub(crate) expected: Vec<Contents>,
    pub(crate) clock: &'a SimulatedClock,
    pub(crate) seed: u64,
    pub(crate) keep: u32,
    /// Power is lost after this call.
    pub(crate) dies_at: usize,
    pub(crate) broken: Broken,
}

/// A store on what the power left, and which of the expected contents it holds.
pub(crate) struct Held {
    pub(crate) store: RedbStore,
    pub(crate) disk: LossyDisk,
    pub(crate) which: usize,
}

/// Opens what the power left; why not, or what is missing in it, is a violation.
pub(crate) fn hold(bytes: Vec<u8>, expected: &[Contents], broken: Broken) -> Result<Held, String> {
    let disk = LossyDisk::from_bytes(bytes);
    let disk = if broken == Broken::Syncs { disk.lying() } else { disk };
    let mut options = Options::default();
    options.cache_bytes = 1 << 20;
    let store = RedbStore::with_backend(disk.factory(), options)
        .map_err(|error| format!("what the power left does not open: {error}"))?;
    if let Some(which) = expected.iter().position(|contents| contents.difference(&store).is_none()) {
        return Ok(Held { store, disk, which });
    }
    let difference = expected[0].difference(&store).unwrap_or_default();
    Err(format!("what was acknowledged is not there: {difference}"))
}

impl Birth<'_> {
    /// Opens the engine; why not is a violation.
    pub(crate) fn open(self) -> Result<Opened, String> {
        let Birth { bytes, mut expected, clock, seed, keep, dies_at, broken } = self;
        let Held { store, disk, which } = hold(bytes, &expected, broken)?;
        let held = expected.swap_remove(which);
        if dies_at <= disk.calls() {
            let left = disk.trace().image_at(dies_at, seed);
            return Ok(Opened::Dead { left, states: vec![held] });
        }
        let recorded = disk.clone();
        let life = Live {
            store,
            held,
            counted: Arc::new(move || recorded.calls()),
            disk: Some(disk),
            clock,
            seed,
            keep,
            broken,
        };
        Ok(Opened::Life(Box::new(life.begin()?)))
    }
}

/// What a life is made of once its store is open.
pub(crate) struct Live<'a> {
    pub(crate) store: RedbStore,
    /// What that holds.
    pub(crate) held: Contents,
    pub(crate) counted: Counted,
    pub(crate) disk: Option<LossyDisk>,
    pub(crate) clock: &'a SimulatedClock,
    pub(crate) seed: u64,
    pub(crate) keep: u32,
    pub(crate) broken: Broken,
}

impl Live<'_> {
    /// Opens the engine.
    pub(crate) fn begin(self) -> Result<Life, String> {
        let Live { store, held, counted, disk, clock, seed, keep, broken } = self;
        let states: States = Arc::new(Mutex::new(vec![(0, held)]));
        let fails = Arc::new(AtomicU8::new(NOT));
        let store = watched(store, &counted, &states, &fails, broken, seed);
        let world = World::default();
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime is made");
        let builder = Engine::builder().state(world.clone()).keep_snapshots(keep);
        let simulated = Simulated::open(builder, store, clock, seed, runtime.handle())
            .map_err(|error| format!("the engine does not open: {error}"))?;
        let (calls, told) = (Vec::new(), Vec::new());
        Ok(Life { simulated, world, disk, counted, calls, told, states, fails, runtime })
    }
}

/// A store that notes what it must hold, fails when it is told to, and forgets what a control breaks.
fn watched(
    store: RedbStore,
    counted: &Counted,
    states: &States,
    fails: &Arc<AtomicU8>,
    broken: Broken,
    seed: u64,
) -> Arc<dyn Store> {
    let (counted, states, fails) = (counted.clone(), states.clone(), fails.clone());
    let rng = Mutex::new(Rng::new(seed));
    Watched::new(store, move |store, batch| {
        let failure = fails.swap(NOT, Ordering::SeqCst);
        let failed = || StoreError::Poisoned { reason: "it fails on purpose".into() };
        if failure == BEFORE {
            return Err(failed());
        }
        let forgotten = forget(batch, broken, &mut rng.lock().expect("no holder panics"));
        let batch = forgotten.as_ref().unwrap_or(batch);
        store.commit(batch)?;
        let mut states = states.lock().expect("no holder panics");
        let next = states.last().expect("it begins with one").1.after(batch);
        states.push((counted(), next));
        if failure == AFTER { Err(failed()) } else { Ok(()) }
    })
}

/// What a control makes of a batch.
fn forget(batch: &Batch, broken: Broken, rng: &mut Rng) -> Option<Batch> {
    if matches!(broken, Broken::Nothing | Broken::Syncs) || rng.chance(60) {
        return None;
    }
    let mut batch = batch.clone();
    for transition in &mut batch.transitions {
        match broken {
            Broken::Timers => transition.timers.retain(|timer| !matches!(timer, TimerChange::Set(_))),
            Broken::Mail => transition.mail.clear(),
            Broken::Operations => transition.operations.clear(),
            Broken::Marks => {
                if let durable::store::Change::Update { instance, active_changed } = &mut transition.change {
                    (instance.active, *active_changed) = (false, true);
                }
            }
            Broken::Nothing | Broken::Syncs => {}
        }
    }
    Some(batch)
}

impl Life {
    /// How many calls the disk has had.
    pub(crate) fn disk_calls(&self) -> usize {
        (self.counted)()
    }

    /// The next commit fails: before it is made, or after.
    pub(crate) fn fail_next(&self, durable: bool) {
        self.fails.store(if durable { AFTER } else { BEFORE }, Ordering::SeqCst);
    }

    /// Somebody calls.
    pub(crate) fn call(&mut self, call: impl Future<Output = Option<Told>> + 'static) {
        self.calls.push(Box::pin(call));
    }

    /// How many calls have no answer yet.
    pub(crate) fn unanswered(&self) -> usize {
        self.calls.len()
    }

    /// Lets what was woken move: attempts, and then whoever has called. Gives how many were answered.
    pub(crate) fn let_move(&mut self) -> usize {
        self.runtime.block_on(async {
            for _ in 0..4 {
                tokio::task::yield_now().await;
            }
        });
        let _entered = self.runtime.enter();
        let mut answered = 0;
        let at = (self.counted)();
        let told = &mut self.told;
        self.calls.retain_mut(|call| match call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending => true,
            Poll::Ready(what) => {
                answered += 1;
                told.extend(what.map(|what| (at, what)));
                false
            }
        });
        answered
    }

    /// The record of this life, which ends. Only of one whose disk records its calls.
    pub(crate) fn record(self) -> Record {
        let trace = self.disk.expect("the disk of this life records its calls").trace();
        let states = std::mem::take(&mut *self.states.lock().expect("no holder panics"));
        Record { trace, states, told: self.told }
    }
}

/// What a life has left at any moment at which the power may have been lost.
pub(crate) struct Record {
    trace: Trace,
    /// What the store held after each commit, and after which call that was.
    states: Vec<(usize, Contents)>,
    told: Vec<(usize, Told)>,
}

impl Record {
    /// How many calls the disk had.
    pub(crate) fn calls(&self) -> usize {
        self.trace.calls()
    }

    /// How many commits were acknowledged up to a call.
    pub(crate) fn commits(&self, at: usize) -> usize {
        self.states.iter().take_while(|(calls, _)| *calls <= at).count() - 1
    }

    /// The power is lost after a call: what is left, what it must hold, and what had been acknowledged by then.
    pub(crate) fn at(&self, at: usize, seed: u64) -> (Vec<u8>, Vec<Contents>, Vec<Told>) {
        let left = self.trace.image_at(at, seed);
        // What was acknowledged by then, or one commit more.
        let expected =
            self.states.iter().skip(self.commits(at)).take(2).map(|(_, contents)| contents.clone());
        let told = self.told.iter().filter(|(calls, _)| *calls <= at).map(|(_, told)| told.clone());
        (left, expected.collect(), told.collect())
    }
}
