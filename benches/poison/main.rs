//! What poison workflows cost their neighbours, and what it costs to be ready for them.
//!
//! `cargo bench --bench poison`
//!
//! A hundred neighbours make steps at a steady pace, alone and beside workflows that panic or can't be stored, beside a step that blocks for ever, and beside
//! one that spins for ever. All take turns within one run, on one disk. The figure is the time from the end of one activity to the beginning of the
//! next: the commit and the step in between.
//!
//! The side file of suspects is measured where it costs most: one workflow of no-op activities, with and without.

#[path = "../common/mod.rs"]
mod common;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use common::{Dir, runtime};
use durable::{Engine, prelude::*, store::RedbStore};

const NEIGHBOURS: u32 = 100;
const ROUNDS: usize = 5;
const STEPS: u32 = 200;
const PACE: Duration = Duration::from_millis(20);
/// So many poison workflows a second.
const POISONS: u64 = 50;
const SEQUENCE: u32 = 2_000;

/// The times between two activities of one instance, in microseconds.
#[derive(Clone, Default)]
struct Gaps(Arc<Mutex<Vec<u32>>>);

static RELEASED: AtomicBool = AtomicBool::new(false);

#[activity]
async fn tick(State(gaps): State<Gaps>, since: Option<u128>) -> u128 {
    let now = BEGAN.elapsed().as_micros();
    if let Some(since) = since {
        gaps.0.lock().expect("no panic").push(u32::try_from(now - since).unwrap_or(u32::MAX));
    }
    tokio::time::sleep(PACE).await;
    BEGAN.elapsed().as_micros()
}

static BEGAN: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);

#[workflow]
async fn neighbour(steps: u32) -> u32 {
    let mut since = None;
    for _ in 0..steps {
        since = Some(tick(since).await);
    }
    steps
}

#[activity]
async fn nothing(n: u32) -> u32 {
    n + 1
}

#[workflow]
async fn sequence(steps: u32) -> u32 {
    let mut n = 0;
    while n < steps {
        n = nothing(n).await;
    }
    n
}

struct Unwritable(u64);

impl serde::Serialize for Unwritable {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("it is not to be written"))
    }
}

impl<'de> serde::Deserialize<'de> for Unwritable {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Ok(Unwritable(0))
    }
}

#[workflow]
async fn poison(number: u64) -> u64 {
    let n = nothing(1).await;
    assert!(number.is_multiple_of(2), "it panics");
    let unwritable = Unwritable(number);
    sleep(Duration::from_secs(1)).await;
    u64::from(n) + unwritable.0
}

#[workflow]
async fn blocks(spins: bool) -> u32 {
    while !RELEASED.load(Ordering::Relaxed) {
        if spins {
            std::hint::spin_loop();
        } else {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    nothing(1).await
}

#[derive(Clone, Copy, PartialEq)]
enum Beside {
    Nobody,
    Poisons,
    ABlockedStep,
    ASpinningStep,
}

/// The 50th and the 99th percentile.
async fn measure(dir: &Dir, beside: Beside) -> (u32, u32) {
    let gaps = Gaps::default();
    let file = dir.file("poison.redb");
    let _ = std::fs::remove_file(&file);
    RELEASED.store(false, Ordering::Relaxed);
    let engine = Engine::builder().path(&file).state(gaps.clone()).step_timeout(Duration::from_secs(1));
    let engine = engine.open().await.expect("the engine opens");
    if matches!(beside, Beside::ABlockedStep | Beside::ASpinningStep) {
        let (engine, spins) = (engine.clone(), beside == Beside::ASpinningStep);
        tokio::spawn(async move { engine.start("blocks", blocks(spins)).await.map(|_| ()) });
        // What it costs until it is noticed is the setting's affair.
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    let mut running = tokio::task::JoinSet::new();
    for n in 0..NEIGHBOURS {
        let engine = engine.clone();
        running.spawn(async move {
            tokio::time::sleep(PACE * n / NEIGHBOURS).await;
            engine.start(format!("neighbour-{n}"), neighbour(STEPS)).await.expect("it starts").result().await
        });
    }
    let poisons = tokio::spawn({
        let engine = engine.clone();
        async move {
            if beside != Beside::Poisons {
                return;
            }
            for number in 0.. {
                engine.start(format!("poison-{number}"), poison(number)).await.expect("it starts");
                tokio::time::sleep(Duration::from_millis(1_000 / POISONS)).await;
            }
        }
    });
    while let Some(ended) = running.join_next().await {
        ended.expect("no panic").expect("it ends");
    }
    poisons.abort();
    RELEASED.store(true, Ordering::Relaxed);
    engine.shutdown(Duration::from_secs(10)).await.expect("it stops");
    let mut gaps = std::mem::take(&mut *gaps.0.lock().expect("no panic"));
    gaps.sort_unstable();
    (gaps[gaps.len() / 2], gaps[gaps.len() * 99 / 100])
}

async fn step_us(dir: &Dir, side_file: bool) -> f64 {
    let file = dir.file("sequence.redb");
    let _ = std::fs::remove_file(&file);
    let builder = Engine::builder().state(Gaps::default());
    let builder = if side_file {
        builder.path(&file)
    } else {
        builder.store(Arc::new(RedbStore::open(&file).expect("the store opens")))
    };
    let engine = builder.open().await.expect("the engine opens");
    let began = Instant::now();
    engine.run(sequence(SEQUENCE)).await.expect("it ends");
    let took = began.elapsed();
    engine.shutdown(Duration::from_secs(10)).await.expect("it stops");
    took.as_secs_f64() * 1e6 / f64::from(SEQUENCE)
}

fn median<T: PartialOrd + Copy>(mut all: Vec<T>) -> T {
    all.sort_unstable_by(|a, b| a.partial_cmp(b).expect("figures are numbers"));
    all[all.len() / 2]
}

fn main() {
    let runtime = runtime();
    let dir = Dir::new("poison");
    std::panic::set_hook(Box::new(|_| {}));
    let all = [
        (Beside::Nobody, "alone"),
        (Beside::Poisons, "beside 50 poison workflows a second"),
        (Beside::ABlockedStep, "beside a step that blocks for ever"),
        (Beside::ASpinningStep, "beside a step that spins for ever"),
    ];
    let mut figures = all.map(|_| Vec::new());
    let mut steps = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for ((beside, _), figures) in all.into_iter().zip(&mut figures) {
            figures.push(runtime.block_on(measure(&dir, beside)));
        }
        for (side_file, steps) in [false, true].into_iter().zip(&mut steps) {
            steps.push(runtime.block_on(step_us(&dir, side_file)));
        }
    }
    println!("medians of {ROUNDS} rounds, {NEIGHBOURS} neighbours at {PACE:?}");
    let alone = figures[0].clone();
    for ((_, name), figures) in all.into_iter().zip(&figures) {
        let ratio = figures.iter().zip(&alone).map(|(one, alone)| f64::from(one.1) / f64::from(alone.1));
        let (p50, p99) =
            (figures.iter().map(|one| one.0).collect(), figures.iter().map(|one| one.1).collect());
        let (p50, p99): (u32, u32) = (median(p50), median(p99));
        println!("{name}: p50 {p50} us, p99 {p99} us, {:.2} times the p99 alone", median(ratio.collect()));
    }
    let ratio = steps[1].iter().zip(&steps[0]).map(|(with, without)| with / without);
    let ratio = median(ratio.collect());
    let [without, with] = steps.map(median);
    println!(
        "a step of one workflow: {without:.1} us without a side file, {with:.1} us with one, ratio {ratio:.3}"
    );
}
