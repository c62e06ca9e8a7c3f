//! A type that nobody made a signal.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong() -> String {
    let order = recv::<Order>().await;
    order.name
}
