//! A branch that a crash would lose.
use durable::prelude::*;
use shop::*;
use std::time::Duration;

#[workflow]
async fn wrong() -> usize {
    select! {
        page = fetch("prices") => page.len(),
        //~ error[E0277] at `fetch("prices")`: `impl Future<Output = String>` can't be awaited in a workflow
        //~ see docs/errors/await-not-durable.md
        _ = sleep(Duration::from_secs(1)) => 0,
    }
}
