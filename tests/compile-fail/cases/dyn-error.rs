//! A boxed error that is kept.
use durable::prelude::*;
use shop::*;

fn log(_: &Box<dyn std::error::Error>) {}

#[workflow]
async fn wrong(sku: String) -> u64 {
    let problem: Box<dyn std::error::Error> = "no price".into();
    //~ error[E0277] at `problem`: an error without a type of its own (`Box<dyn std::error::Error>`) can't be kept over an await
    //~ see docs/errors/any-error.md
    let price = price(&sku).await;
    log(&problem);
    price
}
