//! `no_retry` without parentheses.
use durable::prelude::*;
use shop::*;

#[activity(no_retry = Error)]
//~ error at `=`: `no_retry` takes a pattern in parentheses
//~ help: write `no_retry(MyError::Declined { .. } | MyError::Fraud)`
//~ see docs/errors/activity-option.md
async fn look_up(sku: &str) -> Result<u64, Error> {
    Ok(sku.len() as u64)
}
