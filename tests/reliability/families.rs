//! Instances that talk, fan out and undo what they did, over a store that fails at every other turn: what one instance tells another is told
//! once, in order, and everybody comes to an end.
//!
//! Families of workflows start children, which write to two others; some fail and undo what they did, by workflows that write too. Commits fail at
//! random, half of them after they have become durable; the engine opens the store again and goes on, in the same process. Callers outside ask
//! again, with keys, until they are answered.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use durable::{
    CallError, Filter, child, compensate,
    prelude::*,
    spawn,
    store::{Batch, MemoryImage, RedbStore, Store},
};
use durable_store::{Error as StoreError, Layer, testing::Rng};
use serde::{Deserialize, Serialize};

use crate::{block_on, seed, times};

const FAMILIES: u32 = 4;
const CHILDREN: u32 = 3;
const NOTES: u32 = 4;
const CALLERS: u32 = 3;
/// A round ends within this, unless something waits for ever.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone, Debug, Serialize, Deserialize, Signal)]
struct Note {
    from: String,
    n: u32,
}

#[derive(Debug, Serialize, Deserialize, Signal)]
struct Enough;

#[derive(Clone, Debug, Serialize, Deserialize, Update)]
#[update(output = u32)]
struct Count {
    by: u32,
}

#[activity(retry(initial = "1ms", max_interval = "2ms"))]
async fn think(n: u32) -> u32 {
    n
}

#[activity(retry(initial = "1ms", max_interval = "2ms"))]
async fn dawdle(context: ActivityContext) -> Result<(), Error> {
    context.cancelled().await;
    bail!("nobody waits for it")
}

/// Notes everything until it is enough.
#[workflow]
async fn notes_down() -> Vec<(String, u32)> {
    let mut noted = Vec::new();
    loop {
        select! {
            note = recv::<Note>() => noted.push((note.from, note.n)),
            Enough = recv::<Enough>() => break,
        }
    }
    noted
}

/// Counts until it is enough.
#[workflow]
async fn counts() -> u32 {
    let mut counted = 0;
    loop {
        select! {
            request = recv_update::<Count>() => {
                counted += request.by;
                request.reply(counted);
            }
            Enough = recv::<Enough>() => break,
        }
    }
    counted
}

#[workflow]
async fn writes(from: String, count: u32) -> Result<u32, Error> {
    for n in 0..count {
        durable::signal("notes", Note { from: from.clone(), n }).await?;
        if n % 2 == 0 {
            think(n).await;
        }
    }
    Ok(count)
}

#[workflow]
async fn member(from: String) -> Result<u32, Error> {
    let also = spawn(writes(format!("{from}, also"), 1));
    let written = writes(from, NOTES).await?;
    durable::update("count", Count { by: 1 }).await?;
    Ok(written + also.await?)
}

#[workflow]
async fn family(name: String, fails: bool) -> Result<u32, Error> {
    compensate(writes(format!("{name} undoes the first"), 1));
    compensate(writes(format!("{name} undoes the second"), 2));
    let mut members = Vec::new();
    for n in 0..CHILDREN {
        members.push(child(format!("{n}"), member(format!("{name}/{n}"))));
    }
    let slow = spawn(dawdle());
    let mut written = 0;
    for member in members.join().await {
        written += member?;
    }
    let elapsed = dawdle().timeout(Duration::from_millis(2)).await;
    ensure!(elapsed.is_err(), "nobody told it to stop");
    let last = slow.cancel().await;
    ensure!(matches!(last, Ok(Err(_)) | Err(CallError::Cancelled { .. })), "{last:?}");
    ensure!(!fails, "it was to fail");
    Ok(written)
}

/// Whether the store keeps what it says is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Promises {
    Kept,
    /// Now and then it forgets what one instance tells another, and says nothing of it.
    Broken,
}

/// What was noted, of each sender; what was counted; how often the store failed.
type Told = (BTreeMap<String, Vec<u32>>, u32, u64);

/// A store whose commits fail now and then. Until it was opened again it answers nothing.
struct Flaky {
    store: RedbStore,
    rng: Mutex<Rng>,
    failed: AtomicBool,
    failures: AtomicU64,
    /// Of so many commits one fails; 0 for none.
    one_of: AtomicU64,
    promises: Promises,
}

impl Flaky {
    fn fail<T>(&self) -> Result<T, StoreError> {
        self.failed.store(true, Ordering::SeqCst);
        Err(StoreError::Poisoned { reason: "it failed on purpose".into() })
    }
}

impl Layer for Flaky {
    fn beneath(&self) -> &dyn Store {
        &self.store
    }

    fn check(&self) -> Result<(), StoreError> {
        if self.failed.load(Ordering::SeqCst) { self.fail() } else { Ok(()) }
    }

    fn commit(&self, batch: &Batch) -> Result<(), StoreError> {
        self.check()?;
        let one_of = self.one_of.load(Ordering::SeqCst);
        let drawn = if one_of == 0 { 1 } else { self.rng.lock().unwrap().below(2 * one_of) };
        if drawn == 0 {
            self.failures.fetch_add(1, Ordering::SeqCst);
            if self.promises == Promises::Broken
                && batch.transitions.iter().any(|transition| !transition.mail.is_empty())
            {
                let mut less = batch.clone();
                less.transitions.iter_mut().for_each(|transition| transition.mail.clear());
                return self.store.commit(&less);
            }
            return self.fail();
        }
        self.store.commit(batch)?;
        if drawn == one_of {
            self.failures.fetch_add(1, Ordering::SeqCst);
            return self.fail();
        }
        Ok(())
    }

