//! Attempts that keep their thread: no other attempt waits for them.

use std::{
    sync::{Arc, Condvar, Mutex},
    time::Duration,
};

use durable::prelude::*;

const MANY: u32 = 64;
/// As many at once as no two threads can run.
const FEW: u32 = 6;

/// Counts who has come.
#[derive(Default)]
struct Gate {
    come: Mutex<u32>,
    changed: Condvar,
}

impl Gate {
    fn come(&self) {
        *self.come.lock().unwrap() += 1;
        self.changed.notify_all();
    }

    /// Keeps the thread until so many have come; gives whether they did.
    fn has_seen(&self, all: u32) -> bool {
        let come = self.come.lock().unwrap();
        let is_missing = |come: &mut u32| *come < all;
        let (come, _) = self.changed.wait_timeout_while(come, Duration::from_secs(20), is_missing).unwrap();
        *come >= all
    }
}

/// The first one waits for all the others, which are begun with it, without giving its thread back.
#[activity]
async fn goes_by(State(gate): State<Gate>, n: u32) -> bool {
    if n == 0 {
        return gate.has_seen(MANY - 1);
    }
    gate.come();
    true
}

#[workflow]
async fn all_go_by() -> Vec<bool> {
    (0..MANY).map(goes_by).collect::<Vec<_>>().join().await
}

/// Each waits for all the others and says that it keeps its thread.
#[activity]
async fn blocks_in_turn(State(gate): State<Gate>, n: u32) -> bool {
    gate.come();
    tokio::task::block_in_place(|| gate.has_seen(FEW)) && n < FEW
}

#[workflow]
async fn all_block() -> Vec<bool> {
    (0..FEW).map(blocks_in_turn).collect::<Vec<_>>().join().await
}

/// So many calls end at once before one that does not: by then the engine takes the activity for a quick one.
const QUICK: u32 = 50;

/// Ends at once, until the last call keeps its thread until somebody has come.
#[activity]
async fn keeps_at_last(State(gate): State<Gate>, n: u32) -> bool {
    n < QUICK || gate.has_seen(1)
}

#[workflow]
async fn keep_at_last() -> bool {
    let mut all = true;
    for n in 0..=QUICK {
        all &= keeps_at_last(n).await;
    }
    all
}

#[activity]
async fn come(State(gate): State<Gate>) {
    gate.come();
}

#[workflow]
async fn come_at_last() {
    for n in 0..QUICK {
        let _ = keeps_at_last(n).await;
    }
    come().await;
}

/// Ends at once, until the last call waits for a timer and for a task of the runtime.
#[activity]
async fn waits_at_last(n: u32) -> bool {
    let runtime = tokio::runtime::Handle::try_current();
    if n == QUICK {
        tokio::time::sleep(Duration::from_millis(5)).await;
        return tokio::spawn(async move { n == QUICK }).await.unwrap();
    }
    runtime.is_ok()
}

#[workflow]
async fn wait_at_last() -> bool {
    let mut all = true;
    for n in 0..=QUICK {
        all &= waits_at_last(n).await;
    }
    all
}

async fn engine(directory: &tempfile::TempDir) -> Engine {
    let path = directory.path().join("threads.redb");
    Engine::builder().path(path).state_arc(Arc::new(Gate::default())).open().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_attempt_that_keeps_its_thread_does_not_keep_those_that_began_with_it() {
    let directory = tempfile::tempdir().unwrap();
    let engine = engine(&directory).await;
    let seen = engine.run(all_go_by()).await.unwrap();
    assert!(seen.iter().all(|seen| *seen), "the others waited for the first one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attempts_that_give_their_turn_away_to_block_all_run_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let engine = engine(&directory).await;
    let seen = engine.run(all_block()).await.unwrap();
    assert!(seen.iter().all(|seen| *seen), "some were not begun before others had ended");
}

// The runtime has threads for all of them: where an attempt was polled first must make no difference.
#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn an_activity_that_has_always_ended_at_once_may_keep_its_thread_after_all() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("threads.redb");
    let builder = Engine::builder().path(path).state_arc(Arc::new(Gate::default()));
    let engine = builder.step_timeout(Duration::from_millis(200)).open().await.unwrap();
    // More than the engine has threads of its own.
    let mut keeping = Vec::new();
    for n in 0..FEW {
        keeping.push(engine.start(format!("keeps-{n}"), keep_at_last()).await.unwrap());
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let comes = tokio::time::timeout(Duration::from_secs(15), engine.run(come_at_last()));
    comes.await.expect("nothing holds the engine up").unwrap();
    for handle in keeping {
        assert!(handle.result().await.unwrap(), "somebody came while it kept its thread");
    }
}

#[tokio::test]
async fn an_activity_that_has_always_ended_at_once_may_wait_after_all() {
    let directory = tempfile::tempdir().unwrap();
    let engine = engine(&directory).await;
    assert!(engine.run(wait_at_last()).await.unwrap(), "each attempt is in the runtime's context");
}
