//! More branches than eight.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    select! {
        _ = price("a") => 0,
        _ = price("b") => 1,
        _ = price("c") => 2,
        _ = price("d") => 3,
        _ = price("e") => 4,
        _ = price("f") => 5,
        _ = price("g") => 6,
        _ = price("h") => 7,
        cents = price(&sku) => cents,
        //~ error at `cents`: this `select!` has 9 branches, and 8 is the limit
        //~ help: race operations of one type with `vec![..].race()`, or select among some of them in a second `#[workflow]` and call that
        //~ see docs/errors/select.md
    }
}
