//! Two options without a comma.
use durable::prelude::*;
use shop::*;

#[activity(limit = 3 park_when_exhausted)]
//~ error at `park_when_exhausted`: two options without a comma between them
//~ help: write `,`
//~ see docs/errors/activity-option.md
async fn look_up(sku: &str) -> u64 {
    sku.len() as u64
}
