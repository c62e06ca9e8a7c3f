//! A new version needs a variable that the orders in flight do not have, and waits at another place: a function says what becomes of them.
//! One order has a wrong total besides; that is edited by hand.
//!
//! `cargo run --example migrate`
//!
//! Both versions are in this one program, under two names, and `deploy` lets the instances of the first go on as the second. A real
//! program has one of them, under one name, and is replaced by its next build: `examples/hotfix` shows that.

use std::time::Duration;

use durable::{
    Result, Snapshot,
    prelude::*,
    testing::{self, mock},
};

const DAY: Duration = Duration::from_secs(86_400);

#[activity]
async fn charge(id: &str, cents: u64, currency: &str) -> String {
    format!("charged {id} {cents} {currency}")
}

/// The first version: a week to think it over, in euros.
#[workflow]
async fn order_1(id: String, euros: u64) -> String {
    sleep(7 * DAY).await;
    charge(&id, euros * 100, "EUR").await
}

/// The second: cents and a currency, and the customer is asked after three days.
#[workflow(migrate = from_order_1)]
async fn order_2(id: String, cents: u64, currency: String) -> String {
    let total = cents;
    #[resume("thinking")]
    sleep(3 * DAY).await;
    sleep(4 * DAY).await;
    charge(&id, total, &currency).await
}

/// Orders that the first version has saved. It is asked only for those that the second can't resume by itself.
fn from_order_1(mut order: Snapshot) -> Result<Snapshot> {
    let euros: u64 = order.get("euros")?;
    order.set("total", &(euros * 100))?;
    order.set("currency", &"EUR")?;
    // It goes on with the timer that is set.
    order.resume_at("thinking");
    Ok(order)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let charged =
        mock(charge).then(|id: String, cents: u64, currency: String| format!("{id}: {cents} {currency}"));
    let engine = testing::engine().mock(charged).open().await;
    for (id, euros) in [("tea", 12), ("cup", 8)] {
        engine.start(id, order_1(id.into(), euros)).await?;
    }
    engine.idle().await;

    println!("== the second version, before it does anything");
    let engine = engine.deploy(order_1, order_2).await;
    print!("{}", engine.check().await?);

    println!("\n== a week later");
    engine.advance(7 * DAY).await;
    let cup = engine.handle("cup").of(order_2);
    cup.pause().await?;
    if let Err(error) = cup.edit("total", "seven").await {
        println!("{error}");
    }
    cup.edit("total", 700).await?;
    cup.resume().await?;

    println!("\n== the end");
    println!("{}", engine.handle("tea").of(order_2).result().await?);
    println!("{}", cup.result().await?);
    for event in cup.history().await? {
        println!("    {event}");
    }
    Ok(())
}
