//! What both builds have in common: the activities, and selling.

use std::time::Duration;

use durable::{EngineError, Filter, prelude::*};

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

/// Starts the orders that are not there yet, and goes when nothing moves any more.
pub(crate) async fn sell(
    engine: &Engine,
    start: impl AsyncFn(&str, Order) -> Result<(), StartError>,
) -> Result<(), Box<dyn std::error::Error>> {
    for (id, cents) in [("small", 20_000), ("large", 60_000), ("larger", 90_000)] {
        start(id, Order { id: id.into(), cents }).await?;
    }
    let is_busy = async || {
        let busy = engine.list(Filter::new().status(Status::Running)).await?;
        Ok::<_, EngineError>(!busy.is_empty())
    };
    while is_busy().await? {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for summary in engine.list(Filter::new()).await? {
        println!("{}: {}", summary.id, summary.status);
    }
    engine.shutdown(Duration::from_secs(10)).await?;
    Ok(())
}
