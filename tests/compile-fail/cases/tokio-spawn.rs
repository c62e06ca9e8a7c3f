//! `tokio::spawn`, with an await in the task: one mistake.
use durable::prelude::*;
use shop::*;
//~ warning[unused_imports] at `shop::*`

#[workflow]
async fn wrong(sku: String) -> u64 {
    tokio::spawn(async move { fetch("log").await });
    //~ error at `spawn`: `tokio::spawn` is not durable: the task is lost in a crash
    //~ help: do the work in an `#[activity]` and await its call
    //~ see docs/errors/foreign-spawn.md
    //~ error at `await`: an await inside an async block can't be a resume point: the block's state can't be stored
    //~ help: write its code in the workflow itself, or in a second `#[workflow]` and call that
    //~ see docs/errors/await-in-async-block.md
    price(&sku).await
}
