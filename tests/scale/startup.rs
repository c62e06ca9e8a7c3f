//! Opening a store in which many wait: it costs what is due, not what exists.

use std::path::Path;
use std::time::{Duration, Instant};

use durable::prelude::*;
use durable::store::{Options, RedbStore};
use durable_store::testing::CountingDisk;
use serde::{Deserialize, Serialize};

use crate::{block_on, child, process::peak_bytes, times};

#[derive(Debug, Serialize, Deserialize, Signal)]
struct Go(u64);

/// What a trial that has just begun remembers.
#[workflow]
async fn listens(name: String) -> u64 {
    let Go(number) = recv::<Go>().await;
    number + name.len() as u64
}

#[workflow]
async fn sleeps(name: String) -> usize {
    sleep(Duration::from_secs(30 * 86_400)).await;
    name.len()
}

#[activity]
async fn tick(n: u64) -> u64 {
    n + 1
}

/// What is at work when the process is killed.
#[workflow]
async fn works() -> u64 {
    let mut n = 0;
    loop {
        n = tick(n).await;
    }
}

/// A store in which so many wait, half of them for a message and half for a moment a month away.
fn make(file: &Path, count: u64) {
    block_on(async {
        let engine = Engine::open(file).await.expect("it opens");
        let name = "somebody who will decide in a month, or be forgotten".to_owned();
        for first in (0..count / 2).step_by(500) {
            let these = first..(first + 500).min(count / 2);
            let all = these.map(|n| {
                let (engine, name) = (&engine, &name);
                async move {
                    engine.start(format!("listens-{n}"), listens(name.clone())).await.expect("it starts");
                    engine.start(format!("sleeps-{n}"), sleeps(name.clone())).await.expect("it starts");
                }
            });
            futures::future::join_all(all).await;
        }
        engine.shutdown(Duration::from_secs(60)).await.expect("it stops");
    });
}

/// In a process of its own: opens the store, and lets one of those that wait go on to its end.
fn first_progress(file: &Path, which: &str) {
    let began = Instant::now();
    let disk = CountingDisk::file(file);
    let store = RedbStore::with_backend(disk.factory(), Options::default()).expect("the file opens");
    let opened = began.elapsed();
    block_on(async {
        let engine = Engine::builder().store(std::sync::Arc::new(store)).open().await.expect("it opens");
        engine.signal(which, Go(1)).await.expect("it listens");
        engine.handle(which).of(listens).result().await.expect("it ends");
        let counts = disk.counts();
        let all = began.elapsed();
        child::say(&[
            &opened.as_millis(),
            &all.as_millis(),
            &peak_bytes(),
            &counts.reads,
            &counts.read_bytes,
        ]);
    });
}

/// In a process of its own: is at work until it is killed.
fn at_work(file: &Path, quick_repair: bool) {
    block_on(async {
        let engine = Engine::builder().path(file).quick_repair(quick_repair).open().await.expect("it opens");
        for n in 0..20 {
            engine.start(format!("works-{quick_repair}-{n}"), works()).await.expect("it starts");
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        child::say(&[&1]);
        std::future::pending::<()>().await;
    });
}

/// Jobs of children; any other is the id of an instance that goes on.
const WORK: &str = "work";
const QUICK: &str = "work with quick repair";

struct Opening {
    peak: u64,
    reads: u64,
    read_bytes: u64,
}

const TEST: &str = "startup::an_opening_costs_what_is_due_and_not_what_exists";

fn opening(what: &str, count: u64, file: &Path, which: &str) -> Opening {
    let numbers = child::measured(TEST, which, file);
    let [ms, first_ms, peak, reads, read_bytes] = numbers[..] else { panic!("{numbers:?}") };
    let len = std::fs::metadata(file).expect("it is there").len();
    println!(
        "{count} instances in {} MB, {what}: open in {ms} ms, first progress after {first_ms} ms, {} MB of memory, {reads} reads of {} KB",
        len >> 20,
        peak >> 20,
        read_bytes >> 10
    );
    Opening { peak, reads, read_bytes }
}

#[test]
fn an_opening_costs_what_is_due_and_not_what_exists() {
    match child::job() {
        Some((job, file)) if job == WORK => return at_work(&file, false),
        Some((job, file)) if job == QUICK => return at_work(&file, true),
        Some((which, file)) => return first_progress(&file, &which),
        None => {}
    }
    let directory = tempfile::tempdir().expect("there is room");
    let sizes = [times(10_000) / 10, times(10_000)];
    let [few, many] = sizes.map(|count| {
        let file = directory.path().join(format!("{count}.redb"));
        let began = Instant::now();
        make(&file, count);
        println!("{count} instances were started in {:.1} s", began.elapsed().as_secs_f64());
        let closed = opening("after a clean stop", count, &file, "listens-7");
        child::killed(TEST, WORK, &file);
        let repaired = opening("after a SIGKILL at work", count, &file, "listens-8");
        child::killed(TEST, QUICK, &file);
        let killed = opening("after a SIGKILL at work with quick repair", count, &file, "listens-9");
        [closed, repaired, killed]
    });
    for at in [0, 2] {
        let (few, many) = (&few[at], &many[at]);
        // A tree that is ten times as large has perhaps a level more.
        assert!(many.reads <= few.reads + 100, "{} reads, and {} in a tenth", many.reads, few.reads);
        assert!(many.read_bytes <= few.read_bytes + (1 << 20), "{} and {}", many.read_bytes, few.read_bytes);
        assert!(many.peak < 100 << 20, "{} bytes of memory", many.peak);
    }
    // The control: an opening that looks at everything is noticed.
    assert!(many[1].reads > few[1].reads + 400, "{} reads, and {} in a tenth", many[1].reads, few[1].reads);
}
