//! A loss of power at any call of the engine to its disk: what was not synced is lost, reordered
//! or torn, and everything that was acknowledged is there.
//!
//! An engine runs chains on a disk that records its calls. What a loss of power after any call
//! leaves is made from the record and opened again. It must hold, byte for byte, what the commits
//! acknowledged by then have made of the store, or one commit more. Of some images a fresh engine
//! runs all workflows to their end, and the history of both engines together is judged.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use durable::prelude::*;
use durable::store::{MemoryImage, Options, RedbStore, Store};
use durable_store::testing::{LossyDisk, Model, Rng, Trace};

use crate::journal::{Entry, History};
use crate::watched::Watched;
use crate::workload::{World, chain, id, number};
use crate::{block_on, seed, times};

/// How many images are made of one run of an engine.
const IMAGES_PER_RUN: u64 = 250;
/// Of so many images one is run to the end.
const RUN_TO_THE_END: u64 = 50;
/// The chains of a run, in three waves, so that slots are used again.
const CHAINS: u64 = 9;
const STEPS: u32 = 5;
/// The values of the second engine of a history begin here.
const AFTERWARDS: u64 = 1 << 32;
/// A fresh engine ends everything within this, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// What was written down, and after which call of the disk.
type Log<T> = Arc<Mutex<Vec<(usize, T)>>>;

/// A run of an engine on a recorded disk.
struct Run {
    trace: Trace,
    /// The layouts and contents after each commit that was acknowledged.
    contents: Vec<(usize, Contents)>,
    entries: Vec<(usize, Entry)>,
    started: Vec<(usize, u64)>,
    ended: Vec<(usize, (u64, Vec<u64>))>,
}

/// What the store must hold.
#[derive(Clone, Default)]
struct Contents {
    model: Model,
    layouts: Vec<(u64, Vec<u8>)>,
}

impl Contents {
    fn difference(&self, store: &RedbStore) -> Option<String> {
        let verdict = self.model.judge(store);
        if !verdict.is_right() {
            return Some(format!("{verdict:?}"));
        }
        let lost =
            |(id, bytes): &&(u64, Vec<u8>)| !matches!(store.layout(*id), Ok(Some(found)) if found == *bytes);
        self.layouts.iter().find(lost).map(|(id, _)| format!("layout {id:016x} is not as it was written"))
    }
}

fn push<T>(log: &Log<T>, at: usize, what: T) {
    log.lock().expect("no holder panics").push((at, what));
}

fn take<T>(log: &Log<T>) -> Vec<(usize, T)> {
    std::mem::take(&mut log.lock().expect("no holder panics"))
}

/// Runs the chains on a disk.
fn run(disk: &LossyDisk) -> Run {
    let (contents, entries, started, ended) =
        (Log::default(), Log::default(), Log::default(), Log::default());
    let store = RedbStore::with_backend(disk.factory(), Options::default()).expect("an empty disk opens");
    push(&contents, disk.calls(), Contents::default());
    let (committed, recorded) = (contents.clone(), disk.clone());
    let store = Watched::new(store, move |store, batch| {
        store.commit(batch)?;
        let mut contents = committed.lock().expect("no holder panics");
        let mut next = contents.last().map(|(_, last)| last.clone()).unwrap_or_default();
        next.model.apply(batch);
        next.layouts.extend(batch.layouts.iter().cloned());
        contents.push((recorded.calls(), next));
        Ok(())
    });
    let (journal, recorded) = (entries.clone(), disk.clone());
    let world = World::new(0, move |entry| push(&journal, recorded.calls(), entry));
    block_on(async {
        let engine = Engine::builder().store(store).state(world).open().await.expect("the engine opens");
        let see_through = async |number: u64| {
            let handle = engine.start(id(number), chain(number, STEPS)).await.expect("it starts");
            push(&started, disk.calls(), number);
            let values = handle.result().await.expect("it ends").expect("it ends well");
            push(&ended, disk.calls(), (number, values));
        };
        for wave in 0..CHAINS / 3 {
            tokio::join!(see_through(3 * wave), see_through(3 * wave + 1), see_through(3 * wave + 2));
        }
        engine.shutdown(Duration::from_secs(10)).await.expect("the engine stops");
    });
    Run {
        trace: disk.trace(),
        contents: take(&contents),
        entries: take(&entries),
        started: take(&started),
        ended: take(&ended),
    }
}

