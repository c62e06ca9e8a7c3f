//! A sender of tokio's.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let (tx, _rx) = tokio::sync::mpsc::channel(1);
    //~ error[E0277] at `tx`: an end of a channel (`tokio::sync::mpsc::Sender<_>`) can't be kept over an await: the channel is gone when the process stops
    //~ see docs/errors/channel.md
    let price = price(&sku).await;
    tx.try_send(price).unwrap();
    price
}
