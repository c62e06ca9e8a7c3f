//! An async closure that awaits nothing, kept.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let later = async || 1u64;
    //~ error at `async || 1u64`: this closure is still needed after the await of `price` in line 11, and can't be made again there: its code can't be stored
    //~ help: make it a nested `fn` that takes what it captures, or write it again after the await
    //~ see docs/errors/closure.md
    let price = price(&sku).await;
    drop(later);
    price
}
