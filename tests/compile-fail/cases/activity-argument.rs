//! An argument that can't be stored.
use durable::prelude::*;
use shop::*;

#[activity]
async fn look_up(client: Client, sku: &str) -> u64 {
//~ error[E0277] at `Client`: `shop::Client` can't be an argument of an activity, because it can't be stored
//~ see docs/errors/activity-argument.md
    client.calls + sku.len() as u64
}
