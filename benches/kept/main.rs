//! What it costs to keep the snapshots of the last steps: the same steps with 0 and with 10 kept, in turns within one run.
//!
//! `cargo bench --bench kept`

#[path = "../common/mod.rs"]
mod common;

use std::time::{Duration, Instant};

use common::{Cost, Counting, Dir, line, ratio, runtime};
use durable::{Engine, activity, workflow};

/// An activity that does nothing.
#[activity]
async fn tick(n: u64) -> u64 {
    n + 1
}

/// So many activities, one after the other, with so much in a local all the while.
#[workflow]
async fn count(steps: u64, payload: String) -> u64 {
    let mut total = 0;
    for n in 0..steps {
        let next = tick(n).await;
        total += next - n;
    }
    total + payload.len() as u64
}

const KEPT: [u32; 2] = [0, 10];

fn main() {
    let dir = Dir::new("kept");
    for (workflows, steps, payload, rounds) in
        [(1, 300, 0, 15), (1, 300, 4_000, 15), (100, 30, 0, 9), (1_000, 10, 0, 9), (1_000, 10, 4_000, 5)]
    {
        let mut costs = [Vec::new(), Vec::new()];
        for round in 0..=rounds {
            for (kept, costs) in KEPT.iter().zip(&mut costs) {
                let cost = runtime().block_on(run(&dir, *kept, workflows, steps, payload));
                if round > 0 {
                    costs.push(cost);
                }
            }
        }
        println!(
            "\n{workflows} workflows of {steps} no-op activities, {payload} bytes in a local, {rounds} rounds"
        );
        line("a step with none kept", &costs[0]);
        line("a step with 10 kept", &costs[1]);
        ratio("10 kept", &costs[1], &costs[0]);
    }
}

async fn run(dir: &Dir, kept: u32, workflows: u64, steps: u64, payload: usize) -> Cost {
    let store = Counting::create(&dir.file("kept.redb"));
    let builder = Engine::builder().store(store.clone()).keep_snapshots(kept);
    let engine = builder.open().await.expect("the engine opens");
    store.take();
    let started = Instant::now();
    let running: Vec<_> = (0..workflows)
        .map(|n| {
            let engine = engine.clone();
            let call = count(steps, "x".repeat(payload));
            tokio::spawn(async move {
                let handle = engine.start(format!("count-{n}"), call).await.expect("it starts");
                handle.result().await.expect("it ends")
            })
        })
        .collect();
    for task in running {
        assert_eq!(task.await.expect("no panic"), steps + payload as u64);
    }
    let cost = Cost::of(workflows * steps, started.elapsed(), store.take());
    engine.shutdown(Duration::from_secs(1)).await.expect("the engine stops");
    cost
}
