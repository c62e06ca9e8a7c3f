//! An iterator that a function gives.
use durable::prelude::*;
use shop::*;

fn sizes() -> std::vec::IntoIter<u64> {
    vec![1, 2].into_iter()
}

#[workflow]
async fn wrong(sku: String) -> u64 {
    let mut sizes = sizes().map(|size| size + 1);
    //~ error[E0277] at `sizes`: an iterator can't be kept over an await: it borrows, or holds a closure
    //~ see docs/errors/iterator.md
    let price = price(&sku).await;
    price + sizes.next().unwrap_or(0)
}
