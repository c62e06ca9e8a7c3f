//! A look-up in a type that is not of the standard library.
use durable::prelude::*;
use shop::*;

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Sizes(u64);

impl Sizes {
    fn get(&self, sku: &str) -> u64 {
        self.0 + sku.len() as u64
    }
}

#[workflow]
async fn wrong(sku: String) -> u64 {
    let sizes = Sizes(3);
    let size = sizes.get("a");
    //~ error[E0277] at `get`: what this call gives is needed after an await and can't be kept: it may be another value when `Sizes` is asked again
    //~ see docs/errors/borrow.md
    let price = price(&sku).await;
    price + size
}
