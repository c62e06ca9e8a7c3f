//! All mistakes of a phase at once.
use durable::prelude::*;
use shop::*;
//~ warning[unused_imports] at `shop::*`

#[workflow]
async fn wrong(sku: String) -> u64 {
    println!("{}", price("a").await);
    //~ error at `await`: an await inside a macro's arguments can't be a resume point
    //~ help: await first: `let value = ....await;`, and use `value` here
    //~ see docs/errors/await-in-macro.md
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    //~ error at `sleep`: `tokio::time::sleep` is not durable: the timer is lost in a crash
    //~ help: use `durable::sleep`, whose timer survives
    //~ see docs/errors/foreign-sleep.md
    let later = async { price(&sku).await };
    //~ error at `await`: an await inside an async block can't be a resume point: the block's state can't be stored
    //~ help: write its code in the workflow itself, or in a second `#[workflow]` and call that
    //~ see docs/errors/await-in-async-block.md
    unsafe { price("b").await }
    //~ error at `await`: an await inside an unsafe block can't be a resume point: what the block relies on does not survive a restart
    //~ help: await before the block and use the value in it, or do the unsafe work in an `#[activity]`
    //~ see docs/errors/await-in-unsafe.md
}
