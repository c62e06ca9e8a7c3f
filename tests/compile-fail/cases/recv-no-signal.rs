//! A type that nobody made a signal.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong() -> String {
    let order = recv::<Order>().await;
    //~ error[E0277] at `Order`: `shop::Order` is not a signal
    //~ see docs/errors/message.md
    order.name
}
