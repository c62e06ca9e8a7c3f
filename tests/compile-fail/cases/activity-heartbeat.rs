//! A progress that can't be stored.
use durable::prelude::*;
use shop::*;

#[activity]
async fn look_up(cx: &ActivityContext, sku: &str) -> u64 {
    cx.heartbeat(&Client::default());
    //~ error[E0277] at `&Client::default()`: `shop::Client` can't be stored
    //~ see docs/errors/not-storable.md
    sku.len() as u64
}
