//! A type error.
use durable::prelude::*;
use shop::*;
use std::time::Instant;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let n = fetch(&sku).await;
    n.len() as u64
}
