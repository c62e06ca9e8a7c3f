//! `race` and `timeout`.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use durable::{
    prelude::*,
    testing::{self, mock},
};

use crate::support::{DAY, HOUR, MILLISECOND, MINUTE, since};

#[activity(start_to_close = "1d")]
async fn ask_north(what: &str) -> String {
    format!("north: {what}")
}

#[activity(start_to_close = "1d")]
async fn ask_south(what: &str) -> String {
    format!("south: {what}")
}

#[activity]
async fn note_winner(winner: &str) -> usize {
    winner.len()
}

#[workflow]
async fn first_answer() -> String {
    let answer = (ask_north("fire"), ask_south("fire")).race().await;
    note_winner(&answer).await;
    sleep(DAY).await;
    let again = vec![ask_north("ice"), ask_north("ice")].race().await;
    format!("{answer}, {again}")
}

#[tokio::test]
async fn the_first_that_is_done_wins_wherever_it_stands() {
    let north = mock(ask_north).delay(HOUR).then(|what| format!("north: {what}"));
    let south = mock(ask_south).delay(MINUTE).then(|what| format!("south: {what}"));
    let engine = testing::engine().mock(north).mock(south).open().await;
    assert_eq!(engine.run(first_answer()).await.unwrap(), "south: fire, north: ice");
}

#[tokio::test]
async fn a_race_that_is_decided_is_decided_whatever_crashes() {
    let setup = |builder: testing::TestBuilder| {
        let north = mock(ask_north).delay(HOUR).then(|what| format!("north: {what}"));
        let south = mock(ask_south).delay(MINUTE).then(|what| format!("south: {what}"));
        builder.mock(north).mock(south)
    };
    let report = testing::crash_at_every_step(first_answer).with(setup).await;
    assert!(report.crashes >= 4, "{report:?}");
}

/// How many have begun, and how many were told to stop.
#[derive(Clone, Default)]
struct Told(Arc<(AtomicUsize, AtomicUsize)>);

#[activity]
async fn until_told(State(told): State<Told>, context: ActivityContext) -> String {
    told.0.0.fetch_add(1, Ordering::SeqCst);
    context.cancelled().await;
    told.0.1.fetch_add(1, Ordering::SeqCst);
    "told".to_owned()
}

#[workflow]
async fn impatient() -> (bool, String) {
    let timed = until_told().timeout(300 * MILLISECOND).await;
    let called = (waits_for_told(), in_a_while()).race().await;
    sleep(DAY).await;
    (timed.is_err(), called)
}

#[workflow]
async fn waits_for_told() -> String {
    (until_told(), until_told()).join().await.0
}

#[workflow]
async fn in_a_while() -> String {
    sleep(300 * MILLISECOND).await;
    "in a while".to_owned()
}

#[tokio::test]
async fn losers_are_told_also_in_called_workflows_and_compositions() {
    let told = Told::default();
    let engine = super::real_engine(|builder| builder.state(told.clone())).await;
    let handle = engine.start("a", impatient()).await.unwrap();
    while told.0.1.load(Ordering::SeqCst) < 3 {
        tokio::time::sleep(MILLISECOND).await;
    }
    assert_eq!(told.0.0.load(Ordering::SeqCst), 3);
    let described = handle.describe().await.unwrap();
    assert!(described.activities.is_empty(), "nobody waits for them: {described}");
    let text = described.to_string();
    assert!(text.contains("waits on sleep") && text.contains("called = \"in a while\""), "{text}");
}

#[workflow]
async fn patient(time: std::time::Duration) -> Result<String, Elapsed> {
    let answer = ask_north("x").timeout(time).await?;
    let join = (ask_north("y"), sleep(MINUTE)).join().timeout(DAY).await?;
    Ok(answer + ", " + &join.0)
}

#[tokio::test]
async fn a_timeout_gives_the_value_or_elapsed_and_leaves_no_timer() {
    let north = || mock(ask_north).delay(HOUR).then(|what| format!("north: {what}"));
    let engine = testing::engine().mock(north()).open().await;
    assert_eq!(engine.run(patient(MINUTE)).await.unwrap(), Err(Elapsed));
    let start = engine.now();
    let handle = engine.start("a", patient(2 * HOUR)).await.unwrap();
    engine.advance(90 * MINUTE).await;
    let timers = handle.describe().await.unwrap().timers;
    assert_eq!(timers, [start + HOUR + DAY], "the timer of the first one is cleared");
    assert_eq!(handle.result().await.unwrap().unwrap(), "north: x, north: y");
    testing::crash_at_every_step(|| patient(2 * HOUR)).await;
}

#[workflow]
async fn named(handle: Handle<()>, name: String) -> String {
    handle.await;
    name
}

#[workflow]
async fn what_was_due_first() -> usize {
    let timers = vec![spawn(sleep(3 * HOUR)), spawn(sleep(HOUR)), spawn(sleep(2 * HOUR))];
    sleep(DAY).await;
    let calls: Vec<_> = timers.into_iter().zip(["c", "a", "b"]).collect();
    let calls: Vec<_> = calls.into_iter().map(|(timer, name)| named(timer, name.into())).collect();
    match calls.race().await.as_str() {
        "a" => 1,
        "b" => 2,
        _ => 3,
    }
}

#[tokio::test]
async fn what_was_committed_first_wins_although_all_are_done_when_the_race_begins() {
    let engine = testing::engine().open().await;
    let start = engine.now();
    assert_eq!(engine.run(what_was_due_first()).await.unwrap(), 1);
    assert_eq!(since(&engine, start), DAY);
    testing::crash_at_every_step(what_was_due_first).await;
}
