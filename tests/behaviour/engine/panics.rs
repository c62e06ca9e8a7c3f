//! A panic in a workflow parks the instance; what had been completed stays completed.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use durable::{
    HistoryKind, ParkReason,
    prelude::*,
    testing::{self, TestEngine},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::support::HOUR;

#[activity]
async fn charge_once(State(charged): State<Arc<AtomicU32>>, cents: u32) -> u32 {
    charged.fetch_add(1, Ordering::SeqCst);
    cents
}

fn discount(cents: u32, broken: &AtomicU32) -> u32 {
    assert!(broken.load(Ordering::SeqCst) == 0, "discount of {cents} went wrong");
    cents / 2
}

static BY_BUILD: AtomicU32 = AtomicU32::new(1);
static BY_HAND: AtomicU32 = AtomicU32::new(1);

#[workflow]
async fn charge_then_discount(cents: u32) -> u32 {
    let charged = charge_once(cents).await;
    let discounted = discount(charged, &BY_BUILD);
    sleep(HOUR).await;
    discounted
}

#[workflow]
async fn charge_then_fail(cents: u32) -> u32 {
    let charged = charge_once(cents).await;
    discount(charged, &BY_HAND)
}

async fn count(engine: &TestEngine, id: &str, kind: fn(&HistoryKind) -> bool) -> usize {
    let history = engine.handle(id).history().await.unwrap();
    history.iter().filter(|event| kind(&event.kind)).count()
}

fn is_parked(kind: &HistoryKind) -> bool {
    matches!(kind, HistoryKind::Parked { .. })
}

#[tokio::test]
async fn a_panic_behind_a_charge_parks_and_never_charges_again_and_each_build_tries_once() {
    let charges = Arc::new(AtomicU32::new(0));
    let engine = testing::engine().state(charges.clone()).open().await;
    let handle = engine.start("order", charge_then_discount(500)).await.unwrap();
    let parked = handle.result().await.unwrap_err();
    assert!(matches!(parked, RunError::Parked { .. }), "{parked:?}");
    let description = handle.describe().await.unwrap();
    match description.parked() {
        Some(ParkReason::Panicked { message, place }) => {
            assert_eq!(message, "discount of 500 went wrong");
            assert!(place.contains("panics.rs:"), "{place}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(description.frames[0].awaits, "charge_once", "it stands where it stood before the panic");
    assert!(description.activities.is_empty(), "the charge is done and recorded");

    // The same build does not try again by itself, however often it starts.
    for _ in 0..3 {
        engine.crash_and_reopen().await;
        engine.idle().await;
    }
    assert_eq!(count(&engine, "order", is_parked).await, 1);

    // Another build tries once.
    let engine = engine.reopen_as_build(2).await;
    engine.idle().await;
    assert_eq!(count(&engine, "order", is_parked).await, 2);
    engine.crash_and_reopen().await;
    engine.idle().await;
    assert_eq!(count(&engine, "order", is_parked).await, 2);

    // And the one with the fix goes on.
    BY_BUILD.store(0, Ordering::SeqCst);
    let engine = engine.reopen_as_build(3).await;
    assert_eq!(engine.handle("order").of(charge_then_discount).result().await.unwrap(), 250);
    assert_eq!(charges.load(Ordering::SeqCst), 1);
    let unparked = |kind: &HistoryKind| matches!(kind, HistoryKind::Unparked { .. });
    assert_eq!(count(&engine, "order", unparked).await, 2);
}

#[tokio::test]
async fn a_parked_instance_is_taken_up_by_hand() {
    let charges = Arc::new(AtomicU32::new(0));
    let engine = testing::engine().state(charges.clone()).open().await;
    let handle = engine.start("order", charge_then_fail(8)).await.unwrap();
    handle.result().await.unwrap_err();
    handle.retry_now().await.unwrap();
    handle.result().await.unwrap_err();
    assert_eq!(count(&engine, "order", is_parked).await, 2);
    BY_HAND.store(0, Ordering::SeqCst);
    handle.retry_now().await.unwrap();
    assert_eq!(handle.result().await.unwrap(), 4);
    assert_eq!(charges.load(Ordering::SeqCst), 1);
}

/// It can't be written while it is 1, and not be read while it is 2.
static BRITTLE: AtomicU32 = AtomicU32::new(0);

#[derive(Debug, PartialEq)]
struct Brittle(u32);

impl Serialize for Brittle {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        assert!(BRITTLE.load(Ordering::SeqCst) != 1, "{self:?} broke as it was written");
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Brittle {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        assert!(BRITTLE.load(Ordering::SeqCst) != 2, "it broke as it was read");
        u32::deserialize(deserializer).map(Brittle)
    }
}

#[workflow]
async fn keeps_what_is_brittle(n: u32) -> u32 {
    let kept = Brittle(n);
    sleep(HOUR).await;
    kept.0
}

#[workflow]
async fn calls_what_keeps(n: u32) -> u32 {
    let before = n + 1;
    keeps_what_is_brittle(before).await + before
}

/// The user's code that the library calls for a suspension or a resume, in a workflow and in one that it calls.
#[tokio::test]
async fn a_panic_of_what_is_kept_parks_and_goes_on_when_it_is_mended() {
    let panicked = |description: &durable::Description, with: &str| match description.parked() {
        Some(ParkReason::Panicked { message, place }) => {
            assert_eq!(message, with);
            assert!(place.contains("panics.rs:"), "{place}");
        }
        other => panic!("{other:?}"),
    };
    let engine = testing::engine().open().await;
    BRITTLE.store(1, Ordering::SeqCst);
    let alone = engine.start("alone", keeps_what_is_brittle(5)).await.unwrap();
    let called = engine.start("called", calls_what_keeps(4)).await.unwrap();
    for handle in [&alone, &called] {
        handle.result().await.unwrap_err();
        panicked(&handle.describe().await.unwrap(), "Brittle(5) broke as it was written");
    }

    BRITTLE.store(0, Ordering::SeqCst);
    for handle in [&alone, &called] {
        handle.retry_now().await.unwrap();
    }
    engine.idle().await;
    BRITTLE.store(2, Ordering::SeqCst);
    engine.advance(HOUR).await;
    for handle in [&alone, &called] {
        handle.result().await.unwrap_err();
        panicked(&handle.describe().await.unwrap(), "it broke as it was read");
    }

    BRITTLE.store(0, Ordering::SeqCst);
    for handle in [&alone, &called] {
        handle.retry_now().await.unwrap();
    }
    assert_eq!(alone.result().await.unwrap(), 5);
    assert_eq!(called.result().await.unwrap(), 10);
}

#[workflow]
async fn panics_at_once(n: u32) -> u32 {
    std::panic::panic_any(n)
}

#[tokio::test]
async fn a_panic_in_the_first_step_parks_too_whatever_it_carries() {
    let engine = testing::engine().open().await;
    let handle = engine.start("first", panics_at_once(7)).await.unwrap();
    assert!(handle.created(), "the start is durable though its first step fails");
    handle.result().await.unwrap_err();
    engine.crash_and_reopen().await;
    let description = engine.handle("first").describe().await.unwrap();
    assert!(matches!(description.parked(), Some(ParkReason::Panicked { .. })), "{description}");
    assert_eq!(description.steps, 0);
    engine.handle("first").terminate("it is a test").await.unwrap();
    assert_eq!(engine.handle("first").describe().await.unwrap().status, Status::Terminated);
}
