//! A boxed trait object, by its annotation.
use durable::prelude::*;
use shop::*;

trait Tariff {
    fn total(&self, price: u64) -> u64;
}

struct Flat;

impl Tariff for Flat {
    fn total(&self, price: u64) -> u64 {
        price
    }
}

#[workflow]
async fn wrong(sku: String) -> u64 {
    let tariff: Box<dyn Tariff> = Box::new(Flat);
    //~ error[E0277] at `tariff`
    let price = price(&sku).await;
    tariff.total(price)
}
