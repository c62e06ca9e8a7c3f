//! What the engine is made to do while things go wrong: chains of activities with timers and
//! retries in between, whose results show which attempt of which step was counted.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use durable::prelude::*;

use crate::journal::Entry;

/// Where attempts are written down, and what gives each of them a value of its own.
pub(crate) struct World {
    next_value: AtomicU64,
    write: Box<dyn Fn(Entry) + Send + Sync>,
}

impl World {
    /// A world whose values begin with `first_value`; two worlds of one history must not share any.
    pub(crate) fn new(first_value: u64, write: impl Fn(Entry) + Send + Sync + 'static) -> Self {
        World { next_value: AtomicU64::new(first_value), write: Box::new(write) }
    }
}

/// How many attempts a step takes: every fourth fails twice.
pub(crate) fn attempts(step: u32) -> u32 {
    if step % 4 == 2 { 3 } else { 1 }
}

/// The id of a chain.
pub(crate) fn id(chain: u64) -> String {
    format!("chain-{chain}")
}

/// The chain with an id.
pub(crate) fn number(id: &str) -> Option<u64> {
    id.strip_prefix("chain-")?.parse().ok()
}

/// One step: an attempt is written down before it does anything that could be repeated.
#[activity(retry(initial = "2ms", backoff = 1.0, jitter = 0.0))]
async fn work(
    State(world): State<World>,
    context: ActivityContext,
    chain: u64,
    step: u32,
) -> Result<u64, Error> {
    let value = world.next_value.fetch_add(1, Ordering::Relaxed);
    (world.write)(Entry {
        chain,
        step,
        attempt: context.attempt(),
        key: context.idempotency_key().bits(),
        value,
    });
    // Long enough to be cut off in, and not equally long for all.
    tokio::time::sleep(Duration::from_millis((chain + u64::from(step)) % 3)).await;
    ensure!(context.attempt() >= attempts(step), "attempt {} fails on purpose", context.attempt());
    Ok(value)
}

/// `steps` steps one after another, some with a pause behind them. The result holds the value of
/// each step's counted attempt: a step that was lost, doubled or taken from another attempt shows.
#[workflow]
pub(crate) async fn chain(chain: u64, steps: u32) -> Result<Vec<u64>, Error> {
    let mut values = Vec::new();
    for step in 0..steps {
        let value = work(chain, step).await?;
        values.push(value);
        if step % 3 == 1 {
            sleep(Duration::from_millis(2)).await;
        }
    }
    Ok(values)
}
