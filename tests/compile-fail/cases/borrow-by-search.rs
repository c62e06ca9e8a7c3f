//! An item that is searched for.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(skus: Vec<String>) -> u64 {
    let found = skus.iter().find(|sku| sku.len() > 3).unwrap();
    //~ error at `skus.iter().find(|sku| sku.len() > 3).unwrap()`: `skus.iter().find(|sku| sku.len() > 3).unwrap()` is still needed after the await of `price` in line 11, and can't be made again there: `find` may find another item by then
    //~ help: find the index, `let at = ...iter().position(..)`, and borrow by it: `&items[at]`
    //~ see docs/errors/borrow.md
    let price = price(found).await;
    price + found.len() as u64
}
