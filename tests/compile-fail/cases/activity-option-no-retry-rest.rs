//! Something behind the pattern of `no_retry`.
use durable::prelude::*;
use shop::*;

#[activity(no_retry(Error { .. } else))]
//~ error at `else`: expected the end of the pattern
//~ help: separate alternatives by `|`
//~ see docs/errors/activity-option.md
async fn look_up(sku: &str) -> Result<u64, Error> {
    Ok(sku.len() as u64)
}
