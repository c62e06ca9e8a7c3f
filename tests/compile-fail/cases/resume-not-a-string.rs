//! A resume name that is no string.
use durable::prelude::*;
use shop::*;
//~ warning[unused_imports] at `shop::*`

#[workflow]
async fn wrong(sku: String) -> u64 {
    #[resume(after_price)]
    //~ error at `#`: a resume point's name is a string
    //~ help: write `#[resume("after_payment")]`
    //~ see docs/errors/resume-name.md
    let price = price(&sku).await;
    price
}
