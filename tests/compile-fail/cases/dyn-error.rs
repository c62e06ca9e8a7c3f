//! A boxed error that is kept.
use durable::prelude::*;
use shop::*;

fn log(_: &Box<dyn std::error::Error>) {}

#[workflow]
async fn wrong(sku: String) -> u64 {
    let problem: Box<dyn std::error::Error> = "no price".into();
    //~ error[E0277] at `problem`
    let price = price(&sku).await;
    log(&problem);
    price
}
