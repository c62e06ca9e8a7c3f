//! What an attempt knows of itself: its number, its key, its instance, and how far an earlier one was.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
};

use durable::{IdempotencyKey, prelude::*, testing};

use crate::support::{Cut, SECOND};

/// What attempts have seen of themselves.
#[derive(Default)]
struct Seen {
    cut: Cut,
    attempts: Mutex<Vec<(String, u32, IdempotencyKey)>>,
}

#[activity(retry(initial = "1s", jitter = 0))]
async fn look(State(seen): State<Seen>, context: ActivityContext, until: u32) -> Result<u32, Error> {
    let (id, attempt) = (context.instance_id().to_owned(), context.attempt());
    seen.attempts.lock().unwrap().push((id, attempt, context.idempotency_key()));
    seen.cut.pass(&attempt.to_string()).await;
    ensure!(attempt >= until, "attempt {attempt} of {until}");
    Ok(attempt)
}

#[workflow]
async fn look_around(until: u32) -> Result<Vec<u32>, Error> {
    let first = look(until).await?;
    let second = look(1).await?;
    Ok(vec![first, second])
}

#[tokio::test]
async fn the_key_is_the_same_in_every_attempt_and_over_crashes_and_no_other_calls() {
    let seen = Arc::new(Seen { cut: Cut::at("3"), ..Seen::default() });
    let engine = testing::engine().state_arc(seen.clone()).open().await;
    engine.start("one", look_around(4)).await.unwrap();
    // The third attempt stays at the cut, so the clock is not waited for.
    tokio::select! {
        () = async { engine.advance(3 * SECOND).await } => unreachable!("an attempt runs"),
        () = seen.cut.reached() => {}
    }
    engine.crash_and_reopen().await;
    let attempts = engine.handle("one").of(look_around).result().await.unwrap().unwrap();
    assert_eq!(attempts, [4, 1]);
    let other = engine.start("two", look_around(1)).await.unwrap();
    assert_eq!(other.result().await.unwrap().unwrap(), [1, 1]);

    let seen = seen.attempts.lock().unwrap();
    let numbers: Vec<(&str, u32)> = seen.iter().map(|(id, attempt, _)| (id.as_str(), *attempt)).collect();
    // The third attempt was cut off by the crash: nothing is known of it, and it is made again.
    let expected =
        [("one", 1), ("one", 2), ("one", 3), ("one", 3), ("one", 4), ("one", 1), ("two", 1), ("two", 1)];
    assert_eq!(numbers, expected);
    let keys: Vec<IdempotencyKey> = seen.iter().map(|(_, _, key)| *key).collect();
    assert!(keys[..5].iter().all(|key| *key == keys[0]), "one call, one key: {keys:?}");
    let calls: HashSet<IdempotencyKey> = keys[4..].iter().copied().collect();
    assert_eq!(calls.len(), 4, "four calls, four keys");
}

/// How far the attempts of a download found it to be when they began.
#[derive(Default)]
struct Download {
    cut: Cut,
    began_at: Mutex<Vec<Option<u32>>>,
}

#[activity(heartbeat = "1min", retry(initial = "1s", jitter = 0))]
async fn download(
    State(download): State<Download>,
    context: ActivityContext,
    chunks: u32,
) -> Result<u32, Error> {
    let last = context.last_heartbeat::<u32>();
    download.began_at.lock().unwrap().push(last);
    for chunk in last.unwrap_or_default() + 1..=chunks {
        context.heartbeat(&chunk);
        ensure!(chunk % 10 != 0 || last == Some(chunk - 5) || context.attempt() > 3, "lost at {chunk}");
        if chunk == 25 {
            download.cut.pass("25").await;
        }
    }
    Ok(chunks)
}

#[workflow]
async fn fetch_all(chunks: u32) -> Result<u32, Error> {
    download(chunks).await
}

#[tokio::test]
async fn the_next_attempt_goes_on_where_the_last_heartbeat_was() {
    let state = Arc::new(Download::default());
    let engine = testing::engine().state_arc(state.clone()).open().await;
    assert_eq!(engine.run(fetch_all(40)).await.unwrap().unwrap(), 40);
    assert_eq!(*state.began_at.lock().unwrap(), [None, Some(10), Some(20), Some(30)]);
}

#[tokio::test]
async fn progress_is_shown_and_survives_a_crash_between_two_attempts() {
    let state = Arc::new(Download::default());
    let engine = testing::engine().state_arc(state.clone()).open().await;
    engine.start("download", fetch_all(40)).await.unwrap();
    engine.idle().await;
    engine.crash_and_reopen().await;
    let handle = engine.handle("download").of(fetch_all);
    let pending = handle.describe().await.unwrap().activities;
    assert_eq!(pending[0].progress, Some(serde_json::json!(10)));
    assert_eq!(handle.result().await.unwrap().unwrap(), 40);
    assert_eq!(*state.began_at.lock().unwrap(), [None, Some(10), Some(20), Some(30)]);
}

#[activity]
async fn who_calls(context: &ActivityContext) -> Result<String, Error> {
    Ok(context.instance_id().to_owned())
}

#[workflow]
async fn call_who_calls() -> Result<String, Error> {
    who_calls().await
}

#[tokio::test]
async fn an_attempt_knows_its_instance() {
    let engine = testing::engine().open().await;
    let handle = engine.start("it's me", call_who_calls()).await.unwrap();
    assert_eq!(handle.result().await.unwrap().unwrap(), "it's me");
}
