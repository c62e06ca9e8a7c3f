//! What an activity costs in a join of ten and in a join of ten thousand: time and bytes written.
//!
//! `cargo bench --bench compose`
//!
//! All run in turns in one run, on one disk; a smaller join is repeated until it has made as many activities, one after the other and side by
//! side. The activities do nothing, so all that is measured is the engine. The bytes are those of the rows that are handed to the store.
//!
//! Activities that do nothing end together, and what ends in the commit that ends its join is not written a second time. So there are two rows
//! of activities that take 1 to 20 ms besides: there, small joins write what they have done as large ones do.

#[path = "../common/mod.rs"]
mod common;

use std::time::{Duration, Instant};

use common::{Cost, Counting, Dir, line, ratio, runtime};
use durable::{Engine, prelude::*};

#[activity]
async fn double(n: u64) -> u64 {
    n * 2
}

#[workflow]
async fn doubles(count: u64) -> u64 {
    let calls: Vec<_> = (0..count).map(|n| double(n)).collect();
    calls.join().await.iter().sum()
}

/// One that ends at another time than most.
#[activity]
async fn double_later(n: u64) -> u64 {
    tokio::time::sleep(Duration::from_millis(1 + n * 7_919 % 20)).await;
    n * 2
}

#[workflow]
async fn doubles_later(count: u64) -> u64 {
    let calls: Vec<_> = (0..count).map(|n| double_later(n)).collect();
    calls.join().await.iter().sum()
}

const ROUNDS: usize = 5;
const ACTIVITIES: u64 = 10_000;
/// The size of the joins, and how many of them there are at a time.
const SHAPES: [(u64, u64); 5] = [(10, 1), (10, 1_000), (100, 100), (1_000, 10), (10_000, 1)];
/// More than the engine keeps ready in memory at once.
const HUGE: u64 = 50_000;

async fn measure(dir: &Dir, size: u64, at_once: u64, activities: u64, later: bool) -> Cost {
    let store = Counting::create(&dir.file("compose.redb"));
    let most = if later { 10_000 } else { 1_024 };
    let engine = Engine::builder()
        .store(store.clone())
        .max_concurrent_activities(most)
        .open()
        .await
        .expect("the engine opens");
    let joins = activities / size;
    store.take();
    let began = Instant::now();
    for _ in 0..joins / at_once {
        let mut running = tokio::task::JoinSet::new();
        for _ in 0..at_once {
            let engine = engine.clone();
            running.spawn(async move {
                if later {
                    engine.run(doubles_later(size)).await.expect("it ends")
                } else {
                    engine.run(doubles(size)).await.expect("it ends")
                }
            });
        }
        while let Some(sum) = running.join_next().await {
            assert_eq!(sum.expect("no panic"), size * (size - 1));
        }
    }
    let took = began.elapsed();
    let written = store.take();
    engine.shutdown(Duration::from_secs(10)).await.expect("it stops");
    Cost::of(joins * size, took, written)
}

fn main() {
    let runtime = runtime();
    let dir = Dir::new("compose");
    let mut costs = SHAPES.map(|_| Vec::new());
    let (mut huge, mut later) = (Vec::new(), [(10, 1_000), (10_000, 1)].map(|shape| (shape, Vec::new())));
    for _ in 0..ROUNDS {
        for ((size, at_once), costs) in SHAPES.into_iter().zip(&mut costs) {
            costs.push(runtime.block_on(measure(&dir, size, at_once, ACTIVITIES, false)));
        }
        huge.push(runtime.block_on(measure(&dir, HUGE, 1, HUGE, false)));
        for ((size, at_once), costs) in &mut later {
            costs.push(runtime.block_on(measure(&dir, *size, *at_once, ACTIVITIES, true)));
        }
    }
    println!("medians of {ROUNDS} rounds, per activity of a join");
    for ((size, at_once), costs) in SHAPES.into_iter().zip(&costs) {
        line(&format!("joins of {size}, {at_once} at once"), costs);
    }
    line(&format!("one join of {HUGE}"), &huge);
    for ((size, at_once), costs) in &later {
        line(&format!("joins of {size}, {at_once} at once, of 1 to 20 ms"), costs);
    }
    let [alone, few, .., many] = &costs;
    ratio("10,000 against 10, one join after the other", many, alone);
    ratio("10,000 against 10, as many activities at once", many, few);
    let [(_, few_later), (_, many_later)] = &later;
    ratio("10,000 against 10, of 1 to 20 ms", many_later, few_later);
    ratio("50,000 against 10, as many activities at once", &huge, few);
}
