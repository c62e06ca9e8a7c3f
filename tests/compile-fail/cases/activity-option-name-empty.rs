//! An empty name.
use durable::prelude::*;
use shop::*;

#[activity(name = "")]
//~ error at `""`: an activity's name has 1 to 200 bytes and no control characters
//~ help: leave `name` out to take the function's
//~ see docs/errors/activity-option.md
async fn look_up(sku: &str) -> u64 {
    sku.len() as u64
}
