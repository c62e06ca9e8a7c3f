//! All mistakes of an activity at once.
use durable::prelude::*;
use shop::*;
//~ warning[unused_imports] at `shop::*`

#[activity(limit = 0, retry(backoff = 0.5))]
//~ error at `0`: 0 would never run it; leave `limit` out for no limit
//~ error at `0.5`: `backoff` is the factor by which delays grow: a number of at least 1
async fn look_up(sku: &mut String) {
//~ error at `&mut`: an activity works on a stored copy, so the caller would not see the change: take it by value and return it
    sku.clear();
}
