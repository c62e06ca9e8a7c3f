//! A variable number of parameters.
use durable::prelude::*;
use shop::*;

#[activity]
async unsafe extern "C" fn look_up(sku: &str, _: ...) -> u64 {
//~ error at `unsafe`: an activity is not `unsafe`: the engine calls it, and can give no promise
//~ help: leave `unsafe` out, and write an `unsafe` block inside
//~ see docs/errors/activity-function.md
//~ error at `extern "C"`: an activity has Rust's own ABI
//~ help: leave `extern` out
//~ see docs/errors/activity-function.md
//~ error at `_: ...`: an activity has a fixed number of parameters
//~ help: take a `Vec`
//~ see docs/errors/activity-function.md
    sku.len() as u64
}
