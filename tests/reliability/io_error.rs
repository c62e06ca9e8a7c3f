//! The disk fails under the running engine, once or for a while: callers get a typed error, the
//! engine opens the store again by itself and ends everything, and nothing acknowledged is lost.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use durable::EngineError;
use durable::prelude::*;
use durable::store::{Options, RedbStore, Store};
use durable_store::testing::{FailingDisk, Failure, Rng};

use crate::journal::{Entry, History};
use crate::watched::Watched;
use crate::workload::{World, chain, id};
use crate::{block_on, seed, times};

/// How many chains run at once. One alone is the harder case for an engine: nothing else meets the
/// error that it has met.
const MANY: u64 = 6;
const ALONE: u64 = 1;
const STEPS: u32 = 5;
/// How long a caller waits before it asks again.
const PAUSE: Duration = Duration::from_millis(3);
/// A disk that has failed for good is replaced after so many refusals.
const REFUSALS: u32 = 4;
/// Everything ends within this, unless the engine hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// Whether the store keeps what it could not commit to itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Errors {
    Told,
    Swallowed,
}

/// What callers were told.
#[derive(Debug, Default)]
struct Callers {
    refusals: u32,
    history: History,
    wrong: Vec<String>,
}

/// What happens in a round.
#[derive(Clone, Copy, Debug)]
struct Plan {
    chains: u64,
    fail_at: u64,
    failure: Failure,
    cache_bytes: usize,
    errors: Errors,
}

/// A workload over a disk that fails.
struct Round {
    chains: u64,
    disk: FailingDisk,
    callers: Mutex<Callers>,
}

/// The store's own errors, as a caller sees them. `None`: the error is of another kind.
fn refusal(error: &EngineError) -> Option<&EngineError> {
    matches!(error, EngineError::Broken { .. } | EngineError::Store(_)).then_some(error)
}

impl Round {
    fn callers(&self) -> std::sync::MutexGuard<'_, Callers> {
        self.callers.lock().expect("no holder panics")
    }

    /// Somebody was refused. After a few times the disk is mended.
    async fn refused(&self) {
        let refusals = {
            let mut callers = self.callers();
            callers.refusals += 1;
            callers.refusals
        };
        if refusals >= REFUSALS {
            self.disk.heal();
        }
        tokio::time::sleep(PAUSE).await;
    }

    /// Starts a chain and waits for its result, as often as it takes.
    async fn see_through(&self, engine: &Engine, number: u64) -> Result<(), String> {
        let handle = loop {
            match engine.start(id(number), chain(number, STEPS)).await {
                Ok(handle) => break handle,
                Err(StartError::Engine(error)) if refusal(&error).is_some() => self.refused().await,
                Err(other) => return Err(format!("chain {number} does not start: {other}")),
            }
        };
        self.callers().history.started.push(number);
        loop {
            match handle.result().await {
                Ok(Ok(values)) => {
                    let mut callers = self.callers();
                    callers.history.acknowledged.push((number, values.clone()));
                    callers.history.results.insert(number, values);
                    return Ok(());
                }
                Ok(Err(error)) => return Err(format!("chain {number} failed: {error}")),
                Err(RunError::Engine(error)) if refusal(&error).is_some() => self.refused().await,
                Err(other) => return Err(format!("chain {number} does not end: {other}")),
            }
        }
    }

    /// Sees all chains through; says what is wrong.
    async fn all(self: &Arc<Self>, engine: &Engine) {
        let mut going = tokio::task::JoinSet::new();
        // Whoever asks at the very moment of the failure is not refused but waits for the disk, and may be the only one there is.
        let disk = self.disk.clone();
        let mending = tokio::spawn(async move {
            tokio::time::sleep(PATIENCE / 4).await;
            disk.heal();
        });
        for number in 0..self.chains {
            let (round, engine) = (self.clone(), engine.clone());
            going.spawn(async move {
                let ended = tokio::time::timeout(PATIENCE, round.see_through(&engine, number)).await;
                ended.unwrap_or_else(|_| Err(format!("chain {number} hangs")))
            });
        }
        while let Some(ended) = going.join_next().await {
            if let Err(reason) = ended.expect("no caller panics") {
                self.callers().wrong.push(reason);
            }
        }
        mending.abort();
    }
}

