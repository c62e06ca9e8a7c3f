//! The first build. See `main.rs`.

mod shop;

use durable::{Filter, prelude::*};
use shop::{Order, charge, close, orders};

#[activity]
async fn reserve(id: &str) -> String {
    println!("  reserved {id}");
    format!("shelf of {id}")
}

/// Percent, from 500 on.
fn discount(cents: u64) -> u64 {
    let steps = cents.saturating_sub(50_000) / 1_000_000;
    if cents > 50_000 { cents / steps } else { 0 }
}

#[workflow]
async fn checkout(order: Order) -> u64 {
    let place = reserve(&order.id).await;
    let total = order.cents - discount(order.cents);
    let charged = charge(&order.id, total).await;
    println!("  {place} is empty");
    charged
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().collect();
    if args[1] == "lock" {
        durable::lock::Lock::of_this_build()?.write(&args[2])?;
        return Ok(());
    }
    let engine = Engine::open(&args[2]).await?;
    for order in orders() {
        engine.start(order.id.clone(), checkout(order)).await?;
    }
    while !engine.list(Filter::new().status(Status::Running)).await?.is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    close(&engine).await
}
