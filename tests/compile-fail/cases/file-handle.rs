//! A file that is open over an await.
use durable::prelude::*;
use shop::*;
use std::fs::File;
use std::io::Write;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let mut file = File::create("prices").unwrap();
    //~ error[E0277] at `file`
    let price = price(&sku).await;
    writeln!(file, "{price}").unwrap();
    price
}
