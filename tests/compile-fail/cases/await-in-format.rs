//! Two awaits in one macro are one mistake.
use durable::prelude::*;
use shop::*;
//~ warning[unused_imports] at `shop::*`

#[workflow]
async fn wrong(sku: String) -> u64 {
    let text = format!("{} {}", price("a").await, price(&sku).await);
    //~ error at `await`: an await inside a macro's arguments can't be a resume point
    //~ help: await first: `let value = ....await;`, and use `value` here
    //~ see docs/errors/await-in-macro.md
    text.len() as u64
}
