//! The crate's workflows run.
#![deny(warnings, clippy::pedantic)]

use durable::testing;
use user_crate::{Order, activities::Gateway, control::count_down, fulfil};

#[tokio::test]
async fn an_order_is_fulfilled() {
    let engine = testing::engine().state(Gateway::default()).open().await;
    let order = Order {
        card: "4242".into(),
        items: vec![("tea".into(), 2), ("cup".into(), 1)],
        note: Some("to a good friend".into()),
    };
    let handle = engine.start("order-1", fulfil(order)).await.expect("it starts");
    let receipt = handle.result().await.expect("it ends").expect("it is paid");
    assert_eq!((receipt.cents, receipt.words), (900, 4));
}

#[tokio::test]
async fn a_count_comes_to_its_end() {
    let engine = testing::engine().open().await;
    let handle = engine.start("count-1", count_down(3)).await.expect("it starts");
    assert_eq!(handle.result().await.expect("it ends"), (0, 3));
}
