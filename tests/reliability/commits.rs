//! What a step costs: one commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use durable::prelude::*;
use durable::store::{MemoryImage, RedbStore, Store};

use crate::watched::Watched;
use crate::{block_on, times};

/// The opening commits what the build is made of, and the start commits the instance.
const BESIDES: u64 = 2;

#[activity(retry(initial = "1ms", backoff = 1.0, jitter = 0.0))]
async fn add(context: ActivityContext, sum: u64, failures: u32) -> Result<u64, Error> {
    ensure!(context.attempt() > failures, "attempt {} fails on purpose", context.attempt());
    Ok(sum + 1)
}

#[workflow]
async fn count(steps: u64, failures: u32) -> Result<u64, Error> {
    let mut sum = 0;
    while sum < steps {
        sum = add(sum, failures).await?;
    }
    Ok(sum)
}

/// Runs one workflow alone; answers with the number of commits.
fn commits_of(steps: u64, failures: u32) -> u64 {
    let commits = Arc::new(AtomicU64::new(0));
    let counted = commits.clone();
    let store = RedbStore::open_image(&MemoryImage::new()).expect("an empty image opens");
    let store = Watched::new(store, move |store, batch| {
        counted.fetch_add(1, Ordering::Relaxed);
        store.commit(batch)
    });
    block_on(async {
        let engine = Engine::builder().store(store).open().await.expect("the engine opens");
        let handle = engine.start("alone", count(steps, failures)).await.expect("it starts");
        let sum = handle.result().await.expect("it ends").expect("it ends well");
        assert_eq!(sum, steps);
        engine.shutdown(Duration::from_secs(10)).await.expect("the engine stops");
    });
    commits.load(Ordering::Relaxed)
}

#[test]
fn a_step_is_one_commit() {
    let steps = times(10_000);
    let commits = commits_of(steps, 0);
    println!("{steps} steps of a lone workflow: {commits} commits");
    assert!((steps..=steps + BESIDES).contains(&commits), "{commits} commits for {steps} steps");
}

/// The control: what commits more than its steps is noticed. A failed attempt is a commit of its
/// own, because a crash must not forget it.
#[test]
fn a_failed_attempt_is_counted_as_a_commit() {
    let commits = commits_of(100, 1);
    assert!((200..=200 + BESIDES).contains(&commits), "{commits} commits for 100 steps and 100 failures");
}
