//! What a build says it would do, before it does it.

use durable::{CheckOutcome, CheckReport, Engine, prelude::*};

use super::{MINUTE, charge, deployed, engine, reserve};

#[workflow]
async fn order(sku: String, price: u32) -> String {
    let reserved = reserve(&sku).await;
    let total = price * 2;
    let paid = charge(&sku, u64::from(total)).await;
    sleep(60 * MINUTE).await;
    format!("{reserved} {total} {paid}")
}

#[workflow]
async fn order_with_wide_total(sku: String, price: u32) -> String {
    let reserved = reserve(&sku).await;
    let total = u64::from(price) * 2;
    let paid = charge(&sku, total).await;
    sleep(60 * MINUTE).await;
    format!("{reserved} {total} {paid}")
}

#[workflow]
async fn order_with_a_discount(sku: String, price: u32) -> String {
    let reserved = reserve(&sku).await;
    let total = price * 2;
    let paid = charge(&sku, u64::from(total)).await;
    let discount = 7;
    sleep(60 * MINUTE).await;
    format!("{reserved} {total} {paid} {discount}")
}

#[workflow]
async fn order_of_text(sku: String, price: u32) -> String {
    let reserved = reserve(&sku).await;
    let total = format!("{price}");
    let paid = charge(&sku, u64::from(price)).await;
    sleep(60 * MINUTE).await;
    format!("{reserved} {total} {paid}")
}

/// Seven at the charge, three at the sleep.
async fn store() -> durable::testing::TestEngine {
    let engine = engine().await;
    for n in 0..3 {
        engine.start(format!("early-{n}"), order("tea".into(), n)).await.unwrap();
    }
    engine.advance(MINUTE).await;
    for n in 0..7 {
        engine.start(format!("late-{n}"), order("tea".into(), n)).await.unwrap();
    }
    engine.idle().await;
    engine
}

/// Instances by outcome, with what it says.
fn outcomes(report: &CheckReport) -> Vec<(u64, String)> {
    let groups = report.groups.iter().map(|group| {
        let outcome = match &group.outcome {
            CheckOutcome::Resumes => "resumes".to_owned(),
            CheckOutcome::Converts { variables } => format!("converts {}", variables.join(", ")),
            CheckOutcome::Strands { reason } => format!("strands: {reason}"),
            other => format!("{other:?}"),
        };
        (group.instances, outcome)
    });
    groups.collect()
}

#[tokio::test]
async fn instances_are_grouped_by_where_they_stand_and_how_they_fare() {
    let engine = store().await;
    let report = engine.check().await.unwrap();
    assert_eq!(outcomes(&report), [(7, "resumes".into()), (3, "resumes".into())]);
    assert_eq!((report.instances(), report.stranded(), report.exit_code()), (10, 0, 0));
    let places: Vec<_> = report.groups.iter().map(|group| &group.place).collect();
    assert!(places[0].starts_with("tests/evolution/check.rs:11 `charge("), "{places:?}");
    assert!(places[1].starts_with("tests/evolution/check.rs:12 `sleep("), "{places:?}");

    let engine = deployed!(engine, order as order_with_wide_total);
    let report = engine.check().await.unwrap();
    assert_eq!(outcomes(&report), [(7, "converts total".into()), (3, "converts total".into())]);
    assert_eq!(report.exit_code(), 0);
}

#[tokio::test]
async fn who_would_be_parked_is_said_with_the_reason_and_stays_as_it_is() {
    let engine = deployed!(store().await, order as order_with_a_discount);
    let report = engine.check().await.unwrap();
    let found = outcomes(&report);
    assert_eq!((found[0].0, found[1].0), (3, 7), "{report}");
    assert!(found[0].1.contains("needs variable `discount` at tests/evolution/check.rs:31"), "{report}");
    assert_eq!(found[1].1, "resumes");
    assert_eq!((report.stranded(), report.exit_code()), (3, 1));
    let text = report.to_string();
    for expected in ["10 instances in flight: 7 resume, 3 would be parked", "early-0, early-1, early-2"] {
        assert!(text.contains(expected), "{text}");
    }
    let json = report.to_json();
    assert_eq!(json["groups"][0]["outcome"]["outcome"], "strands");
    assert_eq!(json["groups"][0]["instances"], 3);

    // Nothing was done to anybody.
    let engine = engine.deploy(order, order).await;
    let result = engine.handle("early-1").of(order).result().await.unwrap();
    assert_eq!(result, "reserved tea 2 2");
}

#[tokio::test]
async fn values_that_differ_do_not_make_groups() {
    let engine = deployed!(store().await, order as order_of_text);
    let report = engine.check().await.unwrap();
    let found = outcomes(&report);
    assert_eq!((found[0].0, found[1].0, found.len()), (7, 3, 2), "{report}");
    for expected in [
        "variable `total` of workflow `order_of_text` at tests/evolution/check.rs:39",
        "a value stored as `u32` can't be read as `alloc::string::String`",
        "or give the variable another name",
    ] {
        assert!(found[0].1.contains(expected), "{report}");
    }
}

