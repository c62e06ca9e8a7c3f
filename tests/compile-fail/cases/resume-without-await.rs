//! A resume name on a statement that does not await.
use durable::prelude::*;
use shop::*;
//~ warning[unused_imports] at `shop::*`

#[workflow]
async fn wrong(sku: String) -> u64 {
    #[resume("after_price")]
    //~ error at `#`: `#[resume]` names an await and there is none in this statement
    //~ help: put it on the statement that awaits
    //~ see docs/errors/resume-name.md
    let one = 1;
    price(&sku).await + one
}
