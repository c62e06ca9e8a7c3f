//! noticed: the line
use durable::prelude::*;
use shop::price;

#[workflow]
async fn wrong(sku: String) -> String {
    //~ error at `await`: an await inside a macro's arguments can't be a resume point
    //~ see docs/errors/await-in-macro.md
    format!("{}", price(&sku).await)
}
