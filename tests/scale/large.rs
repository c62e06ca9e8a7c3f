//! Instances with much to remember: a step writes what is new, and a payload of 100 MiB takes a few times its size of memory.

use std::{
    future::IntoFuture,
    time::{Duration, Instant},
};

use durable::prelude::*;
use durable::store::{MemoryImage, Options, RedbStore};
use durable::testing;
use durable_store::testing::CountingDisk;
use serde::{Deserialize, Serialize};

use crate::{block_on, child, process::peak_bytes, times};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Conversation(Vec<String>);

/// Something of a length that is not something else.
fn text(seed: usize, bytes: usize) -> String {
    let mut text = String::with_capacity(bytes + 20);
    let mut n = seed as u64;
    while text.len() < bytes {
        n = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.push_str(&n.to_string());
    }
    text.truncate(bytes);
    text
}

#[activity]
async fn ask(question: usize, bytes: usize) -> String {
    text(question, bytes)
}

#[activity]
async fn ask_with_all(conversation: &Conversation, bytes: usize) -> String {
    text(conversation.0.len(), bytes)
}

#[workflow]
async fn converse(steps: usize, bytes: usize, with_all: bool) -> usize {
    let mut conversation = Conversation::default();
    while conversation.0.len() < steps {
        let said = if with_all {
            ask_with_all(&conversation, bytes).await
        } else {
            ask(conversation.0.len(), bytes).await
        };
        conversation.0.push(said);
    }
    conversation.0.iter().map(String::len).sum()
}

/// Bytes written per byte said.
fn multiple(steps: usize, bytes: usize, with_all: bool) -> f64 {
    let disk = CountingDisk::new(&MemoryImage::new());
    let store = RedbStore::with_backend(disk.factory(), Options::default()).expect("an empty image opens");
    let began = Instant::now();
    block_on(async {
        let engine = Engine::builder().store(std::sync::Arc::new(store)).open().await.expect("it opens");
        let handle = engine.start("agent", converse(steps, bytes, with_all)).await.expect("it starts");
        assert_eq!(handle.result().await.expect("it ends"), steps * bytes);
        engine.shutdown(Duration::from_secs(10)).await.expect("it stops");
    });
    let written = disk.counts().written_bytes as f64;
    let said = (steps * bytes) as f64;
    println!(
        "{steps} steps to {said} bytes{}: {:.0} bytes written per step, {:.1} times what was said; {:.1} ms per step",
        if with_all { ", all of it the argument of each call" } else { "" },
        written / steps as f64,
        written / said,
        began.elapsed().as_secs_f64() * 1000.0 / steps as f64,
    );
    written / said
}

#[test]
fn a_conversation_writes_what_was_said_times_a_small_number() {
    let steps = times(50) as usize;
    assert!(multiple(steps, 10_000, false) < 10.0);
    assert!(multiple(steps, 10_000, true) < 15.0);
}

/// The control: what has nothing in common with what was there before is written.
#[activity]
async fn another(turn: usize, bytes: usize) -> String {
    text(turn, bytes)
}

#[workflow]
async fn forget(steps: usize, bytes: usize) -> usize {
    let (mut turn, mut all) = (0, 0);
    let mut last = String::new();
    while turn < steps {
        let next = another(turn, bytes).await;
        all += last.len();
        last = next;
        turn += 1;
    }
    all + last.len()
}

#[test]
fn what_is_new_is_written_and_counted() {
    let disk = CountingDisk::new(&MemoryImage::new());
    let store = RedbStore::with_backend(disk.factory(), Options::default()).expect("an empty image opens");
    block_on(async {
        let engine = Engine::builder().store(std::sync::Arc::new(store)).open().await.expect("it opens");
        let handle = engine.start("forgetful", forget(10, 200_000)).await.expect("it starts");
        handle.result().await.expect("it ends");
        engine.shutdown(Duration::from_secs(10)).await.expect("it stops");
    });
    assert!(disk.counts().written_bytes > 10 * 200_000, "{:?}", disk.counts());
}

