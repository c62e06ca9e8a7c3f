//! `no_retry` with two patterns.
use durable::prelude::*;
use shop::*;

#[activity(no_retry(Error { .. }, _))]
//~ error at `,`: `no_retry` takes one pattern
//~ help: separate its alternatives by `|`
//~ see docs/errors/activity-option.md
async fn look_up(sku: &str) -> Result<u64, Error> {
    Ok(sku.len() as u64)
}
