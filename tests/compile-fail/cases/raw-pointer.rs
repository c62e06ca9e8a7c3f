//! A raw pointer.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let number = 1u64;
    let at = &raw const number;
    //~ error[E0277] at `at`: a raw pointer (`*const u64`) can't be kept over an await: it points nowhere after a restart
    //~ see docs/errors/raw-pointer.md
    let price = price(&sku).await;
    price + at.addr() as u64
}
