//! A dependency by `&mut`.
use durable::prelude::*;
use shop::*;

#[activity]
async fn look_up(client: &mut State<Client>, sku: &str) -> u64 {
//~ error at `mut`: what the engine supplies is shared between attempts: take it by value or by `&`
    client.calls + sku.len() as u64
}
