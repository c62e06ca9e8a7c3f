//! A const function.
use durable::prelude::*;
use shop::*;

#[activity]
const async fn look_up(sku: &str) -> u64 {
//~ error at `const`: an activity is not `const`: it runs in the engine
//~ help: leave `const` out
//~ see docs/errors/activity-function.md
    sku.len() as u64
}