    fn reopen(&self) -> Result<(), StoreError> {
        self.store.reopen()?;
        self.failed.store(false, Ordering::SeqCst);
        Ok(())
    }
}

/// Asks again until it is done.
async fn insist<T, E: std::fmt::Debug>(mut ask: impl AsyncFnMut() -> Result<T, E>) -> T {
    loop {
        match ask().await {
            Ok(done) => return done,
            Err(error) => {
                let error = format!("{error:?}");
                assert!(error.contains("Broken") || error.contains("Poisoned"), "{error}");
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
    }
}

async fn outside(engine: &Engine, caller: u32) {
    let from = format!("caller {caller}");
    for n in 0..NOTES {
        let note = Note { from: from.clone(), n };
        insist(async || engine.signal("notes", note.clone()).dedup(format!("{from} {n}")).await).await;
        insist(async || engine.update("count", Count { by: 1 }).dedup(format!("{from} {n}")).await).await;
    }
}

/// What must have been noted: each sender's notes.
fn expected() -> BTreeMap<String, Vec<u32>> {
    let mut expected = BTreeMap::new();
    let mut writes = |from: String, count: u32| {
        expected.insert(from, (0..count).collect());
    };
    for family in 0..FAMILIES {
        for member in 0..CHILDREN {
            writes(format!("{family}/{member}"), NOTES);
            writes(format!("{family}/{member}, also"), 1);
        }
        if family % 2 == 1 {
            writes(format!("{family} undoes the first"), 1);
            writes(format!("{family} undoes the second"), 2);
        }
    }
    (0..CALLERS).for_each(|caller| writes(format!("caller {caller}"), NOTES));
    expected
}

/// One round. Gives what has come of it, or who waits for ever.
async fn round(seed: u64, store: Promises, patience: Duration) -> Result<Told, String> {
    let store = Arc::new(Flaky {
        store: RedbStore::open_image(&MemoryImage::new()).unwrap(),
        rng: Mutex::new(Rng::new(seed)),
        failed: false.into(),
        failures: 0.into(),
        one_of: 0.into(),
        promises: store,
    });
    let engine = Engine::builder().store(store.clone()).open().await.unwrap();
    let scribe = engine.start("notes", notes_down()).await.unwrap();
    let count = engine.start("count", counts()).await.unwrap();
    store.one_of.store(6, Ordering::SeqCst);
    let work = async {
        let families = async {
            for n in 0..FAMILIES {
                insist(async || engine.start(format!("{n}"), family(format!("{n}"), n % 2 == 1)).await).await;
            }
            for n in 0..FAMILIES {
                let ended = insist(async || engine.handle(format!("{n}")).of(family).result().await).await;
                assert_eq!(ended.is_err(), n % 2 == 1, "{ended:?}");
            }
        };
        let callers = futures::future::join_all((0..CALLERS).map(|n| outside(&engine, n)));
        futures::future::join(families, callers).await;
        store.one_of.store(0, Ordering::SeqCst);
        insist(async || scribe.signal(Enough).dedup("enough").await).await;
        insist(async || count.signal(Enough).dedup("enough").await).await;
        let noted = insist(async || scribe.result().await).await;
        let counted = insist(async || count.result().await).await;
        (noted, counted)
    };
    let ended = tokio::time::timeout(patience, work).await;
    store.one_of.store(0, Ordering::SeqCst);
    let Ok((noted, counted)) = ended else {
        let mut waiting = String::new();
        for open in insist(async || engine.list(Filter::new()).await).await {
            if !open.status.is_closed() {
                let described = insist(async || engine.handle(&open.id).describe().await).await;
                waiting.push_str(&described.to_string());
                waiting.push('\n');
            }
        }
        return Err(waiting);
    };
    let mut of_senders: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for (from, n) in noted {
        of_senders.entry(from).or_default().push(n);
    }
    Ok((of_senders, counted, store.failures.load(Ordering::SeqCst)))
}

#[test]
fn everybody_comes_to_an_end_and_is_told_everything_once_however_often_the_store_fails() {
    let seed = seed();
    let mut failures = 0;
    for round_seed in seed..seed + times(10) {
        let (noted, counted, failed) = block_on(round(round_seed, Promises::Kept, PATIENCE))
            .unwrap_or_else(|waiting| panic!("DURABLE_SEED={round_seed}: these wait for ever:\n{waiting}"));
        assert_eq!(noted, expected(), "DURABLE_SEED={round_seed}");
        assert_eq!(counted, FAMILIES * CHILDREN + CALLERS * NOTES, "DURABLE_SEED={round_seed}");
        failures += failed;
    }
    println!("the store failed {failures} times");
    assert!(failures >= 50, "the store failed {failures} times only");
}

#[test]
fn a_store_that_forgets_what_one_instance_tells_another_is_noticed() {
    let seed = seed();
    let patience = Duration::from_secs(3);
    let noticed = (seed..seed + 3).any(|seed| match block_on(round(seed, Promises::Broken, patience)) {
        Err(_) => true,
        Ok((noted, ..)) => noted != expected(),
    });
    assert!(noticed, "a message was forgotten, and nobody missed it");
}
