//! A value that nobody declared to be published.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(order: Order) -> u64 {
    publish(&order);
    //~ error[E0277] at `&order`: `shop::Order` can't be published
    //~ see docs/errors/message.md
    price(&order.name).await
}
