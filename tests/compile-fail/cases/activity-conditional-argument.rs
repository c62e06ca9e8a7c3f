//! A conditional parameter.
use durable::prelude::*;
use shop::*;

#[activity]
async fn look_up(sku: &str, #[cfg(unix)] size: u64) -> u64 {
//~ error at `#[cfg(unix)]`: a parameter of an activity can't be conditional, because calls are stored
//~ help: put `cfg` on two functions
//~ see docs/errors/activity-argument.md
    sku.len() as u64 + size
}
