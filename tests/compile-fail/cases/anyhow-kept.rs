//! An `anyhow::Error` that is kept.
use durable::prelude::*;
use shop::*;

fn log(_: &anyhow::Error) {}

#[workflow]
async fn wrong(sku: String) -> u64 {
    let problem = anyhow::anyhow!("no price for {sku}");
    //~ error[E0277] at `problem`
    let price = price(&sku).await;
    log(&problem);
    price
}
