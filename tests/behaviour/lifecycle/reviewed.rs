//! Ends that come at an awkward moment.

use durable::{
    OnClose, child, instance,
    prelude::*,
    spawn,
    testing::{self, mock},
};
use serde::{Deserialize, Serialize};

use crate::support::{DAY, HOUR, MINUTE};

#[derive(Debug, Serialize, Deserialize, Signal)]
struct Knock(u32);

#[derive(Debug, Serialize, Deserialize, Signal)]
struct Opened(u32);

#[activity(retry(max_attempts = 1))]
async fn paint() -> Result<(), Error> {
    bail!("no colour left")
}

#[activity(start_to_close = "1d")]
async fn scrape_off() -> Result<(), Error> {
    Ok(())
}

#[activity(park_when_exhausted, retry(max_attempts = 2, initial = "1s", jitter = 0))]
async fn hang_up() -> Result<(), Error> {
    bail!("no nail")
}

#[workflow]
async fn behind_the_door() -> u32 {
    recv::<Knock>().await.0
}

/// What it waits for is there before what it sends has arrived.
#[workflow]
async fn knocks_and_enters(door: String) -> Result<u32, SignalError> {
    let (knocked, opened) = (durable::signal(door, Knock(1)), recv::<Opened>()).join().await;
    knocked?;
    Ok(opened.0)
}

#[workflow(deadline = "1h")]
async fn painting() -> Result<(), Error> {
    compensate(scrape_off());
    paint().await
}

#[workflow]
async fn picture() -> Result<(), Error> {
    hang_up().await
}

#[workflow]
async fn begins_itself() -> Result<u32, CallError> {
    durable::start(instance().id, begins_itself()).await?;
    Ok(3)
}

#[workflow]
async fn grown_up() -> Result<u32, Error> {
    sleep(DAY).await;
    Ok(5)
}

#[workflow]
async fn leaves_its_child() -> u32 {
    spawn(child("left", grown_up()).on_close(OnClose::Abandon)).detach();
    1
}

/// A worker that has died leaves everybody waiting.
async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(MINUTE / 4, what).await.expect("it comes to an end")
}

#[tokio::test]
async fn a_join_goes_on_if_all_that_it_lacked_was_the_receipt_of_what_it_sent() {
    let engine = testing::engine().open().await;
    engine.start("door", behind_the_door()).await.unwrap();
    let knocks = engine.start("a", knocks_and_enters("door".into())).with_signal(Opened(7)).await.unwrap();
    assert_eq!(soon(knocks.result()).await.unwrap(), Ok(7));
}

#[tokio::test]
async fn a_deadline_that_passes_while_compensations_run_changes_nothing() {
    let engine = testing::engine().mock(mock(scrape_off).delay(3 * HOUR).then(|| Ok(()))).open().await;
    let handle = engine.start("a", painting()).await.unwrap();
    let error = soon(handle.result()).await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "no colour left");
    let described = handle.describe().await.unwrap();
    assert_eq!((described.status, described.compensations.len()), (Status::Failed, 0));
}

#[tokio::test]
async fn a_workflow_that_starts_itself_finds_that_it_is_there() {
    let engine = testing::engine().open().await;
    let handle = engine.start("a", begins_itself()).await.unwrap();
    assert_eq!(soon(handle.result()).await.unwrap(), Ok(3));
}

#[tokio::test]
async fn a_child_that_may_outlive_its_parent_is_created_even_if_that_returns_at_once() {
    let engine = testing::engine().open().await;
    assert_eq!(soon(engine.start("a", leaves_its_child()).await.unwrap().result()).await.unwrap(), 1);
    let left = engine.handle("a/left").of(grown_up);
    assert_eq!(soon(left.result()).await.unwrap().unwrap(), 5);
}

#[tokio::test]
async fn a_parked_instance_that_is_resumed_stays_parked_and_makes_no_attempt() {
    let engine = testing::engine().open().await;
    let handle = engine.start("a", picture()).await.unwrap();
    engine.advance(MINUTE).await;
    assert!(engine.calls(hang_up) == 2);
    handle.pause().await.unwrap();
    handle.resume().await.unwrap();
    engine.advance(MINUTE).await;
    assert!(matches!(handle.describe().await.unwrap().status, Status::Parked(_)));
    assert!(engine.calls(hang_up) == 2, "nobody asked for another one");
    handle.retry_now().await.unwrap();
    engine.advance(MINUTE).await;
    assert!(engine.calls(hang_up) > 2);
}
