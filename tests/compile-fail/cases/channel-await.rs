//! An await of a receiver.
use durable::prelude::*;
use shop::*;
use tokio::sync::oneshot;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let (tx, waits) = oneshot::channel::<u64>();
    //~ error[E0277] at `tx`: an end of a channel (`tokio::sync::oneshot::Sender<u64>`) can't be kept over an await: the channel is gone when the process stops
    //~ see docs/errors/channel.md
    //~ error[E0277] at `waits`: an end of a channel (`tokio::sync::oneshot::Receiver<u64>`) can't be kept over an await: the channel is gone when the process stops
    //~ see docs/errors/channel.md
    tx.send(price(&sku).await).unwrap();
    waits.await.unwrap()
    //~ error[E0277] at `waits`: `tokio::sync::oneshot::Receiver<u64>` can't be awaited in a workflow
    //~ see docs/errors/await-not-durable.md
}
