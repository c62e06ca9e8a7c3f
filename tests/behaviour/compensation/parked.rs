//! A compensation that fails for good is recorded, the others run, and then the instance parks.

use durable::{
    CompensationState, ParkReason,
    prelude::*,
    testing::{self, mock},
};

use super::{does, gets_stuck, shared, step, undoes};

#[activity(retry(max_attempts = 1), park_when_exhausted)]
async fn asks_a_person(what: &str) -> Result<(), Error> {
    bail!("{what} needs a person")
}

#[workflow]
async fn stuck() -> Result<(), Error> {
    step("a".into()).await?;
    does("b").await?;
    compensate(gets_stuck("b"));
    step("c".into()).await?;
    does("d").await?;
    compensate(asks_a_person("d"));
    bail!("it fails")
}

#[tokio::test]
async fn the_others_run_and_then_it_parks_with_those_that_failed() {
    let log = shared();
    let engine = testing::engine().state_arc(log.clone()).open().await;
    let handle = engine.start("stuck", stuck()).await.unwrap();
    let error = handle.result().await.unwrap_err();
    assert!(matches!(error, RunError::Parked { .. }), "{error:?}");
    assert_eq!(log.lines(), ["a", "b", "c", "d", "-c", "?b", "?b", "-a"]);
    let description = handle.describe().await.unwrap();
    let failed = vec![
        ("asks_a_person".to_owned(), "d needs a person".to_owned()),
        ("gets_stuck".to_owned(), "b is stuck".to_owned()),
    ];
    assert_eq!(description.parked(), Some(&ParkReason::Compensation { failed }));
    let left: Vec<_> = description.compensations.iter().map(|left| left.name.as_str()).collect();
    assert_eq!(left, ["asks_a_person", "gets_stuck"]);
    let state = CompensationState::Failed { error: "b is stuck".into() };
    assert_eq!(description.compensations[1].state, state);

    // A restart changes nothing.
    engine.crash_and_reopen().await;
    let handle = engine.handle("stuck").of(stuck);
    assert!(handle.describe().await.unwrap().parked().is_some());
    handle.terminate("settled by hand").await.unwrap();
    assert!(matches!(handle.result().await, Err(RunError::Terminated { .. })));
}

#[tokio::test]
async fn retry_now_tries_the_failed_ones_again_and_no_other() {
    let log = shared();
    let engine = testing::engine()
        .state_arc(log.clone())
        .mock(mock(gets_stuck).fails(2).then(|_| Ok(())))
        .mock(mock(asks_a_person).fails(1).then(|_| Ok(())))
        .open()
        .await;
    let handle = engine.start("stuck", stuck()).await.unwrap();
    assert!(handle.result().await.is_err());
    assert_eq!(log.lines(), ["a", "b", "c", "d", "-c", "-a"]);
    engine.crash_and_reopen().await;
    let handle = engine.handle("stuck").of(stuck);
    handle.retry_now().await.unwrap();
    assert_eq!(handle.result().await.unwrap().unwrap_err().to_string(), "it fails");
    assert_eq!(log.lines(), ["a", "b", "c", "d", "-c", "-a"]);
    assert_eq!((engine.calls(gets_stuck).len(), engine.calls(asks_a_person).len()), (3, 2));
    assert_eq!(engine.calls(undoes).len(), 2);
}
