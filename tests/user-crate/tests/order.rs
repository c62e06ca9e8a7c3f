//! The crate's workflows run.
#![deny(warnings, clippy::pedantic)]

use durable::testing;
use user_crate::{
    Order,
    activities::Gateway,
    blocks::{Shelf, everywhere, surrounding, written},
    control::count_down,
    fulfil,
    hostile::{bare::counted, surrounded},
};

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

#[tokio::test]
async fn hostile_names_change_nothing() {
    let engine = testing::engine().open().await;
    let handle = engine.start("hostile", surrounded(1, 2, 3)).await.expect("it starts");
    let sum = handle.result().await.expect("it ends");
    let again = engine.start("again", surrounded(1, 2, 3)).await.expect("it starts");
    assert_eq!(again.result().await.expect("it ends"), sum);
    let bare = engine.run(counted(2, &vec![3, 4])).await.expect("it ends").expect("it is not too much");
    assert_eq!(bare, 10);
}

#[tokio::test]
async fn functions_of_every_kind_run() {
    let engine = testing::engine().open().await;
    assert_eq!(engine.run(written(3)).await.expect("it ends"), 5);
    assert_eq!(engine.run(everywhere()).await.expect("it ends"), 1);
    assert_eq!(engine.run(surrounding()).await.expect("it ends"), 1);
    let shelf = Shelf { skus: vec!["tea".into()] };
    assert_eq!(
        engine.run(shelf.with("cup", Shelf::new())).await.expect("it ends").map(|s| s.skus.len()),
        Some(2)
    );
    assert_eq!(engine.run(user_crate::renamed::weighed(1)).await.expect("it ends"), 1);
}
