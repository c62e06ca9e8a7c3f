//! A trait object that a function gives.
use durable::prelude::*;
use shop::*;

fn tariff() -> Box<dyn Fn(u64) -> u64> {
    Box::new(|price| price)
}

#[workflow]
async fn wrong(sku: String) -> u64 {
    let tariff = tariff();
    //~ error[E0277] at `tariff`
    let price = price(&sku).await;
    tariff(price)
}
