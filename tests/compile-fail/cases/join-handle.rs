//! A thread's handle.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let worker = std::thread::spawn(|| 1);
    //~ error[E0277] at `worker`: the handle of a thread or task (`JoinHandle<{integer}>`) can't be kept over an await: the thread is gone when the process stops
    //~ see docs/errors/join-handle.md
    let price = price(&sku).await;
    price + worker.join().unwrap()
}
