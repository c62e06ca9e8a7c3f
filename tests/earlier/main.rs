//! Earlier snapshots and copies: forks, rewinds, exports and imports, and regression tests made of them.

mod crashes;
mod exports;
mod forks;
mod peers;
mod rewinds;
mod scenarios;

use std::time::Duration;

use durable::{
    HistoryKind, Status,
    prelude::*,
    testing::{self, TestBuilder, TestEngine, mock},
};

const MINUTE: Duration = Duration::from_secs(60);

#[activity]
async fn reserve(sku: &str) -> String {
    format!("reserved {sku}")
}

#[activity]
async fn charge(what: &str, cents: u64) -> u64 {
    let _ = what;
    cents
}

#[activity]
async fn mail(text: &str) -> String {
    format!("mailed {text}")
}

#[derive(Signal, serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq)]
struct Approve {
    by: String,
}

#[derive(Update, serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq)]
#[update(output = u64)]
struct AddItem {
    cents: u64,
}

/// Each activity takes a minute.
fn slow() -> TestBuilder {
    testing::engine()
        .keep_snapshots(10)
        .mock(mock(reserve).delay(MINUTE).then(|sku: String| format!("reserved {sku}")))
        .mock(mock(charge).delay(MINUTE).then(|_: String, cents: u64| cents))
        .mock(mock(mail).delay(MINUTE).then(|text: String| format!("mailed {text}")))
}

/// Reserve (step 1 stands at it), charge (2), mail (3).
#[workflow]
async fn order(sku: String, cents: u64) -> String {
    let reserved = reserve(&sku).await;
    let total = cents + 5;
    let paid = charge(&sku, total).await;
    let mailed = mail(&format!("{reserved} for {paid}")).await;
    format!("{mailed}, {total}")
}

/// What happened to an instance, without the parts that every one has.
async fn history(engine: &TestEngine, id: &str) -> Vec<HistoryKind> {
    let events = engine.handle(id).history().await.expect("it is there");
    events.into_iter().map(|event| event.kind).collect()
}

async fn status(engine: &TestEngine, id: &str) -> Status {
    engine.handle(id).describe().await.expect("it is there").status
}

async fn steps(engine: &TestEngine, id: &str) -> Vec<u64> {
    let kept = engine.handle(id).snapshots().await.expect("it is there");
    kept.into_iter().map(|kept| kept.step).collect()
}
