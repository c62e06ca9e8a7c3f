//! `spawn`, handles and `JoinSet`.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use durable::{
    Status,
    prelude::*,
    testing::{self, mock},
};

use crate::support::{DAY, HOUR, MILLISECOND, MINUTE, since};

#[activity]
async fn length_of(text: &str) -> usize {
    text.len()
}

#[workflow]
async fn doubled_length(text: String, wait: std::time::Duration) -> usize {
    sleep(wait).await;
    length_of(&text).await * 2
}

#[workflow]
async fn spawns_all_kinds() -> (usize, Vec<usize>, bool) {
    let timer = spawn(sleep(HOUR));
    let one = spawn(length_of("one"));
    let tasks: Vec<_> = (1..4).map(|n| spawn(doubled_length("x".repeat(n), MINUTE))).collect();
    sleep(DAY).await;
    let lengths = tasks.join().await;
    (one.await, lengths, timer.timeout(MINUTE).await.is_ok())
}

#[tokio::test]
async fn what_is_spawned_runs_at_once_and_is_awaited_whenever() {
    let engine = testing::engine().open().await;
    let start = engine.now();
    let handle = engine.start("a", spawns_all_kinds()).await.unwrap();
    engine.advance(2 * MINUTE).await;
    assert!(engine.calls(length_of) == 4, "one call and three tasks");
    assert_eq!(handle.result().await.unwrap(), (3, vec![2, 4, 6], true));
    assert_eq!(since(&engine, start), DAY, "all was done before it was awaited");
    let report = testing::crash_at_every_step(spawns_all_kinds).await;
    assert!(report.crashes >= 6, "{report:?}");
}

#[workflow]
async fn as_they_come(texts: Vec<(String, u64)>) -> (Vec<usize>, Vec<usize>, usize) {
    let mut set = JoinSet::new();
    for (text, minutes) in &texts {
        set.spawn(doubled_length(text.clone(), std::time::Duration::from_secs(minutes * 60)));
    }
    assert_eq!(set.len(), texts.len());
    let mut lengths = Vec::new();
    while let Some(length) = set.join_next().await {
        lengths.push(length);
    }
    assert!(set.is_empty());
    set.spawn(doubled_length("aa".into(), HOUR));
    set.spawn(doubled_length("a".into(), MINUTE));
    let in_order = set.collect().await;
    let mut never = JoinSet::new();
    never.spawn(doubled_length("never".into(), 365 * DAY));
    never.spawn(length_of("at once"));
    let waited = never.join_next().await.unwrap();
    never.cancel_all().await;
    let left = never.join_next().await;
    assert!(left.is_none());
    (lengths, in_order, waited)
}

fn texts() -> Vec<(String, u64)> {
    vec![("ccc".into(), 30), ("a".into(), 10), ("bb".into(), 20)]
}

#[tokio::test]
async fn a_set_gives_its_members_as_they_are_done() {
    let engine = testing::engine().open().await;
    let start = engine.now();
    let got = engine.run(as_they_come(texts())).await.unwrap();
    assert_eq!(got, (vec![2, 4, 6], vec![4, 2], 7));
    assert_eq!(since(&engine, start), 30 * MINUTE + HOUR, "the year was cancelled");
    testing::crash_at_every_step(|| as_they_come(texts())).await;
}

/// How many have begun, and how many were told to stop.
#[derive(Clone, Default)]
struct Ended(Arc<(AtomicUsize, AtomicUsize)>);

#[activity]
async fn to_be_stopped(
    State(ended): State<Ended>,
    context: ActivityContext,
    last_word: String,
) -> Result<String, Error> {
    ended.0.0.fetch_add(1, Ordering::SeqCst);
    context.cancelled().await;
    ended.0.1.fetch_add(1, Ordering::SeqCst);
    Ok(last_word)
}

#[workflow]
async fn stops_what_it_spawned() -> (String, bool, bool) {
    let running = spawn(to_be_stopped("bye".into()));
    let timer = spawn(sleep(DAY));
    let task = spawn(doubled_length("x".into(), DAY));
    sleep(300 * MILLISECOND).await;
    let last_word = match running.cancel().await {
        Ok(own) => own.unwrap_or_else(|error| error.to_string()),
        Err(ended) => ended.to_string(),
    };
    let forgotten = spawn(to_be_stopped("nobody hears this".into()));
    sleep(300 * MILLISECOND).await;
    let _nobody_waits = forgotten;
    (last_word, timer.cancel().await.is_err(), task.cancel().await.is_err())
}

