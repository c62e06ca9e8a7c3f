//! How long an id is taken and a result can be read.

use std::time::SystemTime;

use durable::{EngineError, prelude::*, store::MemoryImage, testing};

use crate::support::{DAY, HOUR};

#[workflow]
async fn short_lived(days: u32) -> u32 {
    sleep(DAY * days).await;
    days
}

#[tokio::test]
async fn a_closed_instance_is_forgotten_when_its_retention_has_passed() {
    let engine = testing::engine().retention(3 * DAY).open().await;
    let first = engine.start("a", short_lived(1)).await.unwrap();
    let long = engine.start("long", short_lived(30)).await.unwrap();
    engine.start("b", short_lived(2)).await.unwrap();
    engine.advance(4 * DAY - HOUR).await;
    assert_eq!(first.result().await.unwrap(), 1);
    engine.advance(2 * HOUR).await;
    let gone = first.result().await.unwrap_err();
    assert!(matches!(&gone, RunError::Engine(EngineError::NotFound { id }) if id == "a"), "{gone:?}");
    assert_eq!(engine.handle("b").of(short_lived).try_result().await.unwrap(), Some(2), "a day later");
    assert_eq!(long.describe().await.unwrap().status, Status::Waiting, "what is open stays");
    assert_eq!(engine.list(Filter::new()).await.unwrap().len(), 2);

    let again = engine.start("a", short_lived(1)).on_existing(OnExisting::Fail).await.unwrap();
    assert!(again.created(), "its id is free");
    let old = first.describe().await.unwrap_err();
    assert!(matches!(old, EngineError::NotFound { .. }), "the old handle is not of the new run: {old:?}");
    assert_eq!(again.result().await.unwrap(), 1);
}

#[tokio::test]
async fn it_is_seven_days_by_default_and_a_skip_of_the_clock_takes_nothing_away() {
    let engine = testing::engine().open().await;
    let early = engine.start("early", short_lived(1)).await.unwrap();
    let late = engine.start("late", short_lived(20)).await.unwrap();
    assert_eq!(late.result().await.unwrap(), 20);
    assert_eq!(early.result().await.unwrap(), 1, "nobody has moved the clock by hand");
    engine.advance(7 * DAY - HOUR).await;
    assert_eq!(late.result().await.unwrap(), 20);
    engine.advance(2 * HOUR).await;
    assert!(late.result().await.is_err());
}

#[workflow]
async fn open_ended() -> bool {
    recv::<Finish>().await;
    true
}

#[derive(Debug, serde::Serialize, serde::Deserialize, Signal)]
struct Finish;

/// Which closed instances there are.
async fn kept(engine: &Engine) -> Vec<String> {
    let mut kept: Vec<_> =
        engine.list(Filter::new()).await.unwrap().into_iter().map(|summary| summary.id).collect();
    kept.sort();
    kept
}

#[tokio::test]
async fn runs_of_a_clock_that_was_years_ahead_keep_nothing_else() {
    let image = MemoryImage::new();
    let today = SystemTime::UNIX_EPOCH + 20_000 * DAY;
    let open = |time| testing::engine().image(&image).retention(3 * DAY).starting_at(time).open();

    let ahead = open(today + 3_650 * DAY).await;
    ahead.start("ahead", short_lived(0)).await.unwrap().result().await.unwrap();
    let open_ended_run = ahead.start("open-ended", open_ended()).await.unwrap();
    ahead.idle().await;
    ahead.shutdown(HOUR).await.unwrap();

    let engine = open(today).await;
    engine.start("first", short_lived(0)).await.unwrap().result().await.unwrap();
    engine.advance(2 * DAY).await;
    engine.start("second", short_lived(0)).await.unwrap().result().await.unwrap();
    engine.handle(open_ended_run.id()).signal(Finish).await.unwrap();
    engine.idle().await;
    assert_eq!(kept(&engine).await, ["ahead", "first", "open-ended", "second"]);
    engine.advance(DAY + HOUR).await;
    assert_eq!(kept(&engine).await, ["ahead", "open-ended", "second"], "the first has expired");
    engine.advance(2 * DAY).await;
    assert_eq!(kept(&engine).await, ["ahead"], "what has closed since the clock is right again, too");
    engine.start("third", short_lived(0)).await.unwrap().result().await.unwrap();
    engine.advance(4 * DAY).await;
    assert_eq!(kept(&engine).await, ["ahead"], "and what comes later");
    engine.advance(3_660 * DAY).await;
    assert!(kept(&engine).await.is_empty(), "until it has closed long enough ago by its own clock");
}
