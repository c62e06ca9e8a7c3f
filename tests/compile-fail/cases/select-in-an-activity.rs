//! In an activity.
use durable::prelude::*;
use shop::*;

#[activity]
async fn wrong(sku: String) -> usize {
    select! { page = fetch(&sku) => page.len() }
    //~ error at `select! { page = fetch(&sku) => page.len() }`: `select!` works in a `#[workflow]` only
    //~ help: write `#[workflow]` above the async function, or use the runtime's own `select!` in an `#[activity]`
    //~ see docs/errors/select.md
}
