//! An error that no failed call can be made into.
use durable::prelude::*;
use shop::*;
//~ warning[unused_imports] at `shop::*`

#[derive(serde::Serialize, serde::Deserialize)]
struct Missing;

#[activity]
async fn look_up(sku: &str) -> Result<u64, Missing> {
//~ warning[unused_variables] at `sku`
//~ error[E0277] at `Result`
    Err(Missing)
}
