//! An await of a receiver.
use durable::prelude::*;
use shop::*;
use tokio::sync::oneshot;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let (tx, waits) = oneshot::channel::<u64>();
    //~ error[E0277] at `tx`
    //~ error[E0277] at `waits`
    tx.send(price(&sku).await).unwrap();
    waits.await.unwrap()
    //~ error[E0277] at `waits`
}
