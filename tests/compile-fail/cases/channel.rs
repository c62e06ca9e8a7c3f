//! Both ends of a channel: two variables, two errors.
use durable::prelude::*;
use shop::*;
use std::sync::mpsc::channel;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let (tx, rx) = channel();
    //~ error[E0277] at `tx`
    //~ error[E0277] at `rx`
    let price = price(&sku).await;
    tx.send(price).unwrap();
    rx.recv().unwrap()
}
