//! Cancellation, of one instance and of many.

use std::sync::Arc;

use durable::{
    EngineError, HistoryKind,
    prelude::*,
    testing::{self, mock},
};

use crate::support::{DAY, Gate, HOUR};

#[derive(Default)]
struct Desk {
    begun: Gate,
    told: Gate,
    over: Gate,
}

/// Works until it is told to stop, and takes its time then.
#[activity]
async fn copy_archive(State(desk): State<Desk>, context: ActivityContext) -> Result<(), Error> {
    desk.begun.open(1);
    context.cancelled().await;
    desk.told.open(1);
    desk.over.pass().await;
    bail!("stopped half-way")
}

#[activity]
async fn delete_archive(why: String) -> Result<String, Error> {
    Ok(format!("deleted: {why}"))
}

#[workflow]
async fn move_archive() -> Result<String, Error> {
    copy_archive().await?;
    delete_archive("moved".into()).await
}

#[workflow]
async fn keep_a_day() -> Result<String, Error> {
    sleep(DAY).await;
    delete_archive("old".into()).await
}

#[workflow]
async fn keep_until_cancelled() -> Result<String, Error> {
    let why = cancelled().await;
    sleep(HOUR).await;
    delete_archive(why).await
}

#[workflow]
async fn panics_when_asked(ask: bool) {
    assert!(!ask, "asked");
    sleep(DAY).await;
}

fn why(error: RunError) -> String {
    match error {
        RunError::Cancelled { why, .. } => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_running_activity_is_told_and_the_instance_closes_when_it_has_ended() {
    let desk = Arc::new(Desk::default());
    let engine = testing::engine().state_arc(desk.clone()).open().await;
    let handle = engine.start("a", move_archive()).await.unwrap();
    desk.begun.pass().await;
    handle.cancel("wrong archive").await.unwrap();
    desk.told.pass().await;
    desk.over.arrival().await;
    let ending = handle.describe().await.unwrap();
    assert_eq!(ending.status, Status::Running, "the activity has not ended");
    assert_eq!(ending.cancelling.as_deref(), Some("wrong archive"));
    assert_eq!(ending.waiting.unwrap().on, "the end of `copy_archive`");
    handle.cancel("once more").await.unwrap();
    desk.over.open(1);
    assert_eq!(why(handle.result().await.unwrap_err()), "wrong archive");
    assert_eq!(handle.describe().await.unwrap().status, Status::Cancelled);
    assert!(engine.calls(copy_archive) == 1, "and is not tried again");
    assert!(engine.calls(delete_archive) == 0);
    let again = handle.cancel("late").await.unwrap_err();
    assert!(matches!(again, EngineError::Closed { .. }), "{again:?}");
    let history = handle.history().await.unwrap();
    let asked = HistoryKind::CancelRequested { why: "wrong archive".into() };
    assert_eq!(history.iter().filter(|event| event.kind == asked).count(), 1);
}

#[tokio::test]
async fn a_crash_while_it_waits_for_an_activity_does_not_bring_the_activity_back() {
    let desk = Arc::new(Desk::default());
    let engine = testing::engine().state_arc(desk.clone()).open().await;
    engine.start("a", move_archive()).await.unwrap();
    desk.begun.pass().await;
    engine.handle("a").cancel("wrong archive").await.unwrap();
    desk.told.pass().await;
    engine.crash_and_reopen().await;
    engine.idle().await;
    let handle = engine.handle("a").of(move_archive);
    assert_eq!(why(handle.try_result().await.unwrap_err()), "wrong archive");
    assert!(engine.calls(copy_archive) == 1);
}

#[tokio::test]
async fn a_timer_and_a_back_off_are_no_reason_to_stay() {
    let engine = testing::engine().mock(mock(copy_archive).fails(1_000)).open().await;
    let asleep = engine.start("asleep", keep_a_day()).await.unwrap();
    let failing = engine.start("failing", move_archive()).await.unwrap();
    engine.idle().await;
    let attempts = engine.calls(copy_archive).len();
    asleep.cancel("not needed").await.unwrap();
    failing.cancel("hopeless").await.unwrap();
    engine.idle().await;
    assert_eq!(why(asleep.try_result().await.unwrap_err()), "not needed");
    assert_eq!(why(failing.try_result().await.unwrap_err()), "hopeless");
    engine.advance(DAY).await;
    assert!(engine.calls(copy_archive) == attempts && engine.calls(delete_archive) == 0);
}

#[tokio::test]
async fn who_waits_for_it_deals_with_it_in_his_own_words() {
    let engine = testing::engine().open().await;
    let handle = engine.start("a", keep_until_cancelled()).await.unwrap();
    engine.advance(DAY).await;
    handle.cancel("too large").await.unwrap();
    engine.idle().await;
    engine.crash_and_reopen().await;
    let handle = engine.handle("a").of(keep_until_cancelled);
    handle.cancel("a second time").await.unwrap();
    assert_eq!(handle.describe().await.unwrap().status, Status::Waiting, "it cleans up");
    assert_eq!(handle.result().await.unwrap().unwrap(), "deleted: too large");
    assert_eq!(handle.describe().await.unwrap().status, Status::Completed);
}

#[tokio::test]
async fn a_parked_one_ends_at_once() {
    let engine = testing::engine().open().await;
    let handle = engine.start("a", panics_when_asked(true)).await.unwrap();
    engine.idle().await;
    assert!(handle.describe().await.unwrap().parked().is_some());
    handle.cancel("it is not needed").await.unwrap();
    assert_eq!(why(handle.result().await.unwrap_err()), "it is not needed");
}

#[tokio::test]
async fn all_that_a_filter_lets_through_are_cancelled_and_counted() {
    let engine = testing::engine().open().await;
    for n in 0..30 {
        let tenant = if n % 3 == 0 { "acme" } else { "other" };
        engine.start(format!("a-{n}"), keep_a_day()).tag("tenant", tenant).await.unwrap();
    }
    engine.start("done", panics_when_asked(false)).tag("tenant", "acme").await.unwrap();
    let acme = || Filter::new().tag("tenant", "acme").workflow("keep_a_day");
    assert_eq!(engine.cancel_all(acme().limit(4), "left").await.unwrap(), 4);
    assert_eq!(engine.cancel_all(acme(), "left").await.unwrap(), 6);
    assert_eq!(engine.cancel_all(acme(), "left").await.unwrap(), 0, "they have ended");
    assert_eq!(engine.list(acme().status(Status::Cancelled)).await.unwrap().len(), 10);
    let other = Filter::new().tag("tenant", "other");
    assert_eq!(engine.pause_all(other.clone()).await.unwrap(), 20);
    assert_eq!(engine.list(other.clone().status(Status::Paused)).await.unwrap().len(), 20);
    assert_eq!(engine.resume_all(other.clone()).await.unwrap(), 20);
    assert_eq!(engine.retry_all(other.clone()).await.unwrap(), 20);
    assert_eq!(engine.terminate_all(other.clone(), "closed down").await.unwrap(), 20);
    assert_eq!(engine.list(other.status(Status::Terminated)).await.unwrap().len(), 20);
    assert_eq!(engine.handle("done").describe().await.unwrap().status, Status::Waiting);
}
