//! There is nothing to try.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(skus: Vec<String>) -> Result<u64, Error> {
    let prices = skus.iter().map(|sku| price(sku)).collect::<Vec<_>>();
    Ok(prices.try_join().await?.iter().sum())
}
