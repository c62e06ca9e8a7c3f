//! A research agent: 400 pages read with at most 20 at once, 12 tools of which 3 may run at once, three days for an editor
//! to answer, and its notes intact through a power cut.
//!
//! ```text
//! cargo run --example fan_out
//! ```
//!
//! The engine runs in memory on a clock that skips, so that the three days take no time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use durable::prelude::*;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

const PAGES: u32 = 400;
const AT_ONCE: usize = 20;
const TOOLS: u32 = 12;
const DAY: Duration = Duration::from_secs(86_400);

/// What the program can see of its own doing.
#[derive(Clone)]
struct World(Arc<Counts>);

struct Counts {
    reading: AtomicUsize,
    most_reading: AtomicUsize,
    read: AtomicUsize,
    using: AtomicUsize,
    most_using: AtomicUsize,
    /// Pages behind the first 200 wait here until the power is back.
    blocked: AtomicUsize,
    power: Semaphore,
}

/// Somebody has read the draft.
#[derive(Serialize, Deserialize, Signal)]
struct Answer(String);

#[activity(retry(initial = "10s", max_interval = "10s"))]
async fn read_page(State(world): State<World>, page: u32) -> Result<String, Error> {
    let counts = &world.0;
    ensure!(page % 150 != 7, "page {page} does not answer");
    if page >= PAGES / 2 {
        counts.blocked.fetch_add(1, Ordering::SeqCst);
        let _power = counts.power.acquire().await?;
    }
    counts.most_reading.fetch_max(counts.reading.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
    tokio::task::yield_now().await;
    counts.reading.fetch_sub(1, Ordering::SeqCst);
    counts.read.fetch_add(1, Ordering::SeqCst);
    Ok(format!("page {page}"))
}

/// A tool whose provider allows three calls at a time, over all instances.
#[activity(limit = 3)]
async fn use_tool(State(world): State<World>, tool: u32, notes: usize) -> String {
    let counts = &world.0;
    counts.most_using.fetch_max(counts.using.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(20)).await;
    counts.using.fetch_sub(1, Ordering::SeqCst);
    format!("tool {tool} has seen {notes} notes")
}

/// A page has a minute, with all its attempts.
#[workflow]
async fn read_in_time(page: u32) -> Option<String> {
    read_page(page).timeout(Duration::from_secs(60)).await.ok()?.ok()
}

#[workflow]
async fn research(question: String) -> Vec<String> {
    let mut notes = vec![question];
    let mut given_up = 0;
    let mut reading = JoinSet::new();
    let mut page = 0;
    while page < PAGES || !reading.is_empty() {
        while page < PAGES && reading.len() < AT_ONCE {
            reading.spawn(read_in_time(page));
            page += 1;
        }
        match reading.join_next().await {
            Some(Some(note)) => notes.push(note),
            Some(None) => given_up += 1,
            None => break,
        }
    }
    notes.push(format!("{given_up} of {PAGES} pages were too slow and were given up"));
    let tools: Vec<_> = (0..TOOLS).map(|tool| use_tool(tool, notes.len())).collect();
    notes.extend(tools.join().await);
    select! {
        answer = recv::<Answer>() => notes.push(answer.0),
        _ = sleep(3 * DAY) => notes.push("nobody answered in 3 days, so it was published as it is".into()),
    }
    notes
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let world = World(Arc::new(Counts {
        reading: AtomicUsize::new(0),
        most_reading: AtomicUsize::new(0),
        read: AtomicUsize::new(0),
        using: AtomicUsize::new(0),
        most_using: AtomicUsize::new(0),
        blocked: AtomicUsize::new(0),
        power: Semaphore::new(0),
    }));
    let counts = &world.0;
    let engine = durable::testing::engine().state(world.clone()).open().await;
    engine.start("thesis", research("what is durable?".into())).await?;

    // Two of the first 200 pages never answer and keep their places; all other places are taken by blocked pages.
    while counts.blocked.load(Ordering::SeqCst) < AT_ONCE - 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let description = engine.handle("thesis").describe().await?;
    let waiting = description.waiting.as_ref().map_or("nothing", |waiting| &waiting.on);
    println!("198 pages are read; the instance waits on {waiting}");
    for frame in description.frames.iter().take(1) {
        println!("at {}:{}", frame.file, frame.line);
    }
    let engine = engine.crash_and_reopen().await;
    println!("the engine was killed and opened again with {} pages read", counts.read.load(Ordering::SeqCst));
    counts.power.add_permits(Semaphore::MAX_PERMITS / 2);

    let began = engine.now();
    let notes = engine.handle("thesis").of(research).result().await?;
    println!("{} notes; the first is {:?}", notes.len(), notes[0]);
    for note in notes.iter().filter(|note| !note.starts_with("page")).skip(1) {
        println!("  {note}");
    }
    println!(
        "at most {AT_ONCE} at once were read, and {} tools were in use",
        counts.most_using.load(Ordering::SeqCst)
    );
    assert!(counts.most_reading.load(Ordering::SeqCst) <= AT_ONCE);
    assert_eq!(counts.read.load(Ordering::SeqCst), PAGES as usize - 3);
    println!(
        "no page was read twice; {} days have passed",
        engine.now().duration_since(began)?.as_secs() / 86_400
    );
    Ok(())
}
