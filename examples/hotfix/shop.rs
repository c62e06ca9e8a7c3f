//! What both builds have in common: the activities, and what is to be sold.

use std::time::Duration;

use durable::{Filter, prelude::*};

/// An order, in cents.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct Order {
    pub(crate) id: String,
    pub(crate) cents: u64,
}

#[activity]
pub(crate) async fn charge(id: &str, cents: u64) -> u64 {
    println!("  charged {id}: {cents}");
    cents
}

/// What is to be sold.
pub(crate) fn orders() -> Vec<Order> {
    let order = |id: &str, cents| Order { id: id.into(), cents };
    vec![order("small", 20_000), order("large", 60_000), order("larger", 90_000)]
}

/// Prints what became of the orders.
pub(crate) async fn close(engine: &Engine) -> Result<(), Box<dyn std::error::Error>> {
    for summary in engine.list(Filter::new()).await? {
        println!("{}: {}", summary.id, summary.status);
    }
    engine.shutdown(Duration::from_secs(10)).await?;
    Ok(())
}
