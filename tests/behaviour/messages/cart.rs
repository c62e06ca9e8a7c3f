//! Scenario 24: a shopping cart as a long-lived instance: items are added by updates that are validated and answered, and it is checked
//! out once.

use std::collections::BTreeMap;

use durable::{prelude::*, testing};
use serde::{Deserialize, Serialize};

use crate::support::DAY;

#[derive(Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
enum CartError {
    #[error("`{0}` is not in the shop")]
    Unknown(String),
    #[error("the cart is empty")]
    Empty,
}

/// What a customer does; he learns the new total.
#[derive(Debug, Serialize, Deserialize, Update)]
#[update(output = Result<u64, CartError>)]
enum Customer {
    Adds { sku: String, quantity: u32 },
    ChecksOut,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Receipt {
    items: BTreeMap<String, u32>,
    charge: String,
}

#[activity]
async fn cart_price(sku: &str) -> Option<u64> {
    [("lamp", 4_999), ("bulb", 250)].into_iter().find(|(known, _)| *known == sku).map(|(_, cents)| cents)
}

#[activity]
async fn charge_cart(cents: u64) -> String {
    format!("paid {cents}")
}

/// A cart that lives until it is checked out.
#[workflow]
async fn cart() -> Receipt {
    let mut items = BTreeMap::new();
    let mut cents = 0;
    loop {
        let request = recv_update::<Customer>().await;
        if let Customer::Adds { quantity: 0, .. } = &*request {
            request.reject("at least one");
            continue;
        }
        let (customer, reply) = request.into_parts();
        match customer {
            Customer::Adds { sku, quantity } => match cart_price(&sku).await {
                Some(each) => {
                    cents += each * u64::from(quantity);
                    *items.entry(sku).or_insert(0) += quantity;
                    reply.reply(Ok(cents));
                }
                None => reply.reply(Err(CartError::Unknown(sku))),
            },
            Customer::ChecksOut if items.is_empty() => reply.reply(Err(CartError::Empty)),
            Customer::ChecksOut => {
                let charge = charge_cart(cents).await;
                reply.reply(Ok(cents));
                return Receipt { items, charge };
            }
        }
    }
}

fn add(sku: &str, quantity: u32) -> Customer {
    Customer::Adds { sku: sku.into(), quantity }
}

#[tokio::test]
async fn items_are_validated_and_answered_and_the_cart_is_checked_out_once() {
    let engine = testing::engine().open().await;
    let (handle, total) = engine.start("cart-1", cart()).with_update(add("lamp", 2)).await.unwrap();
    assert_eq!(total, Ok(9_998));
    assert_eq!(
        engine.start("cart-2", cart()).with_update(Customer::ChecksOut).await.unwrap().1,
        Err(CartError::Empty)
    );
    engine.advance(30 * DAY).await;
    assert_eq!(handle.update(add("sofa", 1)).await, Ok(Err(CartError::Unknown("sofa".into()))));
    assert_eq!(
        handle.update(add("bulb", 0)).await,
        Err(UpdateError::Rejected { why: "at least one".into() })
    );
    let engine = engine.crash_and_reopen().await;
    let handle = engine.handle("cart-1").of(cart);
    assert_eq!(handle.update(add("bulb", 3)).await, Ok(Ok(10_748)));
    let checkout = || handle.update(Customer::ChecksOut).dedup("button");
    assert_eq!(checkout().await, Ok(Ok(10_748)));
    assert_eq!(checkout().await, Ok(Ok(10_748)), "the button was pressed twice");
    let receipt = handle.result().await.unwrap();
    assert_eq!(receipt.charge, "paid 10748");
    assert_eq!(receipt.items, BTreeMap::from([("lamp".into(), 2), ("bulb".into(), 3)]));
    assert_eq!(engine.calls(charge_cart).len(), 1);
}