#[derive(serde::Serialize, serde::Deserialize, Signal)]
struct Approve {
    by: String,
}

/// The same message as another build has sent it. It is not derived, so this build does not know it.
#[derive(serde::Serialize, serde::Deserialize)]
struct ApproveBefore {
    person: u64,
}

impl durable::Signal for ApproveBefore {
    const NAME: &'static str = "Approve";
}

/// One of an earlier build that this one can read, by the names in it.
#[derive(serde::Serialize, serde::Deserialize)]
struct ApproveInHaste {
    at: u64,
    by: String,
}

impl durable::Signal for ApproveInHaste {
    const NAME: &'static str = "Approve";
}

#[workflow]
async fn approved() -> String {
    let paid = charge("tea", 5).await;
    let Approve { by } = recv::<Approve>().await;
    format!("{by} {paid}")
}

#[tokio::test]
async fn a_message_that_waits_and_can_not_be_received_is_said() {
    let engine = engine().await;
    for id in ["a", "b", "c", "d"] {
        engine.start(id, approved()).await.unwrap();
    }
    engine.idle().await;
    engine.signal("a", ApproveBefore { person: 7 }).await.unwrap();
    engine.signal("b", Approve { by: "Bea".into() }).await.unwrap();
    engine.signal("c", ApproveBefore { person: 9 }).await.unwrap();
    engine.signal("d", ApproveInHaste { at: 7, by: "Dee".into() }).await.unwrap();
    let report = engine.check().await.unwrap();
    let found = outcomes(&report);
    assert_eq!(found.iter().map(|(count, _)| *count).collect::<Vec<_>>(), [2, 2], "{report}");
    assert_eq!(report.groups[0].ids, ["a", "c"]);
    assert!(found[0].1.contains("a signal `Approve` that waits for it: "), "{report}");
    assert!(found[0].1.contains("by"), "{report}");
    // It says what happens.
    engine.advance(2 * MINUTE).await;
    assert_eq!(engine.handle("b").of(approved).result().await.unwrap(), "Bea 5");
    assert_eq!(engine.handle("d").of(approved).result().await.unwrap(), "Dee 5");
    assert!(super::why(&engine, "a").await.contains("a signal `Approve`: "));
}

#[tokio::test]
async fn a_file_is_checked_while_its_engine_runs_and_when_it_does_not() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("orders.redb");
    let running = Engine::open(&path).await.unwrap();
    for n in 0..20 {
        running.start(format!("order-{n}"), order("tea".into(), n)).await.unwrap();
    }
    while running.list(durable::Filter::new().status(durable::Status::Waiting)).await.unwrap().len() < 20 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let before = std::fs::metadata(&path).unwrap().len();
    let report = Engine::builder().path(&path).check().await.unwrap();
    assert_eq!(outcomes(&report), [(20, "resumes".into())]);
    running.shutdown(MINUTE).await.unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let report = Engine::builder().path(&path).check().await.unwrap();
    assert_eq!(report.instances(), 20);
    assert!(std::fs::read(&path).unwrap() == bytes, "it was touched");
    assert!(before > 0);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "the copy is gone");

    let missing = directory.path().join("none.redb");
    let error = Engine::builder().path(&missing).check().await.unwrap_err().to_string();
    assert!(error.contains("none.redb") && !missing.exists(), "{error}");
}

#[workflow]
async fn waits_for_an_hour(price: u32) -> u32 {
    let total = price * 2;
    sleep(60 * MINUTE).await;
    total
}

/// Read page by page, in a file of some size; of a store that is written to all the time, in a backup of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_instances_are_counted_one_by_one() {
    const MANY: u32 = 10_000;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("orders.redb");
    let running = Engine::open(&path).await.unwrap();
    let starts = (0..MANY).map(|n| {
        let running = running.clone();
        tokio::spawn(async move { running.start(format!("it-{n}"), waits_for_an_hour(n)).await.map(drop) })
    });
    for start in starts.collect::<Vec<_>>() {
        start.await.unwrap().unwrap();
    }
    let busy = || durable::Filter::new().status(durable::Status::Running).limit(1);
    while !running.list(busy()).await.unwrap().is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let backup = directory.path().join("backup.redb");
    running.backup(&backup).await.unwrap();
    for file in [path, backup] {
        let report = Engine::builder().path(file).check().await.unwrap();
        assert_eq!(outcomes(&report), [(u64::from(MANY), "resumes".into())]);
        assert!(report.groups[0].place.contains("`sleep("), "{report}");
    }
    running.shutdown(MINUTE).await.unwrap();
}
