//! An argument that can't be stored.
use durable::prelude::*;
use shop::*;

#[activity]
async fn look_up(client: Client, sku: &str) -> u64 {
//~ error[E0277] at `(client: Client, sku: &str)`
//~ error[E0277] at `(client: Client, sku: &str)`
//~ error[E0277] at `client`
    client.calls + sku.len() as u64
}
