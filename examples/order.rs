//! An order survives `kill -9`, four times over.
//!
//! ```text
//! cargo run --example order
//! ```
//!
//! This file is the program that you would write: what the shop does to the world (activities), how
//! an order goes (the workflow), and the process that runs it. `order_demo/` is the show around it: a
//! parent that kills this process at four chosen moments and starts it again, the fake services
//! outside, and what you see on the terminal.

mod order_demo;

use std::{process::ExitCode, time::Duration};

use durable::prelude::*;
use order_demo::{Demo, Service, World};
use serde::{Deserialize, Serialize};

/// What a customer ordered.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Order {
    id: String,
    email: String,
    items: Vec<Item>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Item {
    sku: String,
    quantity: u32,
    unit_cents: u64,
}

/// What the customer gets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Receipt {
    charge: String,
    label: String,
    total_cents: u64,
}

// Activities: everything that touches the world. Each attempt is limited in time and retried by
// policy. All attempts of one call carry the same idempotency key, which the services are handed.

#[activity(start_to_close = "30s", retry(max_attempts = 3))]
async fn reserve_inventory(
    State(world): State<World>,
    context: ActivityContext,
    items: &[Item],
) -> Result<String, Error> {
    let pieces: u32 = items.iter().map(|item| item.quantity).sum();
    world.request(Service::Inventory, &context, &format!("{pieces} pieces")).await
}

#[activity(start_to_close = "1min")]
async fn charge_card(
    State(world): State<World>,
    context: ActivityContext,
    order: &str,
    cents: u64,
) -> Result<String, Error> {
    world.request(Service::CardGateway, &context, &format!("{cents} cents for {order}")).await
}

#[activity(start_to_close = "30s", retry(initial = "500ms"))]
async fn create_label(
    State(world): State<World>,
    context: ActivityContext,
    order: &str,
    reservation: &str,
) -> Result<String, Error> {
    world.request(Service::Carrier, &context, &format!("label for {order}, {reservation}")).await
}

#[activity(start_to_close = "10s")]
async fn send_confirmation(
    State(world): State<World>,
    context: ActivityContext,
    email: &str,
    label: &str,
) -> Result<String, Error> {
    world.request(Service::Mail, &context, &format!("{label} to {email}")).await
}

#[activity(start_to_close = "10s")]
async fn mark_complete(
    State(world): State<World>,
    context: ActivityContext,
    order: &str,
) -> Result<String, Error> {
    world.request(Service::OrderBook, &context, &format!("{order} is complete")).await
}

/// How long the parcel waits for the carrier's van. A day or a month would do as well: a sleeping
/// workflow takes no memory and no thread.
const PICKUP: Duration = Duration::from_millis(1500);

/// An order, from the warehouse to the customer's mailbox. An ordinary async function; after every
/// `.await` its whole state is on disk.
#[workflow]
async fn fulfil(order: Order) -> Result<Receipt, Error> {
    let reservation = reserve_inventory(&order.items).await?;

    let mut total_cents = 0;
    for item in &order.items {
        total_cents += item.unit_cents * u64::from(item.quantity);
    }
    let charge = charge_card(&order.id, total_cents).await?;
    let label = create_label(&order.id, &reservation).await?;

    sleep(PICKUP).await;

    send_confirmation(&order.email, &label).await?;
    mark_complete(&order.id).await?;
    Ok(Receipt { charge, label, total_cents })
}

const ORDER: &str = "order-1042";

/// What the shop's process does, every time it starts: it opens the store and starts the order. The
/// second process and all later ones find the order there, and it goes on from where it stood.
async fn shop(demo: &Demo) -> Result<Receipt, Box<dyn std::error::Error>> {
    let engine = Engine::builder().path(demo.store()).state(demo.world()).open().await?;
    demo.watch(&engine, ORDER).await?; // only for the show: it prints what `describe()` says
    let handle = engine.start(ORDER, fulfil(Order::sample())).await?;
    let receipt = handle.result().await??; // the first `?`: the engine's error; the second: the workflow's
    engine.shutdown(Duration::from_secs(5)).await?;
    Ok(receipt)
}

impl Order {
    fn sample() -> Self {
        let item = |sku: &str, quantity, unit_cents| Item { sku: sku.into(), quantity, unit_cents };
        Order {
            id: ORDER.into(),
            email: "ann@example.com".into(),
            items: vec![item("espresso cup", 2, 1250), item("kettle", 1, 4900)],
        }
    }
}

fn main() -> ExitCode {
    order_demo::run()
}

#[cfg(test)] // run by tests/applications
mod tests {
    use super::*;
    use durable::testing::{self, mock};

    #[tokio::test]
    async fn no_crash_changes_what_the_customer_gets() {
        let report = testing::crash_at_every_step(|| fulfil(Order::sample())).with(|engine| {
            engine
                .mock(mock(reserve_inventory).then(|items| Ok(format!("{} items", items.len()))))
                .mock(mock(charge_card).fails(1).then(|order, cents| Ok(format!("{cents} for {order}"))))
                .mock(mock(create_label).then(|order, reserved| Ok(format!("{order}: {reserved}"))))
                .mock(mock(send_confirmation).then(|email, label| Ok(format!("{label} to {email}"))))
                .mock(mock(mark_complete).then(Ok))
        });
        assert!(report.await.crashes >= 7);
    }
}