#[tokio::test]
async fn cancelling_waits_for_the_last_word_and_the_end_cancels_what_is_left() {
    let ended = Ended::default();
    let engine = super::real_engine(|builder| builder.state(ended.clone())).await;
    let (last_word, timer, task) = engine.run(stops_what_it_spawned()).await.unwrap();
    assert_eq!(last_word, "bye");
    assert!(timer && task, "they end without a value");
    while ended.0.1.load(Ordering::SeqCst) < 2 {
        tokio::time::sleep(MILLISECOND).await;
    }
    assert_eq!(ended.0.0.load(Ordering::SeqCst), 2);
}

#[workflow]
async fn moves_its_date(dates: Vec<u64>) -> u64 {
    let begun = durable::now();
    let mut moves = JoinSet::new();
    let mut timer = spawn(sleep(30 * DAY));
    for days in &dates {
        moves.spawn(sleep(DAY));
        moves.join_next().await;
        let _ = timer.cancel().await;
        timer = spawn(durable::sleep_until(begun + std::time::Duration::from_secs(days * 86_400)));
    }
    timer.await;
    durable::now().duration_since(begun).unwrap().as_secs() / 86_400
}

#[tokio::test]
async fn a_timer_is_cancelled_and_set_anew_across_restarts() {
    let engine = testing::engine().open().await;
    let handle = engine.start("a", moves_its_date(vec![60, 10])).await.unwrap();
    engine.advance(DAY + HOUR).await;
    engine.crash_and_reopen().await;
    let handle = engine.handle(handle.id()).of(moves_its_date);
    engine.advance(DAY).await;
    assert_eq!(handle.describe().await.unwrap().timers.len(), 1, "the ones before are cleared");
    assert_eq!(handle.result().await.unwrap(), 10);
    testing::crash_at_every_step(|| moves_its_date(vec![60, 10])).await;
}

/// What was seen.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

#[activity]
async fn see(State(seen): State<Seen>, text: String) {
    seen.0.lock().unwrap().push(text);
}

#[workflow]
async fn forgets(count: u32) -> u32 {
    for n in 0..count {
        spawn(see(format!("{n}"))).detach();
        sleep(MINUTE).await;
    }
    sleep(HOUR).await;
    count
}

#[tokio::test]
async fn a_detached_operation_runs_and_leaves_nothing_behind() {
    let seen = Seen::default();
    let engine = testing::engine().state(seen.clone()).open().await;
    let handle = engine.start("a", forgets(20)).await.unwrap();
    engine.advance(MINUTE).await;
    let early = handle.describe().await.unwrap();
    engine.advance(25 * MINUTE).await;
    assert_eq!(seen.0.lock().unwrap().len(), 20);
    let late = handle.describe().await.unwrap();
    assert!(late.activities.is_empty() && early.snapshot_bytes >= late.snapshot_bytes, "{late}");
    assert_eq!(handle.result().await.unwrap(), 20);
}

#[workflow]
async fn awaits_twice(text: String) -> usize {
    let handle = spawn(length_of(&text));
    let copy: Handle<usize> = serde_json::from_str(&serde_json::to_string(&handle).unwrap()).unwrap();
    handle.await + copy.await
}

#[tokio::test]
async fn a_handle_that_has_given_its_result_parks_whoever_awaits_it_again() {
    let engine = testing::engine().open().await;
    let handle = engine.start("a", awaits_twice("x".into())).await.unwrap();
    engine.idle().await;
    let Status::Parked(reason) = handle.describe().await.unwrap().status else { panic!("it waits for ever") };
    assert!(reason.to_string().contains("a handle gives it once"), "{reason}");
}

#[workflow]
async fn fails_inside(text: String) -> Result<usize, Error> {
    sleep(MINUTE).await;
    ensure!(!text.is_empty(), "nothing to do");
    Ok(length_of(&text).await)
}

#[workflow]
async fn joins_tasks_that_fail() -> Vec<String> {
    let tasks = vec![spawn(fails_inside("x".into())), spawn(fails_inside(String::new()))];
    let results = tasks.join().await;
    let text =
        |result: Result<usize, Error>| result.map_or_else(|error| error.to_string(), |n| n.to_string());
    results.into_iter().map(text).collect()
}

#[tokio::test]
async fn the_error_of_a_spawned_workflow_arrives_where_it_is_awaited() {
    let engine = testing::engine().mock(mock(length_of).then(|text| text.len())).open().await;
    assert_eq!(engine.run(joins_tasks_that_fail()).await.unwrap(), ["1", "nothing to do"]);
    testing::crash_at_every_step(joins_tasks_that_fail).await;
}
