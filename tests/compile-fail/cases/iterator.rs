//! A lazy iterator that is consumed after an await.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let mut sizes = sku.bytes().map(u64::from);
    //~ error[E0277] at `sizes`: an iterator (`Map<std::str::Bytes<'_>, fn(u8) -> u64 {<u64 as From<u8>>::from}>`) can't be kept over an await: it borrows, or holds a closure
    //~ see docs/errors/iterator.md
    let price = price(&sku).await;
    price + sizes.next().unwrap_or(0)
}
