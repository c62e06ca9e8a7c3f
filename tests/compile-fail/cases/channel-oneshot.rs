//! A oneshot's sender.
use durable::prelude::*;
use shop::*;
use tokio::sync::oneshot;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let (done, _waits) = oneshot::channel();
    //~ error[E0277] at `done`: an end of a channel (`tokio::sync::oneshot::Sender<_>`) can't be kept over an await: the channel is gone when the process stops
    //~ see docs/errors/channel.md
    let price = price(&sku).await;
    done.send(price).unwrap();
    price
}
