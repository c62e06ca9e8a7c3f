//! Only what is durable has a time-out.
use durable::prelude::*;
use shop::*;
use std::time::Duration;

#[workflow]
async fn wrong() -> usize {
    fetch("prices").timeout(Duration::from_secs(1)).await.map_or(0, |page| page.len())
    //~ error[E0599] at `timeout`: `impl Future<Output = String>` can't be awaited in a workflow
    //~ see docs/errors/await-not-durable.md
}
