//! A list of borrowed texts.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(skus: Vec<String>) -> u64 {
    let short: Vec<_> = skus.iter().map(|sku| &sku[..1]).collect();
    //~ error[E0277] at `short`: a reference to text (`Vec<&str>`) can't be kept over an await
    //~ see docs/errors/borrow.md
    let price = price(&skus[0]).await;
    price + short.len() as u64
}
