//! What it costs that variables are stored so that other code can read them: time per step and bytes per snapshot.
//!
//! `cargo bench --bench evolution`; with `-- check`, how long a look at 100,000 waiting instances takes.
//!
//! Eight variables that are alive over every step are compared with the same eight as the fields of one struct: the frame is then one plain
//! postcard value, and all that is left of the data for later builds is the number of the frame's layout. Both make the same calls in turns
//! within one run, in memory, where nothing hides the difference, and in a file. The layouts, names and tables of resume points are
//! written once per build and place, and are in no step.
//!
//! What both have is no control of itself. So the same values are written and read by postcard alone, too: beside a step, that is the most that
//! could be saved of it.

#[path = "../steps/stats.rs"]
mod stats;

use std::{
    hint::black_box,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use durable::{
    Engine,
    prelude::*,
    store::{MemoryImage, RedbStore, Store},
};
use serde::{Deserialize, Serialize};
use stats::{Sample, micros};

/// What both keep.
#[derive(Serialize, Deserialize)]
struct All {
    order: u64,
    sku: String,
    qty: u32,
    prices: Vec<u32>,
    note: Option<u64>,
    express: bool,
    spot: (u8, u8),
    customer: String,
}

fn all(order: u64) -> All {
    All {
        order,
        sku: "lamp-4711".into(),
        qty: 3,
        prices: vec![4_999, 250, 80_000, 12],
        note: Some(1 << 40),
        express: true,
        spot: (7, 9),
        customer: "customer-00042".into(),
    }
}

fn sum(all: &All) -> u64 {
    let All { order, sku, qty, prices, note, express, spot, customer } = all;
    let texts = (sku.len() + customer.len()) as u64;
    let numbers = u64::from(*qty) + prices.iter().map(|price| u64::from(*price)).sum::<u64>();
    order + texts + numbers + note.unwrap_or(0) + u64::from(*express) + u64::from(spot.0 + spot.1)
}

#[activity]
async fn tick(n: u64) -> u64 {
    n + 1
}

/// So many steps, and one more that takes long.
#[workflow]
async fn apart(steps: u64, stays: bool) -> u64 {
    let All { order, sku, qty, prices, note, express, spot, customer } = all(steps);
    let mut n = 0;
    while n < steps {
        n = tick(n).await;
    }
    if stays {
        sleep(Duration::from_secs(3_600)).await;
    }
    n + sum(&All { order, sku, qty, prices, note, express, spot, customer })
}

/// The same with all variables in one.
#[workflow]
async fn together(steps: u64, stays: bool) -> u64 {
    let all = all(steps);
    let mut n = 0;
    while n < steps {
        n = tick(n).await;
    }
    if stays {
        sleep(Duration::from_secs(3_600)).await;
    }
    n + sum(&all)
}

const STEPS: u64 = 200;
const ROUNDS: usize = 40;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    if std::env::args().any(|arg| arg == "check") {
        return check().await;
    }
    let memory = RedbStore::open_image(&MemoryImage::new()).expect("a store in memory opens");
    compare("in memory", Arc::new(memory)).await;
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("evolution-{}.redb", std::process::id()));
    compare("in a file", Arc::new(RedbStore::open(&path).expect("the store opens"))).await;
    let _ = std::fs::remove_file(&path);
    alone();
}

/// Eight variables and the counter, without layouts and without an engine.
fn alone() {
    const TIMES: u64 = 10_000;
    let (mut took, mut len) = (Sample::default(), 0);
    for round in 0..=ROUNDS {
        let began = Instant::now();
        for n in 0..TIMES {
            let bytes = postcard::to_stdvec(black_box(&(all(STEPS), n))).expect("it is written");
            let back: (All, u64) = postcard::from_bytes(black_box(&bytes)).expect("it is read");
            assert_eq!(black_box(back).1, n);
            len = bytes.len();
        }
        if round > 0 {
            took.add(micros(began.elapsed(), TIMES));
        }
    }
    println!("\nby postcard alone: made, written and read in {}; {len} bytes", took.show(" us"));
}

/// A deploy's look at instances that wait, by the engine that has them and over a copy of its file.
async fn check() {
    const WAITING: u64 = 100_000;
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("check-{}.redb", std::process::id()));
    let engine = Engine::open(&path).await.expect("the store opens");
    let starting: Vec<_> = (0..WAITING)
        .map(|n| {
            let engine = engine.clone();
            tokio::spawn(async move { engine.start(format!("waits-{n}"), waits(all(n))).await.map(drop) })
        })
        .collect();
    for start in starting {
        start.await.expect("no panic").expect("it starts");
    }
    while !engine.list(durable::Filter::new().status(Status::Running)).await.expect("it answers").is_empty() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let (mut running, mut copied) = (Sample::default(), Sample::default());
    for _ in 0..5 {
        let began = Instant::now();
        let report = engine.check().await.expect("it is looked at");
        running.add(began.elapsed().as_secs_f64());
        assert_eq!((report.instances(), report.stranded()), (WAITING, 0));
        let began = Instant::now();
        let report = Engine::builder().path(&path).check().await.expect("it is looked at");
        copied.add(began.elapsed().as_secs_f64());
        assert_eq!(report.instances(), WAITING);
    }
    let megabytes = std::fs::metadata(&path).expect("it is there").len() as f64 / 1e6;
    println!("{WAITING} waiting instances with eight variables each, a file of {megabytes:.0} MB");
    println!("  by the engine that has them  {}", running.show(" s"));
    println!("  over a copy of the file      {}", copied.show(" s"));
    engine.shutdown(Duration::from_secs(60)).await.expect("it stops");
    let _ = std::fs::remove_file(&path);
}

#[workflow]
async fn waits(all: All) -> u64 {
    sleep(Duration::from_secs(86_400)).await;
    all.order + u64::from(all.qty)
}

async fn compare(place: &str, store: Arc<dyn Store>) {
    let engine = Engine::builder().store(store).open().await.expect("the engine opens");
    let (mut with, mut without) = (Sample::default(), Sample::default());
    for round in 0..=ROUNDS {
        let began = Instant::now();
        let one = engine.run(apart(STEPS, false)).await.expect("it ends");
        let first = began.elapsed();
        let began = Instant::now();
        let other = engine.run(together(STEPS, false)).await.expect("it ends");
        let second = began.elapsed();
        assert_eq!(one, other);
        if round > 0 {
            with.add(micros(first, STEPS + 1));
            without.add(micros(second, STEPS + 1));
        }
    }
    println!("\n{place}: eight variables alive over {STEPS} steps in sequence, {ROUNDS} rounds");
    println!("  as variables        {} a step", with.show(" us"));
    println!("  as one struct       {} a step", without.show(" us"));
    println!("  ratio               {}", with.over(&without).show(""));
    engine.start("apart", apart(0, true)).await.expect("it starts");
    engine.start("together", together(0, true)).await.expect("it starts");
    let bytes = async |id: &str| loop {
        let description = engine.handle(id).describe().await.expect("it is there");
        if description.waiting.is_some() {
            break description.snapshot_bytes;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    println!(
        "  bytes a snapshot    {} as variables, {} as one struct",
        bytes("apart").await,
        bytes("together").await
    );
    engine.shutdown(Duration::from_secs(5)).await.expect("it stops");
}
