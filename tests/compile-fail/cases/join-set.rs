//! Tasks of tokio's.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let mut tasks = tokio::task::JoinSet::new();
    //~ error[E0277] at `tasks`: the handle of a thread or task (`JoinSet<_>`) can't be kept over an await: the thread is gone when the process stops
    //~ see docs/errors/join-handle.md
    tasks.spawn(async { 1 });
    let price = price(&sku).await;
    price + tasks.len() as u64
}
