//! A oneshot's sender.
use durable::prelude::*;
use shop::*;
use tokio::sync::oneshot;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let (done, _waits) = oneshot::channel();
    //~ error[E0277] at `done`
    let price = price(&sku).await;
    done.send(price).unwrap();
    price
}
