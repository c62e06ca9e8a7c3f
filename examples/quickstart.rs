//! The README's program.

use durable::prelude::*;
use std::time::Duration;

#[activity(start_to_close = "30s", retry(max_attempts = 5))]
async fn charge(order: &str, cents: u64) -> Result<String, Error> {
    // Call the payment gateway here; `ActivityContext` has an idempotency key for it.
    Ok(format!("charge of {cents} cents for {order}"))
}

#[workflow]
async fn fulfil(order: String, prices: Vec<u64>) -> Result<String, Error> {
    let mut total = 0;
    for price in &prices {
        total += price;
    }
    let charge = charge(&order, total).await?; // on disk from here on: never charged again
    sleep(Duration::from_millis(100)).await; // or 30 days, across restarts and deploys
    Ok(format!("{order} is done: {charge}"))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let engine = Engine::open("orders.redb").await?; // a new file, or what was going on in it
    let handle = engine.start("order-1042", fulfil("order-1042".into(), vec![1250, 4900])).await?;
    println!("{}", handle.result().await??);
    Ok(())
}

#[cfg(test)] // run by tests/functions
mod tests {
    #[tokio::test]
    async fn no_crash_changes_the_outcome() {
        let call = || super::fulfil("order-1042".into(), vec![1250, 4900]);
        assert!(durable::testing::crash_at_every_step(call).await.crashes >= 2);
    }
}
