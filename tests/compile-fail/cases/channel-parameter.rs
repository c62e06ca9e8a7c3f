//! A sender as a parameter.
use durable::prelude::*;
use shop::*;
use std::sync::mpsc::Sender;

#[workflow]
async fn wrong(sku: String, prices: Sender<u64>) -> u64 {
//~ error[E0277] at `Sender<u64>`: `std::sync::mpsc::Sender<u64>` can't be an argument of a workflow, because it can't be stored
//~ see docs/errors/not-storable.md
    let price = price(&sku).await;
    prices.send(price).unwrap();
    price
}