/// Every state of it, from one that fits a row to one of many pieces, comes back after a crash.
#[tokio::test]
async fn a_conversation_survives_a_crash_at_every_step() {
    testing::crash_at_every_step(|| converse(8, 9_000, true)).await;
}

#[activity]
async fn download(bytes: usize) -> String {
    text(1, bytes)
}

#[activity]
async fn count(body: &str) -> usize {
    body.len()
}

#[workflow]
async fn fetch(bytes: usize) -> (usize, String) {
    let body = download(bytes).await;
    let counted = count(&body).await;
    (counted, body)
}

/// What the store may keep of its file in memory: it is not what is measured here.
const CACHE: usize = 8 << 20;

/// In a process of its own: fetches so many bytes, hands them to another call, and ends with them.
fn fetches(bytes: usize, cache_bytes: usize, file: &std::path::Path) {
    block_on(async {
        let engine = Engine::builder().path(file).cache_bytes(cache_bytes).open().await.expect("it opens");
        let handle = engine.start("download", fetch(bytes)).await.expect("it starts");
        let (counted, body) = handle.result().await.expect("it ends");
        assert_eq!((counted, body.len()), (bytes, bytes));
        engine.shutdown(Duration::from_secs(10)).await.expect("it stops");
    });
    child::say(&[&peak_bytes()]);
}

#[test]
fn a_large_payload_takes_a_few_times_its_size() {
    const TEST: &str = "large::a_large_payload_takes_a_few_times_its_size";
    // Every value is encoded twice and compared in debug builds, which takes a while.
    const BYTES: usize = if cfg!(debug_assertions) { 32 << 20 } else { 100 << 20 };
    if let Some((job, file)) = child::job() {
        let (bytes, cache_bytes) = job.split_once(' ').expect("there are two numbers");
        let number = |text: &str| text.parse().expect("it is a number");
        return fetches(number(bytes), number(cache_bytes), &file);
    }
    let directory = tempfile::tempdir().expect("there is room");
    let peak = |bytes: usize, cache_bytes: usize| {
        let job = format!("{bytes} {cache_bytes}");
        child::measured(TEST, &job, &directory.path().join(format!("{job}.redb")))[0]
    };
    if !cfg!(debug_assertions) {
        let default = Options::default().cache_bytes;
        let whole = peak(BYTES, default) as f64 / BYTES as f64;
        println!(
            "{} MiB: {whole:.1} times with the default cache of {} MiB and all",
            BYTES >> 20,
            default >> 20
        );
    }
    let began = Instant::now();
    let (without, with) = (peak(1, CACHE), peak(BYTES, CACHE));
    let times = with.saturating_sub(without) as f64 / BYTES as f64;
    println!(
        "{} MiB fetched, handed on and returned: {} MB at most, {times:.1} times the payload and {} MB that the process takes anyway; {:.1} s",
        BYTES >> 20,
        with >> 20,
        without >> 20,
        began.elapsed().as_secs_f64()
    );
    if cfg!(target_os = "linux") {
        assert!(times > 1.0, "it was not measured");
        // A debug build writes each record twice, to see that what is not written has not changed.
        assert!(times < 8.0, "{times:.1} times the payload");
    }
}

#[derive(Debug, Serialize, Deserialize, Update)]
#[update(output = usize)]
struct Measure;

/// Keeps a text, and says how long it is to whoever asks.
#[workflow]
async fn keeper(text: String) -> usize {
    loop {
        recv_update::<Measure>().await.reply(text.len());
    }
}

const KEPT: usize = 1 << 20;

async fn asked_at_once(engine: &Engine, many: u64) {
    let ask = |n| engine.update(format!("keeper-{n}"), Measure).into_future();
    for answer in futures::future::join_all((0..many).map(ask)).await {
        assert_eq!(answer.expect("it answers"), KEPT);
    }
}

/// In a process of its own: asks so many keepers at once.
fn asks(many: u64, file: &std::path::Path) {
    block_on(async {
        let engine = Engine::builder().path(file).cache_bytes(CACHE).open().await.expect("it opens");
        for _ in 0..2 {
            asked_at_once(&engine, many).await;
        }
        engine.shutdown(Duration::from_secs(10)).await.expect("it stops");
    });
    child::say(&[&peak_bytes()]);
}

