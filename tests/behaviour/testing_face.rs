//! The testing face itself: mocks, the clock, crashes, and that a hang is an error.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, SystemTime},
};

use durable::{
    prelude::*,
    testing::{self, mock},
};

use crate::support::{DAY, HOUR, MINUTE, SECOND, since};

#[activity(retry(initial = "1s", jitter = 0))]
async fn convert_units(amount: u32, unit: &str) -> Result<String, Error> {
    Ok(format!("{amount} {unit}"))
}

#[workflow]
async fn conversion(amount: u32) -> Result<Vec<String>, Error> {
    let mut converted = Vec::new();
    for unit in [String::from("m"), String::from("km")] {
        converted.push(convert_units(amount, &unit).await?);
    }
    Ok(converted)
}

#[tokio::test]
async fn without_a_mock_the_activity_itself_runs_and_its_calls_are_seen() {
    let engine = testing::engine().open().await;
    assert_eq!(engine.run(conversion(3)).await.unwrap().unwrap(), ["3 m", "3 km"]);
    let calls = engine.calls(convert_units);
    assert_eq!(*calls, [(3, "m".to_owned()), (3, "km".to_owned())]);
    assert!(calls == 2 && calls > 1);
}

#[tokio::test]
async fn a_mock_fails_so_often_and_then_the_activity_itself_runs() {
    let engine = testing::engine().mock(mock(convert_units).fails(3)).open().await;
    let start = engine.now();
    assert_eq!(engine.run(conversion(3)).await.unwrap().unwrap(), ["3 m", "3 km"]);
    assert!(engine.calls(convert_units) == 5);
    assert_eq!(since(&engine, start), 7 * SECOND);
}

#[tokio::test]
async fn a_mock_takes_its_time_on_the_virtual_clock_and_answers_by_its_arguments() {
    let scripted =
        mock(convert_units).fails(1).delay(MINUTE).then(|amount, unit| Ok(format!("{}{unit}", amount * 2)));
    let engine = testing::engine().mock(scripted).open().await;
    let start = engine.now();
    let began = std::time::Instant::now();
    assert_eq!(engine.run(conversion(3)).await.unwrap().unwrap(), ["6m", "6km"]);
    assert_eq!(since(&engine, start), 3 * MINUTE + SECOND);
    assert!(began.elapsed() < MINUTE, "nobody waits for a virtual clock");
}

#[tokio::test]
async fn a_mock_returns_one_value_for_all_calls() {
    let engine = testing::engine().mock(mock(convert_units).returns(Ok("same".into()))).open().await;
    assert_eq!(engine.run(conversion(3)).await.unwrap().unwrap(), ["same", "same"]);
}

#[tokio::test]
async fn an_error_of_a_mock_is_treated_as_the_activitys_own() {
    let stern = mock(convert_units).then(|_, unit| Err(Error::msg(unit).non_retryable()));
    let engine = testing::engine().mock(stern).open().await;
    assert_eq!(engine.run(conversion(3)).await.unwrap().unwrap_err().to_string(), "m");
    assert!(engine.calls(convert_units) == 1);
}

#[workflow]
async fn doze(time: Duration) -> u32 {
    sleep(time).await;
    sleep(time).await;
    1
}

#[tokio::test]
async fn the_clock_moves_only_when_the_test_says_so() {
    let begin = SystemTime::UNIX_EPOCH + 20_000 * DAY;
    let engine = testing::engine().starting_at(begin).open().await;
    assert_eq!(engine.now(), begin);
    let handle = engine.start("doze", doze(HOUR)).await.unwrap();
    engine.idle().await;
    assert_eq!(engine.now(), begin, "being idle takes no time");
    engine.advance(30 * MINUTE).await;
    assert_eq!(engine.now(), begin + 30 * MINUTE);
    engine.advance(DAY).await;
    assert_eq!(engine.now(), begin + DAY + 30 * MINUTE);
    assert_eq!(handle.try_result().await.unwrap(), Some(1));
    // What was due on the way happened at its own time, the second sleep after the first.
    assert_eq!(handle.describe().await.unwrap().closed, Some(begin + 2 * HOUR));
}

#[tokio::test]
async fn the_clock_is_the_same_after_a_crash() {
    let engine = testing::engine().open().await;
    engine.advance(HOUR).await;
    let before = engine.now();
    let same = engine.crash_and_reopen().await;
    assert_eq!((engine.now(), same.now()), (before, before));
}

#[workflow]
async fn first_two_then_panic(n: u32) -> Result<u32, Error> {
    let text = convert_units(n, "m").await?;
    assert!(text.is_empty(), "not empty: {text}");
    Ok(n)
}

#[tokio::test]
async fn waiting_for_a_parked_instance_is_an_error_and_no_hang() {
    let engine = testing::engine().open().await;
    let error = engine.run(first_two_then_panic(3)).await.unwrap_err();
    match &error {
        RunError::Parked { reason, .. } => assert!(reason.contains("not empty: 3 m"), "{reason}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_thousand_attempts_are_an_error_and_no_hang() {
    let engine = testing::engine().mock(mock(convert_units).fails(u32::MAX)).open().await;
    let error = engine.run(conversion(3)).await.unwrap_err();
    match &error {
        RunError::Stuck { reason, .. } => {
            assert!(reason.contains("1000") && reason.contains("convert_units"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_crash_at_every_step_counts_its_crashes() {
    let report = testing::crash_at_every_step(|| conversion(3)).await;
    assert!((3..=5).contains(&report.crashes), "a start and two activities: {report:?}");
    let failing = testing::crash_at_every_step(|| conversion(3))
        .with(|builder| builder.mock(mock(convert_units).fails(3)))
        .await;
    assert_eq!(failing.crashes, report.crashes + 3, "each failed attempt is a commit");
}

/// How often `forgetful` went past its first activity.
static RUNS: AtomicU32 = AtomicU32::new(0);

/// Its outcome depends on how often it was run.
#[workflow]
async fn forgetful() -> Result<u32, Error> {
    convert_units(1, "m").await?;
    let runs = RUNS.fetch_add(1, Ordering::SeqCst);
    convert_units(2, "m").await?;
    Ok(runs)
}

#[tokio::test]
#[should_panic(expected = "changed the outcome")]
async fn an_outcome_that_depends_on_the_crashes_is_found() {
    testing::crash_at_every_step(forgetful).await;
}

#[workflow]
async fn always_parked(n: u32) -> Result<u32, Error> {
    let text = convert_units(n, "m").await?;
    panic!("always: {text}")
}

#[tokio::test]
async fn parking_is_an_outcome_too_and_the_same_after_every_crash() {
    let report = testing::crash_at_every_step(|| always_parked(3)).await;
    assert!(report.crashes >= 2, "{report:?}");
}

#[tokio::test]
async fn two_engines_of_one_seed_draw_alike_and_of_two_seeds_do_not() {
    let mut delays = Vec::new();
    for seed in [1, 1, 2] {
        let engine = testing::engine().seed(seed).mock(mock(jittery).fails(1)).open().await;
        let start = engine.now();
        engine.run(call_jittery()).await.unwrap().unwrap();
        delays.push(since(&engine, start));
    }
    assert_eq!(delays[0], delays[1]);
    assert_ne!(delays[0], delays[2]);
}

#[activity(retry(initial = "1h", jitter = 0.5))]
async fn jittery() -> Result<(), Error> {
    Ok(())
}

#[workflow]
async fn call_jittery() -> Result<(), Error> {
    jittery().await
}
