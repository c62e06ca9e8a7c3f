//! An unsafe function.
use durable::prelude::*;
use shop::*;

#[activity]
async unsafe fn look_up(sku: &str) -> u64 {
//~ error at `unsafe`: an activity is not `unsafe`: the engine calls it, and can give no promise
//~ help: leave `unsafe` out, and write an `unsafe` block inside
//~ see docs/errors/activity-function.md
    sku.len() as u64
}
