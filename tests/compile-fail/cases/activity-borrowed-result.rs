//! A result that borrows.
use durable::prelude::*;
use shop::*;

#[activity]
async fn look_up(sku: &str) -> &str {
//~ error at `&` (2): an activity returns owned values, because the result is stored
//~ help: return a `String`, a `Vec`, ..
//~ see docs/errors/activity-result.md
    sku
}
