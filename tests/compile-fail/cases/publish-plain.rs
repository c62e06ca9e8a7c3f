//! A value that nobody declared to be published.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(order: Order) -> u64 {
    publish(&order);
    price(&order.name).await
}
