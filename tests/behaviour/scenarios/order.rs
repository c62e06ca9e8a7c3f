//! Scenario 1: an order is fulfilled though the power goes at any moment, and the card is charged
//! once. Scenario 2: the moment between the charge and its record.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use durable::{
    IdempotencyKey,
    prelude::*,
    testing::{self, TestEngine},
};
use serde::{Deserialize, Serialize};

use crate::support::Cut;

#[derive(Clone, Serialize, Deserialize)]
struct Order {
    id: String,
    sku: String,
    quantity: u32,
    cents: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Receipt {
    reservation: String,
    charge: String,
    label: String,
}

fn order() -> Order {
    Order { id: "order-1042".into(), sku: "lamp".into(), quantity: 2, cents: 4_999 }
}

fn receipt() -> Receipt {
    Receipt {
        reservation: "2 x lamp".into(),
        charge: "order-1042 paid 4999".into(),
        label: "label for 2 x lamp".into(),
    }
}

/// The world outside: it remembers who came, and what it did.
#[derive(Default)]
struct Shop {
    cut: Cut,
    visits: Mutex<Vec<&'static str>>,
    /// What the gateway charged, by idempotency key.
    charges: Mutex<HashMap<IdempotencyKey, u64>>,
    /// The keys of all requests to the gateway.
    keys: Mutex<Vec<IdempotencyKey>>,
    completed: Mutex<Vec<String>>,
}

impl Shop {
    fn with_cut(place: &str) -> Arc<Self> {
        Arc::new(Shop { cut: Cut::at(place), ..Shop::default() })
    }

    async fn visit(&self, who: &'static str) {
        self.visits.lock().unwrap().push(who);
        self.cut.pass(&format!("before {who}")).await;
    }

    async fn done(&self, who: &str) {
        self.cut.pass(&format!("after {who}")).await;
    }

    fn visits(&self, who: &str) -> usize {
        self.visits.lock().unwrap().iter().filter(|visit| **visit == who).count()
    }

    fn charged(&self) -> Vec<u64> {
        self.charges.lock().unwrap().values().copied().collect()
    }
}

#[activity(start_to_close = "30s", retry(max_attempts = 3))]
async fn reserve_stock(State(shop): State<Shop>, sku: &str, quantity: u32) -> Result<String, Error> {
    shop.visit("reserve").await;
    let reservation = format!("{quantity} x {sku}");
    shop.done("reserve").await;
    Ok(reservation)
}

#[activity(start_to_close = "1min")]
async fn charge_card(
    State(shop): State<Shop>,
    context: ActivityContext,
    order: &str,
    cents: u64,
) -> Result<String, Error> {
    shop.visit("charge").await;
    let key = context.idempotency_key();
    shop.keys.lock().unwrap().push(key);
    shop.charges.lock().unwrap().entry(key).or_insert(cents);
    shop.done("charge").await;
    Ok(format!("{order} paid {cents}"))
}

#[activity(start_to_close = "30s")]
async fn create_label(State(shop): State<Shop>, reservation: &str) -> Result<String, Error> {
    shop.visit("label").await;
    shop.done("label").await;
    Ok(format!("label for {reservation}"))
}

#[activity(start_to_close = "10s")]
async fn send_confirmation(State(shop): State<Shop>, order: &str, label: &str) -> Result<(), Error> {
    shop.visit("confirm").await;
    ensure!(!order.is_empty() && !label.is_empty());
    shop.done("confirm").await;
    Ok(())
}

#[activity]
async fn mark_complete(State(shop): State<Shop>, order: &str) -> Result<(), Error> {
    shop.visit("complete").await;
    shop.completed.lock().unwrap().push(order.to_owned());
    shop.done("complete").await;
    Ok(())
}

#[workflow]
async fn fulfil_order(order: Order) -> Result<Receipt, Error> {
    let reservation = reserve_stock(&order.sku, order.quantity).await?;
    let charge = charge_card(&order.id, order.cents).await?;
    let label = create_label(&reservation).await?;
    send_confirmation(&order.id, &label).await?;
    mark_complete(&order.id).await?;
    Ok(Receipt { reservation, charge, label })
}

const ACTIVITIES: [&str; 5] = ["reserve", "charge", "label", "confirm", "complete"];

/// Runs an order until the power goes at `place`, and to its end with the next process.
async fn fulfil_with_a_cut(place: &str) -> (TestEngine, Arc<Shop>, Receipt) {
    let shop = Shop::with_cut(place);
    let engine = testing::engine().state_arc(shop.clone()).open().await;
    engine.start("order-1042", fulfil_order(order())).await.unwrap();
    shop.cut.reached().await;
    engine.crash_and_reopen().await;
    let receipt = engine.handle("order-1042").of(fulfil_order).result().await.unwrap().unwrap();
    (engine, shop, receipt)
}

#[tokio::test]
async fn an_order_is_fulfilled_wherever_the_power_goes_and_the_card_is_charged_once() {
    for activity in ACTIVITIES {
        for place in [format!("before {activity}"), format!("after {activity}")] {
            let (_, shop, received) = fulfil_with_a_cut(&place).await;
            assert_eq!(received, receipt(), "{place}");
            assert_eq!(shop.charged(), [4_999], "{place}");
            for other in ACTIVITIES {
                let visits = if other == activity { 2 } else { 1 };
                assert_eq!(shop.visits(other), visits, "`{other}` when the power went {place}");
            }
        }
    }
}

#[tokio::test]
async fn an_order_is_fulfilled_though_the_process_dies_after_any_commit() {
    let shops = Arc::new(Mutex::new(Vec::new()));
    let opened = shops.clone();
    let report = testing::crash_at_every_step(|| fulfil_order(order()))
        .with(move |builder| {
            let shop = Arc::new(Shop::default());
            opened.lock().unwrap().push(shop.clone());
            builder.state_arc(shop)
        })
        .await;
    assert!(report.crashes >= 6, "a start and five activities are at least six commits: {report:?}");
    let shops = shops.lock().unwrap();
    assert_eq!(shops.len() as u64, report.crashes + 1, "one run in peace and one for each crash");
    for (crash, shop) in shops.iter().enumerate() {
        assert_eq!(shop.charged(), [4_999], "with a crash after commit {crash}");
        assert!(shop.completed.lock().unwrap().iter().all(|order| order == "order-1042"));
    }
}

#[tokio::test]
async fn a_charge_that_was_made_and_not_recorded_is_repeated_with_the_same_key_and_made_once() {
    let (engine, shop, received) = fulfil_with_a_cut("after charge").await;
    assert_eq!(received.charge, "order-1042 paid 4999");
    let keys = shop.keys.lock().unwrap().clone();
    assert_eq!(keys.len(), 2, "the charge is asked for before the crash and after it");
    assert_eq!(keys[0], keys[1]);
    assert_eq!(shop.charged(), [4_999], "and the gateway charges once");

    // Another order is another charge: a key that never changes would hide it.
    let other = Order { id: "order-1043".into(), ..order() };
    engine.start("order-1043", fulfil_order(other)).await.unwrap().result().await.unwrap().unwrap();
    assert_eq!(shop.charged(), [4_999, 4_999]);
}
