//! Sent from outside.
use durable::prelude::*;
use shop::*;

pub async fn wrong(engine: &Engine, order: Order) {
    let _ = engine.signal("order-1", order).await;
    //~ error[E0277] at `order` (2): `shop::Order` is not a signal
    //~ see docs/errors/message.md
}
