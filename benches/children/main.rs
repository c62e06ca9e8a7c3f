//! What a child costs: one of ten, one of a thousand, and beside an instance that is started from outside and makes the same step.
//!
//! `cargo bench --bench children`
//!
//! All take turns within one run, on one disk, with as many children. A child writes more than an instance of its own: its parent's
//! record of it, and the news of its creation and of its end.

#[path = "../common/mod.rs"]
mod common;

use std::time::{Duration, Instant};

use common::{Cost, Counting, Dir, line, ratio, runtime};
use durable::{Engine, child, prelude::*};

const CHILDREN: u32 = 1_000;
const FEW: u32 = 10;
const ROUNDS: usize = 5;

#[activity]
async fn tick(n: u32) -> Result<u32, Error> {
    Ok(n + 1)
}

#[workflow]
async fn leaf(n: u32) -> Result<u32, Error> {
    tick(n).await
}

#[workflow]
async fn parent(children: u32) -> Result<u32, Error> {
    let calls: Vec<_> = (0..children).map(|n| child(n.to_string(), leaf(n))).collect();
    Ok(calls.try_join().await?.iter().sum())
}

/// So many at once, of so many children each; none: instances of their own.
async fn measure(dir: &Dir, of_each: Option<u32>) -> Cost {
    let store = Counting::create(&dir.file("children.redb"));
    let engine = Engine::builder().store(store.clone()).open().await.expect("the engine opens");
    store.take();
    let began = Instant::now();
    let mut running = tokio::task::JoinSet::new();
    for n in 0..CHILDREN / of_each.unwrap_or(1) {
        let engine = engine.clone();
        running.spawn(async move {
            let ended = match of_each {
                Some(children) => engine.run(parent(children)).await,
                None => engine.run(leaf(n)).await,
            };
            ended.expect("it ends").expect("and does not fail")
        });
    }
    while let Some(sum) = running.join_next().await {
        assert!(sum.expect("no panic") > 0);
    }
    let cost = Cost::of(u64::from(CHILDREN), began.elapsed(), store.take());
    engine.shutdown(Duration::from_secs(10)).await.expect("it stops");
    cost
}

fn main() {
    let runtime = runtime();
    let dir = Dir::new("children");
    let shapes = [None, Some(FEW), Some(CHILDREN)];
    let mut costs = shapes.map(|_| Vec::new());
    for _ in 0..ROUNDS {
        for (shape, costs) in shapes.into_iter().zip(&mut costs) {
            costs.push(runtime.block_on(measure(&dir, shape)));
        }
    }
    let [alone, few, many] = &costs;
    println!("medians of {ROUNDS} rounds, {CHILDREN} each");
    line("an instance of its own", alone);
    line(&format!("a child, one of {FEW}"), few);
    line(&format!("a child, one of {CHILDREN}"), many);
    ratio(&format!("one of {CHILDREN} against one of {FEW}"), many, few);
    ratio(&format!("one of {CHILDREN} against an instance"), many, alone);
}
