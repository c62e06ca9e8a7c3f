//! A thread's handle.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let worker = std::thread::spawn(|| 1);
    //~ error[E0277] at `worker`
    let price = price(&sku).await;
    price + worker.join().unwrap()
}
