//! An await in an async block.
use durable::prelude::*;
use shop::*;
//~ warning[unused_imports] at `shop::*`

#[workflow]
async fn wrong(sku: String) -> u64 {
    let later = async { price(&sku).await };
    //~ error at `await`: an await inside an async block can't be a resume point: the block's state can't be stored
    //~ help: write its code in the workflow itself, or in a second `#[workflow]` and call that
    //~ see docs/errors/await-in-async-block.md
    drop(later);
    1
}