/// Opened by the test.
#[activity]
async fn measured(State(gate): State<tokio::sync::Semaphore>, text: String) -> usize {
    gate.acquire().await.expect("it is never closed").forget();
    text.len()
}

#[workflow]
async fn stands_in_line(text: String) -> usize {
    measured(text.clone()).await + text.len()
}

/// In a process of its own: so many instances have a call that waits for its turn.
fn stand_in_line(many: u64, file: &std::path::Path) {
    block_on(async {
        let gate = std::sync::Arc::new(tokio::sync::Semaphore::new(0));
        let engine = Engine::builder().path(file).cache_bytes(CACHE).max_concurrent_activities(1);
        let engine = engine.state_arc(gate.clone()).open().await.expect("it opens");
        let mut all = Vec::new();
        for n in 0..many {
            let text = char::from(b'a' + (n % 26) as u8).to_string().repeat(KEPT);
            all.push(engine.start(format!("in-line-{n}"), stands_in_line(text)).await.expect("it starts"));
        }
        gate.add_permits(many as usize);
        for handle in all {
            assert_eq!(handle.result().await.expect("it ends"), 2 * KEPT);
        }
        engine.shutdown(Duration::from_secs(10)).await.expect("it stops");
    });
    child::say(&[&peak_bytes()]);
}

/// Those whose activities wait for their turn have their records and their calls in memory, up to a limit in bytes.
#[test]
fn large_instances_that_wait_for_their_turn_are_in_memory_up_to_a_limit() {
    const TEST: &str = "large::large_instances_that_wait_for_their_turn_are_in_memory_up_to_a_limit";
    const MANY: u64 = 150;
    if let Some((many, file)) = child::job() {
        return stand_in_line(many.parse().expect("it is a number"), &file);
    }
    let directory = tempfile::tempdir().expect("there is room");
    let peak = |many: u64| {
        child::measured(TEST, &many.to_string(), &directory.path().join(format!("{many}.redb")))[0]
    };
    let above = peak(MANY).saturating_sub(peak(1)) >> 20;
    println!("{MANY} instances of 2 MiB that wait for their turn take {above} MiB more than 1");
    if cfg!(target_os = "linux") {
        assert!(above > 32, "they are not in memory at all");
        assert!(above < 250, "{above} MiB for {MANY} instances of 2 MiB");
    }
}

/// Each keeps a megabyte. What is read, made and written at once has a limit in bytes, whoever has something to do.
#[test]
fn many_large_instances_at_once_take_no_more_memory_than_some() {
    const TEST: &str = "large::many_large_instances_at_once_take_no_more_memory_than_some";
    const MANY: u64 = 240;
    if let Some((many, file)) = child::job() {
        return asks(many.parse().expect("it is a number"), &file);
    }
    let directory = tempfile::tempdir().expect("there is room");
    let file = directory.path().join("keepers.redb");
    block_on(async {
        let engine = Engine::open(&file).await.expect("it opens");
        for n in 0..MANY {
            let text = char::from(b'a' + (n % 26) as u8).to_string().repeat(KEPT);
            engine.start(format!("keeper-{n}"), keeper(text)).await.expect("it starts");
        }
        engine.shutdown(Duration::from_secs(10)).await.expect("it stops");
    });
    let peak = |many: u64| child::measured(TEST, &many.to_string(), &file)[0];
    let (few, some, all) = (peak(1), peak(MANY / 5), peak(MANY));
    let above = |peak: u64| peak.saturating_sub(few) >> 20;
    println!(
        "asked at once, besides what 1 takes: {} of 1 MiB take {} MiB, {MANY} take {} MiB",
        MANY / 5,
        above(some),
        above(all)
    );
    if cfg!(target_os = "linux") {
        assert!(above(all) > 1, "it was not measured");
        assert!(above(all) < 250, "{} MiB for {MANY} instances of 1 MiB", above(all));
    }
}
