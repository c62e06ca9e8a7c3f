//! Time-outs: of an attempt, of all attempts together, and of silence.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use durable::{
    Timeout,
    prelude::*,
    testing::{self, mock},
};

use crate::support::{Gate, HOUR, MILLISECOND, MINUTE, SECOND, since};

#[activity(start_to_close = "30s", retry(initial = "1s", max_attempts = 2, jitter = 0))]
async fn slow_attempt() -> Result<(), Error> {
    Ok(())
}

#[workflow]
async fn call_slow_attempt() -> Result<(), Error> {
    slow_attempt().await
}

#[tokio::test]
async fn an_attempt_that_takes_longer_than_its_start_to_close_is_given_up_and_made_again() {
    let slow = mock(slow_attempt).delay(10 * MINUTE).then(|| Ok(()));
    let engine = testing::engine().mock(slow).open().await;
    let start = engine.now();
    let error = engine.run(call_slow_attempt()).await.unwrap().unwrap_err();
    let expected = CallError::TimedOut { what: Timeout::StartToClose, after: 30 * SECOND };
    assert_eq!(error.call_error(), Some(&expected));
    assert!(engine.calls(slow_attempt) == 2);
    assert_eq!(since(&engine, start), 61 * SECOND, "30 s, a second of back-off, 30 s");
}

#[tokio::test]
async fn an_attempt_that_takes_just_less_is_not_given_up() {
    let slow = mock(slow_attempt).delay(30 * SECOND - MILLISECOND).then(|| Ok(()));
    let engine = testing::engine().mock(slow).open().await;
    engine.run(call_slow_attempt()).await.unwrap().unwrap();
    assert!(engine.calls(slow_attempt) == 1);
}

#[activity(retry(max_attempts = 1))]
async fn without_options() -> Result<(), Error> {
    Ok(())
}

#[workflow]
async fn call_without_options() -> Result<(), Error> {
    without_options().await
}

#[tokio::test]
async fn five_minutes_are_the_default_of_start_to_close() {
    let slow = mock(without_options).delay(HOUR).then(|| Ok(()));
    let engine = testing::engine().mock(slow).open().await;
    let start = engine.now();
    let error = engine.run(call_without_options()).await.unwrap().unwrap_err();
    let expected = CallError::TimedOut { what: Timeout::StartToClose, after: 5 * MINUTE };
    assert_eq!(error.call_error(), Some(&expected));
    assert_eq!(since(&engine, start), 5 * MINUTE);
}

#[activity(schedule_to_close = "1min", retry(initial = "10s", backoff = 2.0, jitter = 0))]
async fn within_a_minute() -> Result<(), Error> {
    bail!("not yet")
}

#[workflow]
async fn call_within_a_minute() -> Result<(), Error> {
    within_a_minute().await
}

#[tokio::test]
async fn no_attempt_begins_after_schedule_to_close_and_the_last_error_is_the_result() {
    let engine = testing::engine().open().await;
    let start = engine.now();
    let error = engine.run(call_within_a_minute()).await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "not yet");
    assert!(engine.calls(within_a_minute) == 3, "at 0, 10 and 30 s; 70 s would be too late");
    assert_eq!(since(&engine, start), 30 * SECOND);
}

#[tokio::test]
async fn schedule_to_close_cuts_an_attempt_off() {
    let slow = mock(within_a_minute).delay(2 * MINUTE).then(|| Ok(()));
    let engine = testing::engine().mock(slow).open().await;
    let start = engine.now();
    let error = engine.run(call_within_a_minute()).await.unwrap().unwrap_err();
    let expected = CallError::TimedOut { what: Timeout::ScheduleToClose, after: MINUTE };
    assert_eq!(error.call_error(), Some(&expected));
    assert!(engine.calls(within_a_minute) == 1);
    assert_eq!(since(&engine, start), MINUTE);
}

