//! A struct that borrows.
use durable::prelude::*;
use shop::*;

#[derive(serde::Serialize)]
struct Line<'a> {
    sku: &'a str,
}

#[workflow]
async fn wrong(sku: String) -> u64 {
    let line = Line { sku: &sku };
    //~ error[E0277] at `line`
    let price = price(&sku).await;
    price + line.sku.len() as u64
}
