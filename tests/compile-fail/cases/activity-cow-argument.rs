//! An argument that may borrow.
use durable::prelude::*;
use shop::*;

#[activity]
async fn look_up(sku: std::borrow::Cow<'_, str>) -> u64 {
//~ error at `'_`: what is stored owns its data
//~ help: take an owned type
//~ see docs/errors/activity-argument.md
    sku.len() as u64
}
