//! A lent operation that stands nowhere.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    select! {
        cents = &mut price(&sku) => cents,
        //~ error at `price(&sku)`: `&mut` in a branch of a `select!` lends what stands in a place with a name
        //~ help: name it first: `let mut operation = ..;`, and write `&mut operation`
        //~ see docs/errors/select.md
    }
}
