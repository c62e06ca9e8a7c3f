//! Scenario 3: a crash during a back-off. Scenario 4: a long saga goes on where it stood.

use std::sync::{Arc, Mutex};

use durable::{
    Description, HistoryKind,
    prelude::*,
    testing::{self, mock},
};

use crate::support::{Cut, MILLISECOND, SECOND, ms, since};

#[activity(retry(initial = "10s", backoff = 2.0, jitter = 0))]
async fn ship_parcel(parcel: &str) -> Result<String, Error> {
    Ok(format!("{parcel} is on its way"))
}

#[workflow]
async fn ship(parcel: String) -> Result<String, Error> {
    ship_parcel(&parcel).await
}

#[tokio::test]
async fn after_a_crash_during_back_off_the_fourth_attempt_runs_when_it_was_due() {
    let engine = testing::engine().mock(mock(ship_parcel).fails(3)).open().await;
    let start = engine.now();
    engine.start("parcel", ship("parcel 7".into())).await.unwrap();
    engine.advance(30 * SECOND).await;
    assert!(engine.calls(ship_parcel) == 3, "attempts at 0 s, 10 s and 30 s");
    engine.advance(20 * SECOND).await;

    engine.crash_and_reopen().await;
    engine.idle().await;
    let handle = engine.handle("parcel").of(ship);
    let pending = handle.describe().await.unwrap().activities;
    assert_eq!(pending[0].attempt, 4);
    assert_eq!(pending[0].next_try, Some(start + 70 * SECOND));
    engine.advance(20 * SECOND - MILLISECOND).await;
    assert!(engine.calls(ship_parcel) == 3, "it neither starts over nor runs early");
    engine.advance(MILLISECOND).await;
    assert!(engine.calls(ship_parcel) == 4);
    assert_eq!(handle.result().await.unwrap().unwrap(), "parcel 7 is on its way");
    assert_eq!(since(&engine, start), 70 * SECOND);

    let completed = handle.history().await.unwrap().into_iter().find_map(|event| match event.kind {
        HistoryKind::ActivityCompleted { attempt, .. } => Some((attempt, event.at_ms)),
        _ => None,
    });
    assert_eq!(completed, Some((4, ms(start + 70 * SECOND))));
}

#[tokio::test]
async fn a_crash_in_each_back_off_neither_starts_over_nor_skips_ahead() {
    let engine = testing::engine().mock(mock(ship_parcel).fails(3)).open().await;
    let start = engine.now();
    engine.start("parcel", ship("parcel 7".into())).await.unwrap();
    for _ in 0..14 {
        engine.advance(5 * SECOND).await;
        engine.crash_and_reopen().await;
    }
    let result = engine.handle("parcel").of(ship).result().await.unwrap();
    assert_eq!(result.unwrap(), "parcel 7 is on its way");
    assert!(engine.calls(ship_parcel) == 4);
    assert_eq!(since(&engine, start), 70 * SECOND);
}

#[derive(Default)]
struct Saga {
    cut: Cut,
    booked: Mutex<Vec<u32>>,
}

#[activity]
async fn book(State(saga): State<Saga>, n: u32) -> Result<u32, Error> {
    saga.booked.lock().unwrap().push(n);
    saga.cut.pass(&n.to_string()).await;
    Ok(1)
}

#[workflow]
async fn long_saga(steps: u32) -> Result<u32, Error> {
    let mut booked = 0;
    for n in 1..=steps {
        booked += book(n).await?;
    }
    Ok(booked)
}

/// A saga of 47 bookings whose process dies in booking `n`: what it looked like before and after.
async fn saga_that_dies_at(n: u32) -> (Arc<Saga>, Description, Description) {
    let saga = Arc::new(Saga { cut: Cut::at(n.to_string()), ..Saga::default() });
    let engine = testing::engine().state_arc(saga.clone()).open().await;
    let handle = engine.start("saga", long_saga(47)).await.unwrap();
    saga.cut.reached().await;
    let before = handle.describe().await.unwrap();
    engine.crash_and_reopen().await;
    let after = engine.handle("saga").describe().await.unwrap();
    let booked = engine.handle("saga").of(long_saga).result().await.unwrap().unwrap();
    assert_eq!(booked, 47);
    (saga, before, after)
}

#[tokio::test]
async fn a_saga_of_47_steps_that_dies_in_the_46th_goes_on_with_the_46th() {
    let (saga, before, after) = saga_that_dies_at(46).await;
    let expected: Vec<u32> = (1..=46).chain(46..=47).collect();
    assert_eq!(*saga.booked.lock().unwrap(), expected, "no booking but the 46th is made again");
    assert_eq!(before.steps, 46, "the start and 45 bookings are committed");
    assert_eq!(after.steps, before.steps, "a restart is no step: nothing is replayed");
}

#[tokio::test]
async fn a_snapshot_is_as_small_after_45_steps_as_after_one() {
    let (_, early, _) = saga_that_dies_at(2).await;
    let (_, late, after) = saga_that_dies_at(46).await;
    assert_eq!((early.steps, late.steps), (2, 46));
    assert!(early.snapshot_bytes > 0);
    assert_eq!(late.snapshot_bytes, early.snapshot_bytes);
    assert_eq!(after.snapshot_bytes, early.snapshot_bytes);
}
