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
    //~ error[E0277] at `line`: `Line<'_>` can't be kept over an await, because it can't be stored
    //~ see docs/errors/not-storable.md
    let price = price(&sku).await;
    price + line.sku.len() as u64
}
