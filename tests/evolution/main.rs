//! What an edit does to instances that run: each version of a workflow is a function of its own, and an instance of the one goes on as
//! the other, on an engine in memory. `examples/hotfix` shows it with two real builds of a program.

mod awaited;
mod check;
mod lock;
mod migrate;
mod points;
mod rows;
mod variables;

use std::time::Duration;

use durable::{
    ParkReason, Status,
    prelude::*,
    testing::{self, TestEngine, mock},
};

const MINUTE: Duration = Duration::from_secs(60);

#[activity]
async fn reserve(sku: &str) -> String {
    format!("reserved {sku}")
}

/// The one that takes a minute: the instance stands here when the new version comes.
#[activity]
async fn charge(what: &str, cents: u64) -> u64 {
    let _ = what;
    cents
}

#[activity]
async fn mail(text: &str) -> String {
    format!("mailed {text}")
}

async fn engine() -> TestEngine {
    testing::engine()
        .mock(mock(charge).delay(MINUTE).then(|_: String, cents: u64| cents))
        .mock(mock(reserve).then(|sku: String| format!("reserved {sku}")))
        .mock(mock(mail).then(|text: String| format!("mailed {text}")))
        .open()
        .await
}

/// Why an instance is parked as incompatible.
async fn why(engine: &TestEngine, id: &str) -> String {
    engine.idle().await;
    engine.advance(2 * MINUTE).await;
    match engine.handle(id).describe().await.expect("it is there").status {
        Status::Parked(ParkReason::Incompatible { reason }) => reason,
        other => panic!("it is {other:?}"),
    }
}

/// The engine with an edit, of which the layout file says what the engine does.
macro_rules! deployed {
    ($engine:expr, $old:ident as $new:ident) => {{
        let engine = $engine.deploy($old, $new).await;
        crate::lock::agrees(&engine, stringify!($old), stringify!($new)).await;
        engine
    }};
}

/// Starts the old version, lets it come to its first `charge`, and gives its result under the new one.
macro_rules! goes_on {
    ($old:ident($($arg:expr),*) as $new:ident => $result:expr) => {{
        let engine = crate::engine().await;
        engine.start("it", $old($($arg),*)).await.unwrap();
        engine.idle().await;
        let engine = crate::deployed!(engine, $old as $new);
        assert_eq!(engine.handle("it").of($new).result().await.unwrap(), $result);
        assert_eq!(engine.calls(crate::charge).len(), 2, "the attempt that was cut off, and its repetition");
    }};
}

/// The same, and it is parked with a reason that holds all these texts; the old version goes on with it.
macro_rules! is_parked {
    ($old:ident($($arg:expr),*) as $new:ident, $($text:expr),+ => $result:expr) => {{
        let engine = crate::engine().await;
        engine.start("it", $old($($arg),*)).await.unwrap();
        engine.idle().await;
        let engine = crate::deployed!(engine, $old as $new);
        let why = crate::why(&engine, "it").await;
        for text in [$($text),+] {
            assert!(why.contains(text), "{why}");
        }
        // Nothing is lost: the build that saved it goes on with it.
        let engine = engine.deploy($old, $old).await;
        assert_eq!(engine.handle("it").of($old).result().await.unwrap(), $result);
    }};
}

use {deployed, goes_on, is_parked};
