//! Tasks of tokio's.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let mut tasks = tokio::task::JoinSet::new();
    //~ error at `new`: `tokio::task::JoinSet::new` is not durable: its tasks are lost in a crash
    //~ help: use `durable::JoinSet`, and spawn the calls of activities and workflows in it
    //~ see docs/errors/foreign-spawn.md
    tasks.spawn(async { 1 });
    let price = price(&sku).await;
    price + tasks.len() as u64
}
