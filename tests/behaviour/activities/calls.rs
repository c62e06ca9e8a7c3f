//! Calls: parameters by reference, options of one call, and the function itself in a unit test.

use std::path::Path;

use durable::{
    Timeout,
    prelude::*,
    testing::{self, mock},
};
use serde::{Deserialize, Serialize};

use crate::support::{MINUTE, SECOND, since};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Line {
    sku: String,
    quantity: u32,
}

#[activity]
async fn summary(title: &str, lines: &[Line], first: &Line, file: &Path, (a, b): (u8, u8)) -> String {
    let quantity: u32 = lines.iter().map(|line| line.quantity).sum();
    format!("{title}: {quantity} from {} in {} {}", first.sku, file.display(), a + b)
}

#[workflow]
async fn summarise(lines: Vec<Line>) -> (String, Vec<Line>) {
    let title = String::from("total");
    let text = summary(&title, &lines, &lines[0], Path::new("a/b.txt"), (3, 4)).await;
    (text, lines)
}

#[tokio::test]
async fn parameters_may_be_references() {
    let lines: Vec<Line> = (1..4).map(|n| Line { sku: format!("s{n}"), quantity: n }).collect();
    let engine = testing::engine().open().await;
    let (text, same) = engine.run(summarise(lines.clone())).await.unwrap();
    assert_eq!(text, "total: 6 from s1 in a/b.txt 7");
    assert_eq!(same, lines);
    let calls = engine.calls(summary);
    let (title, stored, first, file, pair) = &calls[0];
    assert_eq!((title.as_str(), stored, first, pair), ("total", &lines, &lines[0], &(3, 4)));
    assert_eq!(file, Path::new("a/b.txt"));
}

type Outcome<T> = Result<T, Error>;

/// Its result is a `Result` by type, whatever its alias is called.
#[activity(retry(max_attempts = 5, initial = "1min", jitter = 0), start_to_close = "1h")]
async fn tuned(n: u32) -> Outcome<u32> {
    bail!("{n} fails")
}

#[workflow]
async fn tune(n: u32) -> Outcome<u32> {
    let quick = Retry::attempts(2).initial(SECOND);
    tuned(n).retry(quick).await
}

#[workflow]
async fn tune_time(n: u32) -> Outcome<u32> {
    tuned(n).start_to_close(SECOND).retry(Retry::none()).await
}

#[workflow]
async fn tune_total(n: u32) -> Outcome<u32> {
    tuned(n).schedule_to_close(90 * SECOND).retry(Retry::forever()).await
}

#[workflow]
async fn untuned(n: u32) -> Outcome<u32> {
    tuned(n).await
}

#[tokio::test]
async fn a_call_sets_its_own_retries_and_the_rest_is_the_activitys() {
    let engine = testing::engine().open().await;
    let start = engine.now();
    engine.run(tune(7)).await.unwrap().unwrap_err();
    assert!(engine.calls(tuned) == 2);
    assert_eq!(since(&engine, start), SECOND);
    let start = engine.now();
    engine.run(untuned(7)).await.unwrap().unwrap_err();
    assert!(engine.calls(tuned) == 7, "another call is as the activity says");
    assert_eq!(since(&engine, start), (1 + 2 + 4 + 8) * MINUTE);
}

#[tokio::test]
async fn a_call_sets_its_own_time_outs() {
    let engine = testing::engine().mock(mock(tuned).delay(MINUTE).then(Ok)).open().await;
    let error = engine.run(tune_time(7)).await.unwrap().unwrap_err();
    let expected = CallError::TimedOut { what: Timeout::StartToClose, after: SECOND };
    assert_eq!(error.call_error(), Some(&expected));
    assert_eq!(engine.run(tune_total(7)).await.unwrap().unwrap(), 7);

    let engine = testing::engine().open().await;
    let start = engine.now();
    let error = engine.run(tune_total(7)).await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "7 fails");
    assert_eq!(since(&engine, start), MINUTE, "attempts at 0 and 60 s; 180 s would be too late");
}

#[tokio::test]
async fn options_of_a_call_survive_a_crash() {
    let engine = testing::engine().open().await;
    let start = engine.now();
    engine.start("tuned", tune(7)).await.unwrap();
    engine.idle().await;
    engine.crash_and_reopen().await;
    engine.handle("tuned").of(tune).result().await.unwrap().unwrap_err();
    assert!(engine.calls(tuned) == 2);
    assert_eq!(since(&engine, start), SECOND);
}

struct Prefix(&'static str);

#[activity(retry(max_attempts = 1))]
async fn greet(State(prefix): State<Prefix>, context: ActivityContext, name: &str) -> Result<String, Error> {
    let page = context.last_heartbeat::<u32>().unwrap_or_default();
    ensure!(!context.is_cancelled(), "cancelled");
    Ok(format!("{}, {name}: {page} at attempt {}", prefix.0, context.attempt()))
}

#[tokio::test]
async fn in_a_unit_test_a_call_runs_the_function_itself() {
    let plain = testing::call(greet("ann")).state(Prefix("hello")).await.unwrap();
    assert_eq!(plain, "hello, ann: 0 at attempt 1");
    let third = testing::call(greet("bob")).state(Prefix("hi")).attempt(3).last_heartbeat(&9_u32);
    assert_eq!(third.await.unwrap(), "hi, bob: 9 at attempt 3");
    let cancelled = testing::call(greet("eve")).state(Prefix("hi")).cancelled().await;
    assert_eq!(cancelled.unwrap_err().to_string(), "cancelled");
    assert_eq!(testing::call(double(21)).await, 42);
}

#[tokio::test]
#[should_panic(expected = "greet")]
async fn in_a_unit_test_a_missing_state_is_a_panic_that_names_it() {
    let _ = testing::call(greet("ann")).await;
}

#[activity]
fn double(n: u32) -> u32 {
    2 * n
}
