//! `futures::future::join_all`, by its path.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let all = futures::future::join_all([fetch("a"), fetch(&sku)]).await;
    //~ error at `join_all`: `futures::future::join_all` is not durable: what it has got is lost in a crash
    //~ help: await them together: `calls.join().await`, of a `Vec` of calls
    //~ see docs/errors/foreign-join.md
    all.len() as u64
}
