//! A branch that a crash would lose.
use durable::prelude::*;
use shop::*;
use std::time::Duration;

#[workflow]
async fn wrong() -> usize {
    select! {
        page = fetch("prices") => page.len(),
        _ = sleep(Duration::from_secs(1)) => 0,
    }
}
