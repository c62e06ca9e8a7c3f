//! A guard that awaits, for alternatives that may both match.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(pair: (String, String)) -> u64 {
    match pair {
        (sku, _) | (_, sku) if price(&sku).await > 1 => 1,
        //~ error at `(sku, _)`: two alternatives of this pattern may match the same value, and Rust would try the guard, which awaits, for each of them
        //~ help: write an arm for each alternative
        //~ see docs/errors/await-in-guard.md
        _ => 0,
    }
}