/// Runs the chains once over a disk that fails. Answers with what was wrong, how often a caller was
/// refused, and how many calls were made to the disk.
fn round(plan: Plan) -> (Vec<String>, u32, u64) {
    let Plan { chains, fail_at, failure, cache_bytes, errors } = plan;
    let disk = FailingDisk::new();
    let mut options = Options::default();
    options.cache_bytes = cache_bytes;
    let store = RedbStore::with_backend(disk.factory(), options).expect("an empty disk opens");
    let store = Watched::new(store, move |store, batch| match store.commit(batch) {
        Err(_) if errors == Errors::Swallowed => store.reopen(),
        committed => committed,
    });
    let round = Arc::new(Round { chains, disk: disk.clone(), callers: Mutex::default() });
    let entries = Arc::new(Mutex::new(Vec::<Entry>::new()));
    let journal = entries.clone();
    let world = World::new(0, move |entry| journal.lock().expect("no holder panics").push(entry));
    block_on(async {
        let engine = Engine::builder().store(store).state(world).open().await.expect("the engine opens");
        disk.fail_at(disk.calls() + fail_at, failure);
        round.all(&engine).await;
        disk.heal();
        drop(engine);
    });
    let mut callers = std::mem::take(&mut *round.callers());
    callers.history.entries = std::mem::take(&mut *entries.lock().expect("no holder panics"));
    callers.history.steps = STEPS;
    // What the disk holds in the end is what callers were told.
    let reopened = block_on(on_disk(&disk, chains));
    match reopened {
        Ok(results) => callers.history.results = results,
        Err(reason) => callers.wrong.push(reason),
    }
    callers.wrong.extend(callers.history.violations());
    (callers.wrong, callers.refusals, disk.calls())
}

/// The results on a disk, as another engine finds them without doing anything.
async fn on_disk(disk: &FailingDisk, chains: u64) -> Result<BTreeMap<u64, Vec<u64>>, String> {
    let store =
        RedbStore::with_backend(disk.factory(), Options::default()).map_err(|error| error.to_string())?;
    let world = World::new(1 << 32, |_| {});
    let engine = Engine::builder().store(Arc::new(store) as Arc<dyn Store>).state(world).open().await;
    let engine = engine.map_err(|error| error.to_string())?;
    let mut results = BTreeMap::new();
    for number in 0..chains {
        match engine.handle(id(number)).of(chain).try_result().await {
            Ok(Some(Ok(values))) => drop(results.insert(number, values)),
            other => return Err(format!("chain {number} is not as it ended: {other:?}")),
        }
    }
    Ok(results)
}

/// Fails at random calls; answers with what was wrong, and how often a caller was refused.
fn fail_at_random(rounds: u64, errors: Errors, enough: usize) -> (Vec<String>, u32) {
    let mut rng = Rng::new(seed());
    let in_peace = |chains| {
        let fail_at = u64::MAX / 2;
        let plan = Plan { chains, fail_at, failure: Failure::Once, cache_bytes: 0, errors: Errors::Told };
        let (wrong, _, calls) = round(plan);
        assert!(wrong.is_empty(), "without a failure: {wrong:?}");
        calls
    };
    let calls = [(ALONE, in_peace(ALONE)), (MANY, in_peace(MANY))];
    let (mut wrong, mut refusals) = (Vec::new(), 0);
    for _ in 0..rounds {
        let (chains, calls) = calls[usize::from(rng.chance(60))];
        let plan = Plan {
            chains,
            fail_at: rng.below(calls),
            failure: if rng.chance(50) { Failure::Once } else { Failure::ForGood },
            // Without a cache the reads fail too; with one it is all writes and syncs.
            cache_bytes: if rng.chance(50) { 0 } else { 1 << 20 },
            errors,
        };
        let (found, refused, _) = round(plan);
        refusals += refused;
        wrong.extend(found.into_iter().map(|found| format!("{plan:?}: {found}")));
        if wrong.len() >= enough {
            break;
        }
    }
    (wrong, refusals)
}

#[test]
fn a_failing_disk_costs_nothing_that_was_acknowledged_and_the_engine_goes_on_by_itself() {
    let rounds = times(40);
    let began = Instant::now();
    let (wrong, refusals) = fail_at_random(rounds, Errors::Told, 10);
    println!("{rounds} failures of the disk in {:.1?}, {refusals} calls refused", began.elapsed());
    assert!(wrong.is_empty(), "{} violations:\n{}", wrong.len(), wrong.join("\n"));
    assert!(refusals > 0, "nobody was told of any failure");
}

/// The control: over a store that keeps its errors to itself the same test must notice a loss.
#[test]
fn a_store_that_swallows_its_errors_is_found_out() {
    let (wrong, _) = fail_at_random(200, Errors::Swallowed, 1);
    assert!(!wrong.is_empty(), "nothing was noticed");
    println!("noticed: {}", wrong[0]);
}
