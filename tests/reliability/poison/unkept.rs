//! Workflows that panic, and values that can't be stored or read.

use std::time::Duration;

use durable::ParkReason;
use durable::prelude::*;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

use super::{neighbours_go_on, parked};
use crate::block_on;

/// What is wrong with a workflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Wrong {
    Panics,
    /// What it panics with panics when it is dropped.
    PanicsTwice,
    SerializeFails,
    SerializePanics,
    DeserializeFails,
    DeserializePanics,
    IsLarge,
    Nothing,
}

/// A value with something wrong.
struct Value(Wrong);

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Wrong::SerializeFails => Err(ser::Error::custom("it is not to be written")),
            Wrong::SerializePanics => panic!("it panics while it is written"),
            wrong => wrong.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Wrong::deserialize(deserializer)? {
            Wrong::DeserializeFails => Err(de::Error::custom("it is not to be read")),
            Wrong::DeserializePanics => panic!("it panics while it is read"),
            wrong => Ok(Value(wrong)),
        }
    }
}

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("it panics once more");
    }
}

#[activity]
async fn pay(cents: u64) -> u64 {
    cents
}

#[workflow]
async fn wrong(wrong: Wrong) -> u64 {
    let paid = pay(4_200).await;
    match wrong {
        Wrong::Panics => panic!("it panics"),
        Wrong::PanicsTwice => std::panic::panic_any(Bomb),
        _ => {}
    }
    let value = Value(wrong);
    let large = if wrong == Wrong::IsLarge { "x".repeat(GIB) } else { String::new() };
    sleep(Duration::from_millis(1)).await;
    paid + large.len() as u64 + u64::from(value.0 == Wrong::IsLarge)
}

const GIB: usize = 1 << 30;

#[test]
fn whatever_is_wrong_is_parked_with_the_result_that_set_it_off() {
    let directory = tempfile::tempdir().expect("a directory for the test");
    let all = [
        (Wrong::Panics, "it panics"),
        (Wrong::PanicsTwice, "a panic without a message"),
        (Wrong::SerializeFails, "it is not to be written"),
        (Wrong::SerializePanics, "it panics while it is written"),
        (Wrong::DeserializeFails, "it is not to be read"),
        (Wrong::DeserializePanics, "it panics while it is read"),
        (Wrong::IsLarge, "bytes, and 536870912 are the limit"),
    ];
    block_on(async {
        let engine = super::open(&directory.path().join("store.redb")).await;
        let fine = engine.start("fine", wrong(Wrong::Nothing)).await.expect("it starts");
        for (what, _) in all {
            engine.start(format!("{what:?}"), wrong(what)).await.expect("it starts");
        }
        neighbours_go_on(&engine, "beside").await;
        for (what, why) in all {
            let id = format!("{what:?}");
            let reason = parked(&engine, &id).await;
            assert!(!matches!(reason, ParkReason::ProcessDied));
            assert!(reason.to_string().contains(why), "{id}: {reason}");
            let description = engine.handle(&*id).describe().await.expect("a description");
            assert!(description.activities.is_empty(), "the charge is kept: {description}");
            let history = engine.handle(&*id).history().await.expect("a history");
            let completed = history.iter().filter(|event| format!("{:?}", event.kind).contains("Completed"));
            assert_eq!(completed.count(), 1, "{history:?}");
        }
        assert_eq!(fine.result().await.expect("it ends"), 4_200);
        neighbours_go_on(&engine, "after").await;
        engine.shutdown(super::LONG).await.expect("the engine stops");
    });
}
