//! What it takes to go on does not depend on how much was done: an instance with ten steps behind it and one with a hundred thousand have snapshots of the
//! same size, write the same at a step, and are taken up with the same questions to the store. (How long that takes: `cargo bench --bench steps`.)

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};
use std::time::Duration;

use durable::{
    prelude::*,
    store::{Batch, Change, Error as StoreError, Layer, MemoryImage, RedbStore, Slot, Store},
};

use crate::{block_on, times};

const FEW: u64 = 10;
/// The engines take this many steps more after they were opened again.
const MORE: u64 = 20;

#[activity(name = "next_of")]
async fn next(sum: u64) -> u64 {
    sum + 1
}

#[workflow]
async fn counts_to(steps: u64) -> u64 {
    let mut sum = 0;
    while sum < steps {
        sum = next(sum).await;
        if sum == steps - MORE {
            let GoOn = recv::<GoOn>().await;
        }
    }
    sum
}

/// The control: it keeps what it has seen.
#[workflow]
async fn remembers_all(steps: u64) -> u64 {
    let mut seen = vec![0];
    while (seen.len() as u64) <= steps {
        let last = *seen.last().expect("there is one");
        seen.push(next(last).await);
        if seen.len() as u64 == steps + 1 - MORE {
            let GoOn = recv::<GoOn>().await;
        }
    }
    seen.len() as u64
}

#[derive(Debug, serde::Serialize, serde::Deserialize, Signal)]
struct GoOn;

/// Counts what is asked, and what is written.
struct Counting {
    store: RedbStore,
    asked: AtomicU64,
    written: Arc<Mutex<Vec<usize>>>,
}

impl Layer for Counting {
    fn beneath(&self) -> &dyn Store {
        &self.store
    }

    fn check(&self) -> Result<(), StoreError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn check_slot(&self, _: Slot) -> Result<(), StoreError> {
        self.check()
    }

    fn commit(&self, batch: &Batch) -> Result<(), StoreError> {
        for transition in &batch.transitions {
            if let Change::Create(instance) | Change::Update { instance, .. } = &transition.change {
                self.written.lock().expect("no holder panics").push(instance.state.len());
            }
        }
        self.store.commit(batch)
    }
}

fn open(image: &MemoryImage) -> Arc<Counting> {
    let store = RedbStore::open_image(image).expect("the image opens");
    Arc::new(Counting { store, asked: AtomicU64::new(0), written: Arc::default() })
}

/// What going on has taken.
#[derive(Debug)]
struct Cost {
    /// Questions to the store from the opening to the end.
    asked: u64,
    /// The largest record that was written.
    largest: usize,
}

/// Lets an instance get nearly to its end, opens the store again, and counts what the rest takes.
fn cost(steps: u64, forgets: bool) -> Cost {
    let image = MemoryImage::new();
    block_on(async {
        let engine = Engine::builder().store(open(&image)).open().await.expect("the engine opens");
        let waits = if forgets {
            engine.start("it", counts_to(steps)).await.map(drop)
        } else {
            engine.start("it", remembers_all(steps)).await.map(drop)
        };
        waits.expect("it starts");
        loop {
            let description = engine.handle("it").describe().await.expect("it is there");
            if description.status == Status::Waiting && description.steps >= steps - MORE {
                break;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        engine.shutdown(Duration::from_secs(10)).await.expect("the engine stops");
        drop(engine);
        let store = open(&image);
        let engine = Engine::builder().store(store.clone()).open().await.expect("the engine opens");
        let handle = engine.handle("it");
        handle.signal(GoOn).await.expect("it waits for that");
        let result = if forgets {
            handle.of(counts_to).result().await
        } else {
            handle.of(remembers_all).result().await
        };
        assert!(result.expect("it ends") >= steps);
        let largest = store.written.lock().expect("no holder panics").iter().copied().max();
        Cost { asked: store.asked.load(Ordering::Relaxed), largest: largest.unwrap_or_default() }
    })
}

/// At most a tenth more.
fn is_the_same(few: &Cost, many: &Cost) -> bool {
    // A number that is larger takes some bytes more, in the record's counters.
    many.asked * 10 <= few.asked * 11 && many.largest <= few.largest + few.largest / 10 + 16
}

#[test]
fn going_on_after_many_steps_is_going_on_after_few() {
    let (few, many) = (cost(FEW + MORE, true), cost(times(10_000), true));
    println!("after {FEW} steps: {few:?}; after {}: {many:?}", times(10_000) - MORE);
    assert!(is_the_same(&few, &many), "after {FEW} steps {few:?}, after many {many:?}");
}

#[test]
fn a_workflow_that_remembers_all_is_noticed() {
    let (few, many) = (cost(FEW + MORE, false), cost(500, false));
    assert!(!is_the_same(&few, &many), "after {FEW} steps {few:?}, after many {many:?}");
}
