//! How long an id is taken and a result can be read.

use durable::{EngineError, prelude::*, testing};

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