impl Run {
    /// Loses power after `calls` and opens what is left; says what is wrong with it.
    fn judge(&self, calls: usize, to_the_end: bool, seed: u64) -> Result<(), String> {
        let done = self.contents.iter().take_while(|(at, _)| *at <= calls).count();
        let nothing = Contents::default();
        let acknowledged = done.checked_sub(1).map_or(&nothing, |last| &self.contents[last].1);
        let image = MemoryImage::from_bytes(self.trace.image_at(calls, seed));
        let mut options = Options::default();
        options.cache_bytes = 1 << 20;
        let store = RedbStore::open_image_with(&image, options)
            .map_err(|error| format!("the store does not open: {error}"))?;
        if let Some(difference) = acknowledged.difference(&store) {
            let next = self.contents.get(done).map(|(_, next)| next);
            if next.is_none_or(|next| next.difference(&store).is_some()) {
                return Err(difference);
            }
        }
        if to_the_end { self.go_on(calls, store) } else { Ok(()) }
    }

    /// A fresh engine runs everything to its end.
    fn go_on(&self, calls: usize, store: RedbStore) -> Result<(), String> {
        let before = |at: &usize| *at <= calls;
        let entries = Log::default();
        let journal = entries.clone();
        let world = World::new(AFTERWARDS, move |entry| push(&journal, 0, entry));
        let results = block_on(async {
            let store = Arc::new(store);
            let chains = chains(&*store)?;
            let engine = Engine::builder().store(store).state(world).open().await;
            let engine = engine.map_err(|error| format!("the engine does not open: {error}"))?;
            let mut results = std::collections::BTreeMap::new();
            for number in chains {
                let handle = engine.handle(id(number)).of(chain);
                let result = tokio::time::timeout(PATIENCE, handle.result()).await;
                let result = result.map_err(|_| format!("chain {number} hangs"))?;
                let values = result.map_err(|error| format!("chain {number} does not end: {error}"))?;
                results.insert(number, values.map_err(|error| format!("chain {number} failed: {error}"))?);
            }
            Ok::<_, String>(results)
        })?;
        let earlier = self.entries.iter().filter(|(at, _)| before(at)).map(|(_, entry)| *entry);
        let history = History {
            entries: earlier.chain(take(&entries).into_iter().map(|(_, entry)| entry)).collect(),
            started: self.started.iter().filter(|(at, _)| before(at)).map(|(_, chain)| *chain).collect(),
            acknowledged: self
                .ended
                .iter()
                .filter(|(at, _)| before(at))
                .map(|(_, end)| end.clone())
                .collect(),
            results,
            steps: STEPS,
        };
        let wrong = history.violations();
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
    }
}

/// The chains that a store knows of.
fn chains(store: &dyn Store) -> Result<Vec<u64>, String> {
    let live = store.scan(None, 1_000).map_err(|error| error.to_string())?;
    let closed = store.scan_closed(None, 1_000).map_err(|error| error.to_string())?;
    let ids = live.iter().map(|(_, live)| &live.id).chain(closed.iter().map(|closed| &closed.id));
    Ok(ids.filter_map(|id| number(id)).collect())
}

/// Makes `images` and judges them; answers with what was wrong, and the number that were run to the end.
fn lose_power(images: u64, disk: impl Fn() -> LossyDisk, seed: u64) -> (Vec<String>, u64) {
    let mut rng = Rng::new(seed);
    let (mut wrong, mut ended) = (Vec::new(), 0);
    for _ in 0..images.div_ceil(IMAGES_PER_RUN) {
        let run = run(&disk());
        for image in 0..IMAGES_PER_RUN.min(images) {
            let calls = rng.below(run.trace.calls() as u64 + 1) as usize;
            let to_the_end = image % RUN_TO_THE_END == 0;
            ended += u64::from(to_the_end);
            if let Err(reason) = run.judge(calls, to_the_end, rng.next_u64()) {
                wrong.push(format!("power lost after call {calls} of {}: {reason}", run.trace.calls()));
            }
        }
    }
    (wrong, ended)
}

#[test]
fn a_loss_of_power_loses_nothing_and_repeats_nothing_that_was_counted() {
    let images = times(5_000);
    let began = Instant::now();
    let (wrong, ended) = lose_power(images, LossyDisk::new, seed());
    println!("{images} losses of power in {:.1?}, {ended} of them run to the end", began.elapsed());
    assert!(wrong.is_empty(), "{} violations, the first: {}", wrong.len(), wrong[0]);
}

/// The control: on a disk whose syncs do nothing the same test must find losses.
#[test]
fn a_disk_that_lies_about_its_syncs_is_found_out() {
    let (wrong, _) = lose_power(100, || LossyDisk::new().lying(), seed());
    println!("{} of 100 losses of power on a lying disk noticed", wrong.len());
    assert!(wrong.len() > 50, "only {} of 100 losses were noticed", wrong.len());
}
