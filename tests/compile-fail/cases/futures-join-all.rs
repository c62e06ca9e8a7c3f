//! `join_all`, imported under its bare name.
use durable::prelude::*;
use shop::*;
use futures::future::join_all;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let all = join_all([fetch("a"), fetch(&sku)]).await;
    //~ error[E0277] at `join_all([fetch("a"), fetch(&sku)])`
    all.len() as u64
}
