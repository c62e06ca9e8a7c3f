//! Both ends of a channel: two variables, two errors.
use durable::prelude::*;
use shop::*;
use std::sync::mpsc::channel;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let (tx, rx) = channel();
    //~ error[E0277] at `tx`: an end of a channel (`std::sync::mpsc::Sender<_>`) can't be kept over an await: the channel is gone when the process stops
    //~ see docs/errors/channel.md
    //~ error[E0277] at `rx`: an end of a channel (`std::sync::mpsc::Receiver<_>`) can't be kept over an await: the channel is gone when the process stops
    //~ see docs/errors/channel.md
    let price = price(&sku).await;
    tx.send(price).unwrap();
    rx.recv().unwrap()
}
