//! A generic parameter that says nothing of itself.
use durable::prelude::*;
use shop::*;

#[workflow]
//~ error[E0277] at `#[workflow]`
//~ error[E0277] at `#[workflow]`
//~ error[E0310] at `` (2)
//~ error[E0310] at `` (2)
//~ error[E0310] at `#[workflow]`
//~ error[E0310] at `#[workflow]`
async fn wrong<T>(sku: String, thing: T) -> u64 {
//~ error[E0277] at `thing`
    let price = price(&sku).await;
    drop(thing);
    price
}
