//! All mistakes of an activity at once.
use durable::prelude::*;
use shop::*;

#[activity(limit = 0, retry(backoff = 0.5))]
//~ error at `0`: 0 would never run it
//~ help: leave `limit` out for no limit
//~ see docs/errors/activity-option.md
//~ error at `0.5`: `backoff` is the factor by which delays grow
//~ help: write a number of at least 1
//~ see docs/errors/activity-option.md
async fn look_up(sku: &mut String) {
//~ error at `&mut`: an activity works on a stored copy, so the caller would not see the change
//~ help: take it by value and return it
//~ see docs/errors/activity-argument.md
    sku.clear();
}
