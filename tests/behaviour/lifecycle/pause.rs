//! Holding an instance back, and letting it go on.

use std::sync::Arc;

use durable::{
    prelude::*,
    testing::{self, mock},
};

use crate::support::{DAY, Gate, HOUR, SECOND};

#[activity]
async fn lift(State(gate): State<Gate>, floor: u32) -> u32 {
    gate.pass().await;
    floor
}

#[activity]
async fn lower(floor: u32) -> Result<u32, Error> {
    Ok(floor)
}

#[workflow]
async fn up_and_down() -> Result<u32, Error> {
    let up = lift(3).await;
    sleep(HOUR).await;
    lower(up).await
}

#[workflow]
async fn only_down() -> Result<u32, Error> {
    lower(1).await
}

#[tokio::test]
async fn what_a_running_activity_gives_is_kept_and_nothing_follows_until_it_is_resumed() {
    let gate = Arc::new(Gate::default());
    let engine = testing::engine().state_arc(gate.clone()).open().await;
    let handle = engine.start("a", up_and_down()).await.unwrap();
    gate.arrival().await;
    handle.pause().await.unwrap();
    gate.open(1);
    engine.advance(DAY).await;
    let paused = handle.describe().await.unwrap();
    assert_eq!(paused.status, Status::Paused);
    assert!(paused.timers.is_empty(), "it has not gone on");

    engine.crash_and_reopen().await;
    engine.advance(DAY).await;
    let handle = engine.handle("a").of(up_and_down);
    assert_eq!(handle.describe().await.unwrap().status, Status::Paused);
    handle.resume().await.unwrap();
    engine.idle().await;
    assert_eq!(handle.describe().await.unwrap().timers.len(), 1);
    assert!(engine.calls(lift) == 1, "what it gave was kept");

    handle.pause().await.unwrap();
    engine.advance(DAY).await;
    assert!(engine.calls(lower) == 0, "the timer has fired, and nothing steps");
    handle.resume().await.unwrap();
    assert_eq!(handle.result().await.unwrap().unwrap(), 3);
}

#[tokio::test]
async fn no_attempt_begins_while_it_is_paused() {
    let engine = testing::engine().mock(mock(lower).fails(3)).open().await;
    let handle = engine.start("a", only_down()).await.unwrap();
    engine.advance(SECOND / 2).await;
    assert!(engine.calls(lower) == 1);
    handle.pause().await.unwrap();
    engine.advance(DAY).await;
    engine.crash_and_reopen().await;
    engine.advance(DAY).await;
    assert!(engine.calls(lower) == 1, "its back-off is over, and it is paused");
    let handle = engine.handle("a").of(only_down);
    handle.resume().await.unwrap();
    engine.idle().await;
    assert!(engine.calls(lower) == 2, "it was due");
    // Resumed before its back-off is over, it waits for the rest of it.
    handle.pause().await.unwrap();
    handle.resume().await.unwrap();
    engine.idle().await;
    assert!(engine.calls(lower) == 2);
    assert_eq!(handle.result().await.unwrap().unwrap(), 1);
    assert!(engine.calls(lower) == 4);
}

#[tokio::test]
async fn calls_that_wait_for_their_turn_begin_after_it_is_resumed() {
    let gate = Arc::new(Gate::default());
    let engine = testing::engine().state_arc(gate.clone()).max_concurrent_activities(1).open().await;
    engine.start("first", up_and_down()).await.unwrap();
    gate.arrival().await;
    let second = engine.start("second", up_and_down()).await.unwrap();
    second.pause().await.unwrap();
    gate.open(1);
    engine.idle().await;
    assert_eq!(gate.unseen(), 0, "the second was in the queue, and is held back");
    second.resume().await.unwrap();
    gate.arrival().await;
    gate.open(1);
    assert_eq!(second.result().await.unwrap().unwrap(), 3);
    assert!(engine.calls(lift) == 2);
}

#[tokio::test]
async fn told_to_end_it_ends_when_it_is_resumed() {
    let engine = testing::engine().mock(mock(lower).fails(100)).open().await;
    let handle = engine.start("a", only_down()).await.unwrap();
    handle.pause().await.unwrap();
    handle.cancel("enough").await.unwrap();
    engine.idle().await;
    assert_eq!(handle.describe().await.unwrap().status, Status::Paused);
    handle.resume().await.unwrap();
    let error = handle.result().await.unwrap_err();
    assert!(matches!(&error, RunError::Cancelled { why, .. } if why == "enough"), "{error:?}");
}

#[tokio::test]
async fn a_call_that_outlasts_the_pause_is_not_made_once_more_beside_itself() {
    let engine = testing::engine().mock(mock(lift).delay(8 * SECOND).returns(3)).open().await;
    let handle = engine.start("a", up_and_down()).await.unwrap();
    engine.idle().await;
    handle.pause().await.unwrap();
    // Its attempt began at a time that is still to come, by this clock.
    engine.set_clock(engine.now() - SECOND);
    handle.resume().await.unwrap();
    engine.advance(2 * SECOND).await;
    assert!(engine.calls(lift) == 1, "a second attempt was made while the first one ran");
    engine.advance(DAY).await;
    assert_eq!(handle.result().await.unwrap().unwrap(), 3);
    assert!(engine.calls(lift) == 1);
}
