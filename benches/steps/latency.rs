//! How long a step takes among many: from an activity that returns to the next one of its workflow that begins.
//!
//! What lies between is everything the engine does: the completion is handed over, the machine stepped, the snapshot committed,
//! the next attempt launched.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use durable::{Engine, State, activity, workflow};

use crate::{Dir, recorder::Recorder, stats::Sample};

const WORKFLOWS: u64 = 1_000;
const STEPS: u64 = 30;
/// What comes before that is the start, when instances are still being created.
const WARM_UP: u64 = 5;
const ROUNDS: usize = 7;

struct Watch {
    began: Instant,
    /// In nanoseconds.
    steps: Mutex<Vec<u64>>,
}

impl Watch {
    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).expect("a benchmark does not run for centuries")
    }
}

/// Notes how long ago the activity before it returned, and gives the time.
#[activity]
async fn stamp(State(watch): State<Watch>, step: u64, before: u64) -> u64 {
    let now = watch.now();
    if step >= WARM_UP {
        watch.steps.lock().expect("no panic").push(now - before);
    }
    watch.now()
}

#[workflow]
async fn stamped(steps: u64) -> u64 {
    let mut before = 0;
    for step in 0..steps {
        before = stamp(step, before).await;
    }
    steps
}

pub(crate) fn run(runtime: &tokio::runtime::Runtime, dir: &Dir) {
    let (mut half, mut most, mut ratio) = (Sample::default(), Sample::default(), Sample::default());
    for round in 0..=ROUNDS {
        let mut steps = runtime.block_on(fleet(dir));
        steps.sort_unstable();
        let at = |percent: usize| steps[steps.len() * percent / 100] as f64 / 1e6;
        if round > 0 {
            half.add(at(50));
            most.add(at(99));
            ratio.add(at(99) / at(50));
        }
    }
    println!("\na step of {WORKFLOWS} workflows at once, {STEPS} each, {ROUNDS} rounds");
    println!("  p50                 {}", half.show(" ms"));
    println!("  p99                 {}", most.show(" ms"));
    println!("  p99 / p50           {}", ratio.show(""));
}

async fn fleet(dir: &Dir) -> Vec<u64> {
    let watch = Arc::new(Watch { began: Instant::now(), steps: Mutex::default() });
    let store = Recorder::open(&dir.fresh("latency.redb"));
    let engine = Engine::builder().store(store).state_arc(watch.clone()).open().await;
    let engine = engine.expect("the engine opens");
    let running: Vec<_> = (0..WORKFLOWS)
        .map(|n| {
            let engine = engine.clone();
            tokio::spawn(async move {
                let handle = engine.start(format!("stamped-{n}"), stamped(STEPS)).await.expect("it starts");
                handle.result().await.expect("it ends")
            })
        })
        .collect();
    for task in running {
        assert_eq!(task.await.expect("no panic"), STEPS);
    }
    engine.shutdown(Duration::from_secs(1)).await.expect("the engine stops");
    std::mem::take(&mut *watch.steps.lock().expect("no panic"))
}
