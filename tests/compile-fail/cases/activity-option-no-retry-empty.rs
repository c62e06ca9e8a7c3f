//! `no_retry` without a pattern.
use durable::prelude::*;
use shop::*;

#[activity(no_retry())]
//~ error at `)`: `no_retry` takes a pattern over the error
//~ help: write `no_retry(MyError::Declined { .. })`
//~ see docs/errors/activity-option.md
async fn look_up(sku: &str) -> Result<u64, Error> {
    Ok(sku.len() as u64)
}