#[tokio::test]
async fn schedule_to_close_counts_from_the_call_and_not_from_the_restart() {
    let engine = testing::engine().open().await;
    let start = engine.now();
    engine.start("minute", call_within_a_minute()).await.unwrap();
    engine.advance(15 * SECOND).await;
    engine.crash_and_reopen().await;
    let error = engine.handle("minute").of(call_within_a_minute).result().await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "not yet");
    assert_eq!(since(&engine, start), 30 * SECOND);
}

#[activity(heartbeat = "10s", retry(max_attempts = 1))]
async fn silent() -> Result<(), Error> {
    Ok(())
}

#[workflow]
async fn call_silent() -> Result<(), Error> {
    silent().await
}

#[tokio::test]
async fn silence_longer_than_the_heartbeat_fails_the_attempt() {
    let slow = mock(silent).delay(HOUR).then(|| Ok(()));
    let engine = testing::engine().mock(slow).open().await;
    let start = engine.now();
    let error = engine.run(call_silent()).await.unwrap().unwrap_err();
    assert_eq!(error.call_error(), Some(&CallError::HeartbeatLost { after: 10 * SECOND }));
    assert_eq!(since(&engine, start), 10 * SECOND);
}

/// Takes far longer than its heartbeat, on the real clock, and shows that it lives.
#[activity(heartbeat = "1s", retry(max_attempts = 1))]
async fn lively(context: ActivityContext, beats: u32) -> Result<u32, Error> {
    for beat in 0..beats {
        context.heartbeat(&beat);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(beats)
}

#[workflow]
async fn call_lively(beats: u32) -> Result<u32, Error> {
    lively(beats).await
}

#[tokio::test]
async fn an_attempt_that_heartbeats_may_take_as_long_as_it_likes() {
    let directory = tempfile::tempdir().unwrap();
    let engine = Engine::open(directory.path().join("lively.redb")).await.unwrap();
    assert_eq!(engine.run(call_lively(15)).await.unwrap().unwrap(), 15);
}

#[derive(Default)]
struct Told {
    gate: Gate,
    told: AtomicU32,
}

/// Ignores its time-out, and looks only now and then whether it was cancelled.
#[activity(start_to_close = "50ms", retry(max_attempts = 1))]
fn stubborn(State(told): State<Told>, context: ActivityContext) -> Result<(), Error> {
    while !context.is_cancelled() {
        std::thread::yield_now();
        ensure!(context.attempt() == 1, "there is one attempt");
    }
    told.told.fetch_add(1, Ordering::SeqCst);
    told.gate.open(1);
    Ok(())
}

#[workflow]
async fn call_stubborn() -> Result<(), Error> {
    stubborn().await
}

#[tokio::test]
async fn a_blocking_attempt_that_was_given_up_is_told_so() {
    let directory = tempfile::tempdir().unwrap();
    let told = Arc::new(Told::default());
    let engine = Engine::builder().path(directory.path().join("told.redb")).state_arc(told.clone());
    let engine = engine.open().await.unwrap();
    let error = engine.run(call_stubborn()).await.unwrap().unwrap_err();
    assert!(matches!(error.call_error(), Some(CallError::TimedOut { .. })), "{error:?}");
    told.gate.pass().await;
    assert_eq!(told.told.load(Ordering::SeqCst), 1);
}

#[activity]
async fn known_deadline(context: ActivityContext) -> Option<std::time::SystemTime> {
    context.deadline()
}

#[workflow]
async fn ask_deadlines() -> Vec<Option<std::time::SystemTime>> {
    let by_default = known_deadline().await;
    let own = known_deadline().start_to_close(7 * SECOND).await;
    let of_all = known_deadline().schedule_to_close(SECOND).await;
    let none = known_deadline().heartbeat(SECOND).await;
    vec![by_default, own, of_all, none]
}

#[tokio::test]
async fn an_attempt_knows_its_deadline() {
    let engine = testing::engine().open().await;
    let start = engine.now();
    let expected = [Some(start + 5 * MINUTE), Some(start + 7 * SECOND), Some(start + SECOND), None];
    assert_eq!(engine.run(ask_deadlines()).await.unwrap(), expected);
}
