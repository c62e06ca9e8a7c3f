//! noticed: the message
use durable::prelude::*;
use shop::price;

#[workflow]
async fn wrong(sku: String) -> String {
    format!("{}", price(&sku).await)
    //~ error at `await`: an await inside a function's arguments can't be a resume point
    //~ see docs/errors/await-in-macro.md
}
