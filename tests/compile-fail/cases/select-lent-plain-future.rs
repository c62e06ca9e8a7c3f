//! What is lent is durable.
use durable::prelude::*;
use shop::*;
use std::time::Duration;

#[workflow]
async fn wrong() -> usize {
    let mut page = fetch("prices");
    select! {
        page = &mut page => page.len(),
        _ = sleep(Duration::from_secs(1)) => 0,
    }
}
