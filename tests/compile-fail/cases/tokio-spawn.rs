//! `tokio::spawn`, with an await in the task: one mistake.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    tokio::spawn(async move { fetch("log").await });
    //~ error at `spawn`: `tokio::spawn` is not durable: the task is lost in a crash
    //~ help: do the work in an `#[activity]` and spawn its call: `durable::spawn(work())`
    //~ see docs/errors/foreign-spawn.md
    price(&sku).await
}
