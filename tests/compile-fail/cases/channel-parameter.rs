//! A sender as a parameter.
use durable::prelude::*;
use shop::*;
use std::sync::mpsc::Sender;

#[workflow]
//~ error[E0277] at `#[workflow]`
//~ error[E0277] at `#[workflow]`
async fn wrong(sku: String, prices: Sender<u64>) -> u64 {
//~ error[E0277] at `prices`
    let price = price(&sku).await;
    prices.send(price).unwrap();
    price
}
