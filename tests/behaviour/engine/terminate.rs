//! Ending an instance by hand.

use std::sync::Arc;

use durable::{
    EngineError,
    prelude::*,
    testing::{self, mock},
};

use crate::support::{DAY, Gate, HOUR};

#[derive(Default)]
struct Work {
    gate: Gate,
    told: Gate,
}

#[activity]
async fn work_until_cancelled(State(work): State<Work>, context: ActivityContext) -> Result<(), Error> {
    work.gate.open(1);
    context.cancelled().await;
    assert!(context.is_cancelled());
    work.told.open(1);
    bail!("cancelled")
}

#[activity]
async fn after_work() -> Result<(), Error> {
    Ok(())
}

#[workflow]
async fn long_work() -> Result<(), Error> {
    work_until_cancelled().await?;
    after_work().await
}

#[workflow]
async fn long_sleep() -> Result<(), Error> {
    sleep(DAY).await;
    after_work().await
}

#[tokio::test]
async fn a_running_attempt_is_told_and_the_result_is_an_error_with_the_reason() {
    let work = Arc::new(Work::default());
    let engine = testing::engine().state_arc(work.clone()).open().await;
    let handle = engine.start("work", long_work()).await.unwrap();
    work.gate.pass().await;
    handle.terminate("ordered twice").await.unwrap();
    work.told.pass().await;
    engine.idle().await;
    match handle.result().await.unwrap_err() {
        RunError::Terminated { id, why } => {
            assert_eq!((id.as_str(), why.as_str()), ("work", "ordered twice"));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(handle.describe().await.unwrap().status, Status::Terminated);
    assert!(engine.calls(after_work) == 0);
    let again = handle.terminate("once more").await.unwrap_err();
    assert!(matches!(&again, EngineError::Closed { id } if id == "work"), "{again:?}");

    engine.crash_and_reopen().await;
    engine.advance(DAY).await;
    assert!(engine.calls(work_until_cancelled) == 1, "nothing of it comes back");
    let text = engine.handle("work").of(long_work).result().await.unwrap_err().to_string();
    assert!(text.contains("ordered twice"), "{text}");
}

#[tokio::test]
async fn its_timers_and_back_offs_do_nothing_any_more() {
    let engine = testing::engine().mock(mock(after_work).fails(1_000_000)).open().await;
    let asleep = engine.start("asleep", long_sleep()).await.unwrap();
    engine.start("other", long_sleep()).await.unwrap();
    engine.advance(HOUR).await;
    asleep.terminate("enough").await.unwrap();
    engine.advance(DAY - HOUR).await;
    engine.idle().await;
    assert!(engine.calls(after_work) == 1, "that is the other's");
    engine.handle("other").terminate("enough").await.unwrap();
    engine.advance(DAY).await;
    assert!(engine.calls(after_work) == 1, "and its back-off is over too");
}

#[tokio::test]
async fn who_waits_for_the_result_learns_of_it() {
    let engine = testing::engine().open().await;
    let work = engine.start("asleep", long_sleep()).await.unwrap();
    engine.idle().await;
    let waiting = work.result();
    let ended = tokio::join!(waiting, work.terminate("enough"));
    // Either the clock skipped the day first, or the instance was ended first: no hang, no other end.
    match ended {
        (Err(RunError::Terminated { why, .. }), Ok(())) => assert_eq!(why, "enough"),
        (Ok(Ok(())), Err(EngineError::Closed { .. })) => {}
        other => panic!("{other:?}"),
    }
}
