//! A result that borrows.
use durable::prelude::*;
use shop::*;
//~ warning[unused_imports] at `shop::*`

#[activity]
async fn look_up(sku: &str) -> &str {
//~ error at `&` (2): an activity returns owned values, because the result is stored: return a `String`, a `Vec`, ..
    sku
}
