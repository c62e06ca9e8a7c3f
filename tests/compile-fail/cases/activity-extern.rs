//! A function with a foreign ABI.
use durable::prelude::*;
use shop::*;

#[activity]
async extern "C" fn look_up(sku: &str) -> u64 {
//~ error at `extern "C"`: an activity has Rust's own ABI
//~ help: leave `extern` out
//~ see docs/errors/activity-function.md
    sku.len() as u64
}
