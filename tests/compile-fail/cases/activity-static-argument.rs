//! A `&'static str` as an argument.
use durable::prelude::*;
use shop::*;

#[activity]
async fn look_up(sku: &'static str) -> u64 {
//~ error at `'static`: a stored argument does not live for ever
//~ help: leave out `'static`
//~ see docs/errors/activity-argument.md
    sku.len() as u64
}
