//! An await in an unsafe block.
use durable::prelude::*;
use shop::*;
//~ warning[unused_imports] at `shop::*`

#[workflow]
async fn wrong(sku: String) -> u64 {
    unsafe { price(&sku).await }
    //~ error at `await`: an await inside an unsafe block can't be a resume point: what the block relies on does not survive a restart
    //~ help: await before the block and use the value in it, or do the unsafe work in an `#[activity]`
    //~ see docs/errors/await-in-unsafe.md
}
