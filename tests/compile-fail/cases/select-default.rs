//! A branch that only the `select!` of futures has.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    select! {
        cents = price(&sku) => cents,
        default => 0,
        //~ error at `=`: this is no branch of a `select!`: expected `=`
        //~ help: write `pattern = operation => body`, with `, if condition` before the `=>` where it needs one
        //~ see docs/errors/select.md
    }
}
