//! noticed: no such note
use durable::prelude::*;
use shop::price;

#[workflow]
async fn wrong(sku: String) -> String {
    format!("{}", price(&sku).await)
    //~ error at `await`: an await inside a macro's arguments can't be a resume point
    //~ help: leave it out
    //~ see docs/errors/await-in-macro.md
}
