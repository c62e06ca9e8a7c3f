//! Deadlines and delayed starts.

use durable::{
    prelude::*,
    testing::{self, mock},
};

use crate::support::{DAY, HOUR, since};

#[activity(start_to_close = "30d")]
async fn bake() -> Result<(), Error> {
    Ok(())
}

#[activity]
async fn serve() -> Result<(), Error> {
    Ok(())
}

#[workflow(deadline = "12h")]
async fn bread() -> Result<(), Error> {
    bake().await?;
    serve().await
}

#[workflow]
async fn rest_and_serve(rest: std::time::Duration) -> Result<(), Error> {
    sleep(rest).await;
    serve().await
}

#[workflow]
async fn never_mind() -> Result<String, Error> {
    let why = cancelled().await;
    sleep(DAY).await;
    Ok(why)
}

fn is_late(error: &RunError) -> bool {
    matches!(error, RunError::DeadlineExceeded { .. })
}

#[tokio::test]
async fn the_deadline_of_the_workflow_passes_and_the_end_of_its_activity_is_waited_for() {
    let engine = testing::engine().mock(mock(bake).delay(DAY).then(|| Ok(()))).open().await;
    let start = engine.now();
    let handle = engine.start("a", bread()).await.unwrap();
    engine.idle().await;
    let description = handle.describe().await.unwrap();
    assert_eq!(description.deadline, Some(start + 12 * HOUR), "{description}");
    engine.advance(11 * HOUR).await;
    engine.crash_and_reopen().await;
    engine.advance(2 * HOUR).await;
    let handle = engine.handle("a").of(bread);
    assert_eq!(handle.describe().await.unwrap().waiting.unwrap().on, "the end of `bake`");
    let error = handle.result().await.unwrap_err();
    assert!(is_late(&error), "{error:?}");
    let closed = handle.describe().await.unwrap();
    assert_eq!(closed.status, Status::Failed);
    assert!(engine.calls(serve) == 0);
}

#[tokio::test]
async fn a_start_gives_another_deadline_and_who_ends_before_it_does_not_notice() {
    let engine = testing::engine().mock(mock(serve).then(|| Ok(()))).open().await;
    let quick = engine.start("quick", rest_and_serve(HOUR)).deadline(2 * HOUR).await.unwrap();
    let slow = engine.start("slow", rest_and_serve(3 * HOUR)).deadline(2 * HOUR).await.unwrap();
    quick.result().await.unwrap().unwrap();
    let start = engine.now();
    let error = slow.result().await.unwrap_err();
    assert!(is_late(&error), "{error:?}");
    assert_eq!(since(&engine, start), HOUR);
    engine.advance(DAY).await;
    assert!(engine.calls(serve) == 1);
}

#[tokio::test]
async fn who_deals_with_his_cancellation_is_ended_by_the_deadline_all_the_same() {
    let engine = testing::engine().open().await;
    let handle = engine.start("a", never_mind()).deadline(HOUR).await.unwrap();
    handle.cancel("please").await.unwrap();
    let error = handle.result().await.unwrap_err();
    assert!(is_late(&error), "{error:?}");
}

#[tokio::test]
async fn a_delayed_start_makes_its_first_step_when_it_is_due() {
    let engine = testing::engine().open().await;
    let start = engine.now();
    let handle = engine.start("a", rest_and_serve(HOUR)).delay(DAY).await.unwrap();
    engine.advance(DAY - HOUR).await;
    assert_eq!(handle.describe().await.unwrap().steps, 0);
    engine.crash_and_reopen().await;
    let handle = engine.handle("a").of(rest_and_serve);
    handle.result().await.unwrap().unwrap();
    assert_eq!(since(&engine, start), DAY + HOUR);

    let given_up = engine.start("b", rest_and_serve(HOUR)).delay(DAY).await.unwrap();
    given_up.cancel("changed my mind").await.unwrap();
    assert!(matches!(given_up.result().await, Err(RunError::Cancelled { .. })));
    engine.advance(2 * DAY).await;
    assert!(engine.calls(serve) == 1);
}
