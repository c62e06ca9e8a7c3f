//! An error that no failed call can be made into.
use durable::prelude::*;
use shop::*;

#[derive(serde::Serialize, serde::Deserialize)]
struct Missing;

#[activity]
async fn look_up(sku: &str) -> Result<u64, Missing> {
//~ error[E0277] at `Result`: `Missing` can't be the error of an activity: there is no `From<durable::CallError>` for it
//~ see docs/errors/activity-error.md
    if sku.is_empty() { Err(Missing) } else { Ok(1) }
}
