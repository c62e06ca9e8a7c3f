//! Sent from outside.
use durable::prelude::*;
use shop::*;

pub async fn wrong(engine: &Engine, order: Order) {
    let _ = engine.signal("order-1", order).await;
}
