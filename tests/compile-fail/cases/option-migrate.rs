//! A function that migrates and takes something else.
use durable::prelude::*;
use shop::*;

fn older(sku: String) -> String {
    sku
}

#[workflow(migrate = older)]
//~ error[E0631] at `older`
async fn wrong(sku: String) -> u64 {
    price(&sku).await
}
