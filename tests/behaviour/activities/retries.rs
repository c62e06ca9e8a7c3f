//! Retries: the defaults, jitter, what is not retried, and what an error itself says about it.

use std::time::Duration;

use durable::{
    HistoryKind,
    prelude::*,
    testing::{self, mock},
};
use serde::{Deserialize, Serialize};

use crate::support::{MINUTE, SECOND, since};

#[activity]
async fn by_default(n: u32) -> Result<u32, Error> {
    Ok(n)
}

#[workflow]
async fn call_by_default(n: u32) -> Result<u32, Error> {
    by_default(n).await
}

/// The delays of an instance's back-offs, in milliseconds.
async fn delays<T>(handle: &WorkflowHandle<T>) -> Vec<u64> {
    let history = handle.history().await.unwrap().into_iter();
    history
        .filter_map(|event| match event.kind {
            HistoryKind::AttemptFailed { next_ms, .. } => Some(next_ms - event.at_ms),
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn the_default_policy_doubles_from_one_second_to_a_hundred_with_a_tenth_of_jitter() {
    let mut seen = Vec::new();
    for seed in 0..5 {
        let engine = testing::engine().seed(seed).mock(mock(by_default).fails(12)).open().await;
        let handle = engine.start("default", call_by_default(7)).await.unwrap();
        assert_eq!(handle.result().await.unwrap().unwrap(), 7);
        let delays = delays(&handle).await;
        assert_eq!(delays.len(), 12);
        for (attempt, delay) in delays.iter().enumerate() {
            let plain = (1_000 << attempt).min(100_000);
            let moved = plain / 10;
            assert!(
                (plain - moved..=plain + moved).contains(delay),
                "after attempt {}: {delay}",
                attempt + 1
            );
        }
        seen.extend(delays.into_iter().skip(7));
    }
    let (least, most) = (seen.iter().min().unwrap(), seen.iter().max().unwrap());
    assert!(most - least > 5_000, "the jitter is not used: {least} to {most}");
}

#[activity(retry(initial = "1s", backoff = 1.5, max_interval = "3s", jitter = 0))]
async fn without_jitter(n: u32) -> Result<u32, Error> {
    Ok(n)
}

#[workflow]
async fn call_without_jitter(n: u32) -> Result<u32, Error> {
    without_jitter(n).await
}

#[tokio::test]
async fn no_jitter_is_no_jitter() {
    let engine = testing::engine().mock(mock(without_jitter).fails(5)).open().await;
    let handle = engine.start("exact", call_without_jitter(7)).await.unwrap();
    assert_eq!(handle.result().await.unwrap().unwrap(), 7);
    assert_eq!(delays(&handle).await, [1_000, 1_500, 2_250, 3_000, 3_000]);
}

#[tokio::test]
async fn by_default_there_is_no_limit_on_attempts() {
    let engine = testing::engine().mock(mock(by_default).fails(500)).open().await;
    assert_eq!(engine.run(call_by_default(7)).await.unwrap().unwrap(), 7);
    assert!(engine.calls(by_default) == 501);
}

#[activity(retry(max_attempts = 4, initial = "1s", backoff = 1, jitter = 0))]
async fn four_times(n: u32) -> Result<u32, Error> {
    bail!("{n} is not ready")
}

#[workflow]
async fn call_four_times(n: u32) -> Result<u32, Error> {
    match four_times(n).await {
        Ok(n) => Ok(n),
        Err(error) => Err(error.context("gave up")),
    }
}

#[tokio::test]
async fn after_max_attempts_the_workflow_sees_the_last_error() {
    let engine = testing::engine().open().await;
    let start = engine.now();
    let error = engine.run(call_four_times(3)).await.unwrap().unwrap_err();
    assert_eq!(format!("{error:#}"), "gave up: 3 is not ready");
    assert!(engine.calls(four_times) == 4);
    assert_eq!(since(&engine, start), 3 * SECOND, "nothing is waited for after the last");
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
enum LoadError {
    #[error("status {code}")]
    Status { code: u16 },
    #[error("no such page")]
    Gone,
    #[error(transparent)]
    Call(#[from] CallError),
}

#[activity(
    retry(max_attempts = 3, jitter = 0),
    no_retry(LoadError::Gone | LoadError::Status { code: 400..=499 } if true)
)]
async fn load_page(code: u16) -> Result<(), LoadError> {
    match code {
        410 => Err(LoadError::Gone),
        200 => Ok(()),
        code => Err(LoadError::Status { code }),
    }
}

#[workflow]
async fn call_load_page(code: u16) -> Result<(), LoadError> {
    load_page(code).await
}

#[tokio::test]
async fn what_no_retry_names_is_not_retried_and_everything_else_is() {
    for (code, attempts) in [(200, 1), (410, 1), (400, 1), (499, 1), (500, 3), (399, 3)] {
        let engine = testing::engine().open().await;
        let result = engine.run(call_load_page(code)).await.unwrap();
        assert_eq!(result.is_ok(), code == 200, "{code}");
        assert!(engine.calls(load_page) == attempts, "{code}: {:?}", engine.calls(load_page).len());
    }
}

#[activity]
async fn hopeless(attempted: u32) -> Result<(), Error> {
    let number = "seven".parse::<u32>().context("reading the number")?;
    ensure!(number == attempted);
    Ok(())
}

#[activity]
async fn busy(context: ActivityContext) -> Result<u32, Error> {
    match context.attempt() {
        1 => Err(Error::msg("busy").retry_after(5 * MINUTE)),
        2 => Err(Error::msg("still busy").retry_after(Duration::ZERO)),
        3 => Err(Error::msg("not any more").non_retryable()),
        attempt => Ok(attempt),
    }
}

#[workflow]
async fn call_busy() -> Result<u32, Error> {
    busy().await
}

#[tokio::test]
async fn an_error_says_when_to_retry_and_when_not_to() {
    let engine = testing::engine().open().await;
    let start = engine.now();
    let handle = engine.start("busy", call_busy()).await.unwrap();
    let error = handle.result().await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "not any more");
    assert_eq!(delays(&handle).await, [300_000, 0]);
    assert!(engine.calls(busy) == 3);
    assert_eq!(since(&engine, start), 5 * MINUTE);
}

#[workflow]
async fn call_hopeless() -> Result<(), Error> {
    hopeless(7).retry(Retry::attempts(2)).await?;
    Ok(())
}

#[tokio::test]
async fn an_error_that_came_by_question_mark_keeps_its_chain() {
    let engine = testing::engine().open().await;
    let error = engine.run(call_hopeless()).await.unwrap().unwrap_err();
    assert_eq!(format!("{error:#}"), "reading the number: invalid digit found in string");
    assert!(engine.calls(hopeless) == 2);
}

/// An error of one's own that says itself whether it is worth another attempt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Refusal {
    final_word: bool,
}

impl From<CallError> for Refusal {
    fn from(_: CallError) -> Self {
        Refusal { final_word: false }
    }
}

impl RetryHint for Refusal {
    fn is_retryable(&self) -> bool {
        !self.final_word
    }

    fn retry_after(&self) -> Option<Duration> {
        Some(9 * SECOND)
    }
}

#[activity]
async fn ask_twice(context: ActivityContext) -> Result<(), Refusal> {
    Err(Refusal { final_word: context.attempt() == 2 })
}

#[workflow]
async fn call_ask_twice() -> Result<(), Refusal> {
    ask_twice().await
}

#[tokio::test]
async fn a_typed_error_gives_the_same_hints() {
    let engine = testing::engine().open().await;
    let start = engine.now();
    assert_eq!(engine.run(call_ask_twice()).await.unwrap(), Err(Refusal { final_word: true }));
    assert!(engine.calls(ask_twice) == 2);
    assert_eq!(since(&engine, start), 9 * SECOND);
}

#[activity(retry(initial = "1s", jitter = 0))]
async fn jumpy(context: ActivityContext) -> u32 {
    assert!(context.attempt() > 2, "jumped at attempt {}", context.attempt());
    context.attempt()
}

#[workflow]
async fn call_jumpy() -> u32 {
    jumpy().await
}

#[tokio::test]
async fn a_panic_is_a_failed_attempt_with_its_message_and_place() {
    let engine = testing::engine().open().await;
    let handle = engine.start("jumpy", call_jumpy()).await.unwrap();
    engine.idle().await;
    let description = handle.describe().await.unwrap();
    let pending = &description.activities[0];
    assert_eq!(pending.attempt, 2);
    let error = pending.last_error.as_deref().unwrap();
    assert!(error.contains("jumped at attempt 1") && error.contains("retries.rs:"), "{error}");
    assert_eq!(handle.result().await.unwrap(), 3);
    assert_eq!(delays(&handle).await, [1_000, 2_000]);
}

#[activity(retry(max_attempts = 2, jitter = 0))]
async fn breaks(n: u32) -> Result<u32, Error> {
    assert!(n == 0, "{n} is not nothing");
    Ok(n)
}

#[workflow]
async fn call_breaks(n: u32) -> Result<u32, Error> {
    breaks(n).await
}

#[tokio::test]
async fn a_panic_in_the_last_attempt_is_an_error_that_the_workflow_sees() {
    let engine = testing::engine().open().await;
    let error = engine.run(call_breaks(1)).await.unwrap().unwrap_err();
    match error.call_error() {
        Some(CallError::Panicked { message }) => assert!(message.contains("1 is not nothing"), "{message}"),
        other => panic!("{other:?}"),
    }
    assert!(engine.calls(breaks) == 2);
}
