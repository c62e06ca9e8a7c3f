//! A branch that is awaited before the `select!` is.
use durable::prelude::*;
use shop::*;
use std::time::Duration;

#[workflow]
async fn wrong(sku: String) -> u64 {
    select! {
        cents = price(&sku).await => cents,
        //~ error at `await`: a branch of a `select!` awaits its operation itself
        //~ help: leave out the `.await`
        //~ see docs/errors/select.md
        _ = sleep(Duration::from_secs(1)) => 0,
    }
}
