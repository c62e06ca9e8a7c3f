//! An await of a receiver.
use durable::prelude::*;
use shop::*;
use tokio::sync::oneshot;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let price = price(&sku).await;
    let (tx, waits) = oneshot::channel::<u64>();
    tx.send(price).unwrap();
    waits.await.unwrap()
    //~ error[E0277] at `waits`: `tokio::sync::oneshot::Receiver<u64>` can't be awaited in a workflow
    //~ see docs/errors/await-not-durable.md
}
