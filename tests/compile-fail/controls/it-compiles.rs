//! noticed: it compiles
use durable::prelude::*;
use shop::price;

#[workflow]
async fn legal(sku: String) -> u64 {
    price(&sku).await
    //~ error at `await`: an await can't stand here
}
