//! An instance that is cancelled, passes its deadline or is terminated.

use durable::{prelude::*, testing};

use super::{does, shared, step, undoes};
use crate::support::{DAY, HOUR, MINUTE};

#[workflow]
async fn waits() -> Result<(), Error> {
    step("a".into()).await?;
    waits_inside().await
}

#[workflow]
async fn waits_inside() -> Result<(), Error> {
    step("b".into()).await?;
    finally(undoes("lock"));
    sleep(DAY).await;
    does("never").await
}

#[tokio::test]
async fn a_cancelled_instance_runs_all_that_all_its_frames_have_pushed() {
    let log = shared();
    let engine = testing::engine().state_arc(log.clone()).open().await;
    let handle = engine.start("waits", waits()).await.unwrap();
    engine.idle().await;
    handle.cancel("enough").await.unwrap();
    let error = handle.result().await.unwrap_err();
    assert!(matches!(error, RunError::Cancelled { .. }), "{error:?}");
    assert_eq!(log.lines(), ["a", "b", "-lock", "-b", "-a"]);
    assert_eq!(handle.describe().await.unwrap().status, Status::Cancelled);
}

#[tokio::test]
async fn a_cancelled_instance_goes_on_compensating_after_a_crash() {
    let log = shared();
    let slow = testing::mock(undoes).delay(4 * MINUTE).then(|_| Ok(()));
    let engine = testing::engine().state_arc(log.clone()).mock(slow).open().await;
    engine.start("waits", waits()).await.unwrap();
    engine.idle().await;
    engine.handle("waits").cancel("enough").await.unwrap();
    for _ in 0..3 {
        engine.crash_and_reopen().await;
        engine.advance(2 * MINUTE).await;
    }
    let handle = engine.handle("waits").of(waits);
    assert!(matches!(handle.result().await, Err(RunError::Cancelled { .. })));
    let history = handle.history().await.unwrap();
    let ran = history.iter().filter(|event| matches!(event.kind, durable::HistoryKind::Compensated { .. }));
    assert_eq!(ran.count(), 3, "each once");
}

#[tokio::test]
async fn a_terminated_instance_runs_none() {
    let log = shared();
    let engine = testing::engine().state_arc(log.clone()).open().await;
    let handle = engine.start("waits", waits()).await.unwrap();
    engine.idle().await;
    handle.terminate("enough").await.unwrap();
    assert!(matches!(handle.result().await, Err(RunError::Terminated { .. })));
    assert_eq!(log.lines(), ["a", "b"]);
}

#[workflow]
async fn leaves_one_behind() -> Result<(), Error> {
    let other = spawn(waits());
    sleep(HOUR).await;
    other.detach();
    does("done").await
}

#[tokio::test]
async fn what_a_spawned_workflow_has_pushed_runs_if_the_end_of_its_instance_cancels_it() {
    let log = shared();
    let engine = testing::engine().state_arc(log.clone()).open().await;
    engine.run(leaves_one_behind()).await.unwrap().unwrap();
    assert_eq!(log.lines(), ["a", "b", "done", "-lock", "-b", "-a"]);
}
