//! In a closure.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let first = |other: u64| select! { cents = price(&sku) => cents + other };
    //~ error at `select`: an await inside a closure can't be a resume point
    //~ see docs/errors/await-in-closure.md
    first(1)
}
