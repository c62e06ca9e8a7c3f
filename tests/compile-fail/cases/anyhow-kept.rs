//! An `anyhow::Error` that is kept.
use durable::prelude::*;
use shop::*;

fn log(_: &anyhow::Error) {}

#[workflow]
async fn wrong(sku: String) -> u64 {
    let problem = anyhow::anyhow!("no price for {sku}");
    //~ error[E0277] at `problem`: an error without a type of its own (`anyhow::Error`) can't be kept over an await
    //~ see docs/errors/any-error.md
    let price = price(&sku).await;
    log(&problem);
    price
}
