//! Scenarios 8 and 18.

use durable::{FrameView, KeptSnapshot, prelude::*, testing, testing::mock};

use super::{MINUTE, charge, history, mail, order, slow};

/// A tenth off beyond 500: but it takes off a tenth of ten.
#[workflow]
async fn buy(sku: String, cents: u64) -> u64 {
    let asked = charge(&sku, 0).await;
    let discount = if cents > 500 { cents / 100 } else { 0 };
    let total = asked + cents - discount;
    let paid = charge(&sku, total).await;
    mail(&format!("you paid {paid}, {discount} off")).await;
    paid
}

#[workflow]
async fn buy_right(sku: String, cents: u64) -> u64 {
    let asked = charge(&sku, 0).await;
    let discount = if cents > 500 { cents / 10 } else { 0 };
    let total = asked + cents - discount;
    let paid = charge(&sku, total).await;
    mail(&format!("you paid {paid}, {discount} off")).await;
    paid
}

/// 8. A wrong discount that did not crash: the instance is forked from the step before it, under the fixed build.
#[tokio::test]
async fn a_wrong_discount_is_computed_again_by_the_fixed_build() {
    let engine = slow().open().await;
    for (id, cents) in [("order-1", 1_000), ("order-2", 100)] {
        engine.start(id, buy("tea".into(), cents)).await.unwrap();
    }
    engine.advance(2 * MINUTE + MINUTE / 2).await;
    // Nothing has crashed; somebody looks at what was charged.
    let wrong = engine.handle("order-1").describe().await.unwrap();
    assert_eq!(wrong.frames[0].locals.iter().find(|(name, _)| name == "paid").unwrap().1, 990);

    let engine = engine.deploy(buy, buy_right).await;
    let original = engine.handle("order-1").of(buy_right);
    let snapshots = original.snapshots().await.unwrap();
    let has_it = |frame: &FrameView| frame.locals.iter().any(|(name, _)| name == "discount");
    let computed = |kept: &KeptSnapshot| kept.frames.iter().any(has_it);
    let first = snapshots.iter().position(computed).unwrap();
    let step = snapshots[first - 1].step;
    assert_eq!(step, 1, "it waits for the first call there");
    let fork = original.fork_at(step, "order-1-again").await.unwrap();
    original.terminate("the discount was wrong: see order-1-again").await.unwrap();
    assert_eq!(fork.result().await.unwrap(), 900);
    assert_eq!(engine.handle("order-2").of(buy_right).result().await.unwrap(), 100, "it did not notice");
    let told: Vec<_> = engine.handle("order-1").history().await.unwrap();
    assert!(
        told.iter().any(|event| event.to_string().contains("forked after step 1 as `order-1-again`")),
        "{told:?}"
    );
    assert!(!history(&engine, "order-1-again").await.is_empty());
}

/// 18. An instance's state exported as JSON, imported elsewhere, stepped, and kept as a regression test.
#[tokio::test]
async fn an_instance_is_carried_elsewhere_and_becomes_a_test() {
    let production = slow().open().await;
    let handle = production.start("order-17", order("tea".into(), 10)).await.unwrap();
    production.advance(MINUTE + MINUTE / 2).await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("order-17.json");
    std::fs::write(&file, handle.export().await.unwrap().to_string()).unwrap();

    let elsewhere = Engine::open(directory.path().join("orders.redb")).await.unwrap();
    let exported = std::fs::read_to_string(&file).unwrap();
    let handle = elsewhere.import(exported.as_str()).await.unwrap().of(order);
    assert_eq!(handle.result().await.unwrap(), "mailed reserved tea for 15, 15");
    elsewhere.shutdown(MINUTE).await.unwrap();

    for _ in 0..2 {
        let test = testing::engine().mock(mock(charge).returns(12_u64)).resume(exported.as_str()).await;
        let handle = test.handle("order-17").of(order);
        assert_eq!(handle.result().await.unwrap(), "mailed reserved tea for 12, 15");
        assert_eq!(test.calls(charge)[0], ("tea".to_owned(), 15));
    }
    let test = testing::resume(exported).await;
    assert_eq!(test.handle("order-17").of(order).result().await.unwrap(), "mailed reserved tea for 15, 15");
}
