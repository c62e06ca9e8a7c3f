//! An option that is given twice.
use durable::prelude::*;
use shop::*;

#[activity(limit = 3, limit = 4)]
//~ error at `limit` (2): `limit` is given twice
//~ help: give each option once
//~ see docs/errors/activity-option.md
async fn look_up(sku: &str) -> u64 {
    sku.len() as u64
}
