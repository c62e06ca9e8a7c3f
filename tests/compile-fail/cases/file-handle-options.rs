//! A file from `OpenOptions`.
use durable::prelude::*;
use shop::*;
use std::fs::OpenOptions;
use std::io::Write;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let mut log = OpenOptions::new().append(true).open("log").unwrap();
    //~ error[E0277] at `log`
    let price = price(&sku).await;
    writeln!(log, "{price}").unwrap();
    price
}
