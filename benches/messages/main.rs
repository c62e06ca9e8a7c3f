//! What a signal costs: many to many instances, and to one with few and with many waiting before it.
//!
//! `cargo bench --bench messages`
//!
//! A signal is acknowledged when it is durable, and each sender waits for that before it sends the next one. All take turns within one
//! run, on one disk.

#[path = "../common/mod.rs"]
mod common;

use std::time::{Duration, Instant};

use common::{Cost, Counting, Dir, line, ratio, runtime};
use durable::{Engine, prelude::*};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Signal)]
struct Letter(u64);

#[derive(Serialize, Deserialize, Signal)]
struct Open;

/// Adds up so many letters, as they come.
#[workflow]
async fn reader(letters: u64) -> u64 {
    let mut sum = 0;
    for _ in 0..letters {
        sum += recv::<Letter>().await.0;
    }
    sum
}

/// Leaves them lying until it is told.
#[workflow]
async fn late_reader(letters: u64) -> u64 {
    recv::<Open>().await;
    let mut sum = 0;
    for _ in 0..letters {
        sum += recv::<Letter>().await.0;
    }
    sum
}

const ROUNDS: usize = 3;
const INSTANCES: u64 = 1_000;
const LETTERS: u64 = 100;
const SENDERS: u64 = 200;
/// What waits in one mailbox.
const FEW: u64 = 10;
const MANY: u64 = 10_000;

async fn open(dir: &Dir) -> (std::sync::Arc<Counting>, Engine) {
    let store = Counting::create(&dir.file("messages.redb"));
    let engine = Engine::builder().store(store.clone()).open().await.expect("the engine opens");
    (store, engine)
}

/// 100,000 signals to 1,000 instances, from the first to the last result.
async fn crowd(dir: &Dir) -> Cost {
    let (store, engine) = open(dir).await;
    let mut handles = Vec::new();
    for n in 0..INSTANCES {
        handles.push(engine.start(format!("reader-{n}"), reader(LETTERS)).await.expect("it starts"));
    }
    store.take();
    let began = Instant::now();
    let mut sending = tokio::task::JoinSet::new();
    for sender in 0..SENDERS {
        let engine = engine.clone();
        sending.spawn(async move {
            for letter in 0..LETTERS {
                for to in (sender..INSTANCES).step_by(SENDERS as usize) {
                    let sent = engine.signal(format!("reader-{to}"), Letter(letter)).await;
                    sent.expect("it is received");
                }
            }
        });
    }
    while let Some(sent) = sending.join_next().await {
        sent.expect("no panic");
    }
    for handle in handles {
        assert_eq!(handle.result().await.expect("it ends"), LETTERS * (LETTERS - 1) / 2);
    }
    let cost = Cost::of(INSTANCES * LETTERS, began.elapsed(), store.take());
    engine.shutdown(Duration::from_secs(10)).await.expect("it stops");
    cost
}

/// So many letters to each of as many instances as it takes for 10,000 in all; then all are read. Gives what sending and reading cost.
async fn piles(dir: &Dir, letters: u64) -> (Cost, Cost) {
    let (store, engine) = open(dir).await;
    let instances = MANY / letters;
    let mut handles = Vec::new();
    for n in 0..instances {
        handles.push(engine.start(format!("reader-{n}"), late_reader(letters)).await.expect("it starts"));
    }
    store.take();
    let began = Instant::now();
    let mut sending = tokio::task::JoinSet::new();
    for sender in 0..SENDERS {
        let engine = engine.clone();
        sending.spawn(async move {
            // Each letter has a place in the row of all; instances take turns.
            for place in (sender..MANY).step_by(SENDERS as usize) {
                let (to, letter) = (place % instances, place / instances);
                engine.signal(format!("reader-{to}"), Letter(letter)).await.expect("it is received");
            }
        });
    }
    while let Some(sent) = sending.join_next().await {
        sent.expect("no panic");
    }
    let sending = Cost::of(MANY, began.elapsed(), store.take());
    let began = Instant::now();
    let mut opening = tokio::task::JoinSet::new();
    for handle in handles {
        opening.spawn(async move {
            handle.signal(Open).await.expect("it is received");
            assert_eq!(handle.result().await.expect("it ends"), letters * (letters - 1) / 2);
        });
    }
    while let Some(read) = opening.join_next().await {
        read.expect("no panic");
    }
    let reading = Cost::of(MANY, began.elapsed(), store.take());
    engine.shutdown(Duration::from_secs(10)).await.expect("it stops");
    (sending, reading)
}

fn main() {
    let runtime = runtime();
    let dir = Dir::new("messages");
    let mut crowds = Vec::new();
    let (mut sent, mut read) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
    for _ in 0..ROUNDS {
        crowds.push(runtime.block_on(crowd(&dir)));
        for (at, letters) in [FEW, MANY].into_iter().enumerate() {
            let (sending, reading) = runtime.block_on(piles(&dir, letters));
            sent[at].push(sending);
            read[at].push(reading);
        }
    }
    println!("medians of {ROUNDS} rounds, per signal");
    line(&format!("{} to {INSTANCES} instances", INSTANCES * LETTERS), &crowds);
    for (at, letters) in [FEW, MANY].into_iter().enumerate() {
        line(&format!("sent, up to {letters} wait"), &sent[at]);
        line(&format!("read, of {letters} that wait"), &read[at]);
    }
    ratio(&format!("sent to {MANY} against to {FEW}"), &sent[1], &sent[0]);
    ratio(&format!("read of {MANY} against of {FEW}"), &read[1], &read[0]);
}
