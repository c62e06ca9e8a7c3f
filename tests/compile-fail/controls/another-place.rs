//! noticed: the tokens
use durable::prelude::*;
use shop::price;

#[workflow]
async fn wrong(sku: String) -> String {
    format!("{}", price(&sku).await)
    //~ error at `format`: an await inside a macro's arguments can't be a resume point
    //~ see docs/errors/await-in-macro.md
}
