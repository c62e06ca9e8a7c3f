//! No branch at all.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    select! {}
    //~ error at `select`: this `select!` waits for nothing
    //~ help: write `pattern = operation => body`
    //~ see docs/errors/select.md
    price(&sku).await
}
