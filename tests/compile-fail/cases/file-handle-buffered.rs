//! A reader around a file.
use durable::prelude::*;
use shop::*;
use std::fs::File;
use std::io::{BufRead, BufReader};

#[workflow]
async fn wrong(sku: String) -> u64 {
    let mut lines = BufReader::new(File::open("prices").unwrap());
    //~ error[E0277] at `lines`
    let price = price(&sku).await;
    lines.read_line(&mut String::new()).unwrap();
    price
}
