//! A value that would come back as another one is never committed: the instance parks with a reason
//! that names it, and loses nothing.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use durable::{
    ParkReason, StartError,
    prelude::*,
    testing::{self, TestEngine, mock},
};
use serde::{Deserialize, Serialize, Serializer};

use crate::support::HOUR;

/// Rounds when it is written, and so comes back as another one.
#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Rounded {
    value: u32,
}

impl Serialize for Rounded {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Stored {
            value: u32,
        }
        // What was read once is rounded once more when it is compared.
        Stored { value: self.value / 2 }.serialize(serializer)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Measured {
    label: String,
    sizes: Vec<Rounded>,
}

fn measured() -> Measured {
    Measured { label: "m".into(), sizes: vec![Rounded { value: 0 }, Rounded { value: 9 }] }
}

/// Refuses to be written.
#[derive(Clone, Debug, Deserialize)]
struct Refusing;

impl Serialize for Refusing {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("a socket can't be written"))
    }
}

#[activity]
async fn measure(n: u32) -> u32 {
    n + 1
}

#[activity]
async fn measure_badly(n: u32) -> Measured {
    let _ = n;
    measured()
}

#[activity]
async fn weigh_measured(measured: &Measured) -> u32 {
    u32::try_from(measured.sizes.len()).unwrap_or(u32::MAX)
}

#[workflow]
async fn takes_a_lossy_argument(measured: Measured) -> u32 {
    measured.sizes[0].value
}

#[workflow]
async fn keeps_a_lossy_local(n: u32) -> u32 {
    let n = measure(n).await;
    let kept = measured();
    sleep(HOUR).await;
    kept.sizes[0].value + n
}

#[workflow]
async fn passes_a_lossy_argument(n: u32) -> u32 {
    let n = measure(n).await;
    n + weigh_measured(&measured()).await
}

#[workflow]
async fn gets_a_lossy_result(n: u32) -> u32 {
    let n = measure(n).await;
    let result = measure_badly(n).await;
    result.sizes[1].value
}

#[workflow]
async fn returns_a_lossy_result(n: u32) -> Measured {
    measure(n).await;
    measured()
}

#[workflow]
async fn keeps_a_refusing_local(n: u32) -> u32 {
    let n = measure(n).await;
    let kept = Refusing;
    sleep(HOUR).await;
    drop(kept);
    n
}

/// Why an instance is parked; its completed activity must not run again, however often it is tried.
async fn parked_for_good(engine: &TestEngine, id: &str) -> String {
    engine.idle().await;
    let first = engine.handle(id).describe().await.unwrap();
    engine.handle(id).retry_now().await.unwrap();
    engine.idle().await;
    engine.crash_and_reopen().await;
    engine.idle().await;
    let description = engine.handle(id).describe().await.unwrap();
    assert_eq!(description.steps, first.steps, "it stands where it stood");
    assert!(engine.calls(measure) == 1, "the completed activity is not repeated");
    match description.parked() {
        Some(ParkReason::Incompatible { reason }) => reason.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_lossy_argument_is_refused_at_the_start() {
    let engine = testing::engine().open().await;
    let refused = engine.start("lossy", takes_a_lossy_argument(measured())).await.unwrap_err();
    let text = refused.to_string();
    assert!(matches!(refused, StartError::Args { workflow: "takes_a_lossy_argument", .. }), "{refused:?}");
    assert!(text.contains(".sizes[1].value"), "{text}");
    assert!(engine.list(Filter::new()).await.unwrap().is_empty(), "and nothing is started");
}

#[tokio::test]
async fn a_lossy_local_parks_the_instance_with_its_type_and_path() {
    let engine = testing::engine().open().await;
    engine.start("lossy", keeps_a_lossy_local(1)).await.unwrap();
    let reason = parked_for_good(&engine, "lossy").await;
    for part in ["kept", "Measured", ".sizes[1].value", "wrote", "read back"] {
        assert!(reason.contains(part), "`{part}` in: {reason}");
    }
}

#[tokio::test]
async fn a_lossy_argument_of_an_activity_parks_the_instance() {
    let engine = testing::engine().open().await;
    engine.start("lossy", passes_a_lossy_argument(1)).await.unwrap();
    let reason = parked_for_good(&engine, "lossy").await;
    assert!(reason.contains("weigh_measured") && reason.contains(".sizes[1].value"), "{reason}");
    assert!(engine.calls(weigh_measured) == 0);
}

#[tokio::test]
async fn a_lossy_result_of_an_activity_parks_the_instance() {
    let engine = testing::engine().open().await;
    engine.start("lossy", gets_a_lossy_result(1)).await.unwrap();
    let reason = parked_for_good(&engine, "lossy").await;
    assert!(reason.contains("Measured") && reason.contains(".sizes[1].value"), "{reason}");
}

#[tokio::test]
async fn a_lossy_result_of_a_workflow_parks_the_instance() {
    let engine = testing::engine().open().await;
    engine.start("lossy", returns_a_lossy_result(1)).await.unwrap();
    let reason = parked_for_good(&engine, "lossy").await;
    assert!(reason.contains("returns_a_lossy_result") && reason.contains(".sizes[1].value"), "{reason}");
}

#[tokio::test]
async fn a_local_that_refuses_to_be_written_parks_the_instance_with_what_it_says() {
    let engine = testing::engine().open().await;
    engine.start("lossy", keeps_a_refusing_local(1)).await.unwrap();
    let reason = parked_for_good(&engine, "lossy").await;
    assert!(reason.contains("Refusing") && reason.contains("a socket can't be written"), "{reason}");
}

static FIXED: AtomicBool = AtomicBool::new(false);

/// Can't be written until it is fixed.
#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Repaired {
    value: u32,
}

impl Serialize for Repaired {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Stored {
            value: u32,
        }
        let value = if FIXED.load(Ordering::SeqCst) { self.value } else { self.value / 2 };
        Stored { value }.serialize(serializer)
    }
}

#[workflow]
async fn keeps_a_repaired_local(n: u32) -> u32 {
    let measured = measure(n).await;
    let kept = Repaired { value: measured + 100 };
    sleep(HOUR).await;
    kept.value + n
}

#[tokio::test]
async fn once_its_serialize_is_fixed_the_instance_goes_on_with_all_it_had() {
    let seen = Arc::new(AtomicBool::new(false));
    let first = seen.clone();
    // Twice is once too often, whatever it gives.
    let once = mock(measure).then(move |n| {
        assert!(!first.swap(true, Ordering::SeqCst), "measured again");
        n + 1
    });
    let engine = testing::engine().mock(once).open().await;
    engine.start("lossy", keeps_a_repaired_local(7)).await.unwrap();
    engine.idle().await;
    assert!(engine.handle("lossy").describe().await.unwrap().parked().is_some());

    FIXED.store(true, Ordering::SeqCst);
    let fixed = engine.reopen_as_build(2).await;
    let result = fixed.handle("lossy").of(keeps_a_repaired_local).result().await.unwrap();
    assert_eq!(result, 8 + 100 + 7);
    assert!(seen.load(Ordering::SeqCst));
}
