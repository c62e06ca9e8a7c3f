//! Instances that a workflow starts.

use std::sync::Arc;

use durable::{
    ChildHandle, OnClose, child, instance,
    prelude::*,
    testing::{self, mock},
};

use crate::support::{DAY, Gate, HOUR};

#[activity]
async fn pick(State(shelf): State<Gate>, context: ActivityContext, item: u32) -> Result<u32, Error> {
    shelf.open(1);
    context.cancelled().await;
    bail!("left {item} where it was")
}

#[activity]
async fn weigh_parcel(item: u32) -> Result<u32, Error> {
    ensure!(item != 13, "nobody touches 13");
    Ok(item * 10)
}

#[workflow]
async fn parcel(item: u32) -> Result<u32, Error> {
    sleep(HOUR).await;
    let told = instance();
    ensure!(told.parent.is_some() && told.workflow == "parcel", "{told:?}");
    weigh_parcel(item).retry(Retry::attempts(1)).await
}

#[workflow]
async fn one_parcel(item: u32) -> Result<u32, Error> {
    let weight = child("parcel", parcel(item)).await?;
    Ok(weight + 1)
}

#[workflow]
async fn shelf_work(item: u32) -> Result<u32, Error> {
    pick(item).await
}

#[workflow]
async fn waits_for_shelf(on_close: u32) -> Result<u32, Error> {
    let policy = match on_close {
        0 => OnClose::Cancel,
        1 => OnClose::Terminate,
        _ => OnClose::Abandon,
    };
    child("shelf", shelf_work(1)).on_close(policy).await
}

/// A shelf that takes its time when it is told to stop.
#[derive(Default)]
struct Clearing {
    begun: Gate,
    cleared: Gate,
}

#[activity]
async fn clear(State(shelf): State<Clearing>, context: ActivityContext, run: u32) -> Result<u32, Error> {
    if run > 1 {
        return Ok(run);
    }
    shelf.begun.pass().await;
    context.cancelled().await;
    shelf.cleared.pass().await;
    bail!("told to stop")
}

#[workflow]
async fn clearing(run: u32) -> Result<u32, Error> {
    clear(run).await
}

#[workflow]
async fn has_it_cleared(run: u32) -> Result<u32, Error> {
    child("clearing", clearing(run)).await
}

#[workflow]
async fn leaves_early(on_close: u32) -> Result<String, Error> {
    let policy = if on_close == 0 { OnClose::Cancel } else { OnClose::Abandon };
    let started: ChildHandle<Result<u32, Error>> = child("parcel", parcel(7)).on_close(policy).start().await;
    Ok(started.id().to_owned())
}

#[workflow]
async fn asks_for_outcome(id: String) -> Result<String, Error> {
    Ok(match child(id, parcel(2)).outcome().await {
        Ok(Ok(weight)) => format!("weighs {weight}"),
        Ok(Err(error)) => format!("failed: {error}"),
        Err(error) => format!("none: {error}"),
    })
}

#[workflow]
async fn many_parcels(count: u32) -> Result<Vec<u32>, Error> {
    let mut started = Vec::new();
    for item in 0..count {
        started.push(child(format!("{item}"), parcel(100 + item)).start().await);
    }
    let mut weights = Vec::new();
    for parcel in started {
        weights.push(parcel.await?);
    }
    Ok(weights)
}

#[workflow]
async fn starts_other(id: String) -> Result<(), CallError> {
    durable::start(id, one_parcel(5)).await
}

#[tokio::test]
async fn a_child_gives_what_it_returns_and_has_an_id_under_its_parents() {
    let engine = testing::engine().open().await;
    let handle = engine.start("order", one_parcel(4)).await.unwrap();
    engine.idle().await;
    let parent = handle.describe().await.unwrap();
    assert_eq!((parent.status, &parent.children[..]), (Status::Waiting, &["order/parcel".to_owned()][..]));
    assert_eq!(engine.handle("order/parcel").describe().await.unwrap().workflow, "parcel");
    assert_eq!(handle.result().await.unwrap().unwrap(), 41);
    assert_eq!(engine.handle("order/parcel").of(parcel).result().await.unwrap().unwrap(), 40);
}

#[tokio::test]
async fn an_error_of_a_child_arrives_typed_and_so_does_an_end_without_a_value() {
    let engine = testing::engine().open().await;
    let failed = engine.start("a", one_parcel(13)).await.unwrap().result().await.unwrap().unwrap_err();
    assert_eq!(failed.to_string(), "nobody touches 13");
    assert!(failed.call_error().is_none());

    let handle = engine.start("b", one_parcel(1)).await.unwrap();
    engine.idle().await;
    engine.handle("b/parcel").terminate("lost").await.unwrap();
    let error = handle.result().await.unwrap().unwrap_err();
    assert_eq!(error.call_error(), Some(&CallError::Terminated { reason: "lost".into() }));

    let handle = engine.start("c", asks_for_outcome("x".into())).await.unwrap();
    engine.idle().await;
    engine.handle("c/x").cancel("not wanted").await.unwrap();
    assert_eq!(handle.result().await.unwrap().unwrap(), "none: cancelled: not wanted");
}

#[tokio::test]
async fn ids_that_are_no_good_are_errors_of_the_child() {
    let engine = testing::engine().open().await;
    let ask = |id: &str, child: String| engine.start(id.to_owned(), asks_for_outcome(child));
    let long = ask("a", "x".repeat(199)).await.unwrap().result().await.unwrap().unwrap();
    assert!(long.contains("201"), "{long}");
    let empty = ask("b", String::new()).await.unwrap().result().await.unwrap().unwrap();
    assert!(empty.contains("has 0"), "{empty}");
    engine.start("c/taken", one_parcel(1)).await.unwrap();
    let taken = ask("c", "taken".into()).await.unwrap().result().await.unwrap().unwrap();
    assert!(taken.contains("`c/taken` is in use"), "{taken}");
}

#[tokio::test]
async fn a_parent_that_is_started_anew_starts_its_children_anew() {
    let engine = testing::engine().open().await;
    engine.start("a", one_parcel(4)).await.unwrap().result().await.unwrap().unwrap();
    let again = engine.start("a", one_parcel(5)).on_existing(OnExisting::RestartIfClosed).await.unwrap();
    assert_eq!(again.result().await.unwrap().unwrap(), 51);
}

/// It was `IdInUse` as long as the first one's was not through with its cancellation.
#[tokio::test]
async fn a_parent_that_is_started_anew_waits_for_the_end_of_its_first_runs_child() {
    let shelf = Arc::new(Clearing::default());
    let engine = testing::engine().state_arc(shelf.clone()).open().await;
    let first = engine.start("a", has_it_cleared(1)).await.unwrap();
    shelf.begun.open(1);
    shelf.begun.arrival().await;
    first.cancel("no more").await.unwrap();
    assert!(matches!(first.result().await, Err(RunError::Cancelled { .. })));
    let again = engine.start("a", has_it_cleared(2)).on_existing(OnExisting::RestartIfClosed).await.unwrap();
    assert!(again.created());
    // Long enough for it to be refused.
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    let meanwhile = again.describe().await.unwrap();
    assert!(!meanwhile.status.is_closed(), "{meanwhile}");
    shelf.cleared.open(1);
    assert_eq!(again.result().await.unwrap().unwrap(), 2);
}

#[tokio::test]
async fn what_becomes_of_a_child_when_its_parent_is_cancelled() {
    for (on_close, ends) in [(0, Status::Cancelled), (1, Status::Terminated), (2, Status::Running)] {
        let shelf = Arc::new(Gate::default());
        let engine = testing::engine().state_arc(shelf.clone()).open().await;
        let parent = engine.start("a", waits_for_shelf(on_close)).await.unwrap();
        shelf.pass().await;
        parent.cancel("no more").await.unwrap();
        assert!(matches!(parent.result().await, Err(RunError::Cancelled { .. })));
        let handle = engine.handle("a/shelf").of(shelf_work);
        if on_close == 2 {
            assert_eq!(handle.describe().await.unwrap().status, ends);
            handle.terminate("the test ends").await.unwrap();
        } else {
            handle.result().await.unwrap_err();
            assert_eq!(handle.describe().await.unwrap().status, ends);
        }
    }
}

#[tokio::test]
async fn what_becomes_of_a_started_child_when_its_parent_returns() {
    let engine = testing::engine().open().await;
    let cancels = engine.start("a", leaves_early(0)).await.unwrap();
    assert_eq!(cancels.result().await.unwrap().unwrap(), "a/parcel");
    let child = engine.handle("a/parcel").of(parcel);
    assert!(matches!(child.result().await, Err(RunError::Cancelled { .. })));
    let leaves = engine.start("b", leaves_early(1)).await.unwrap();
    leaves.result().await.unwrap().unwrap();
    assert_eq!(engine.handle("b/parcel").of(parcel).result().await.unwrap().unwrap(), 70);
}

#[tokio::test]
async fn an_instance_that_is_no_child_is_started_once_and_lives_on() {
    let engine = testing::engine().open().await;
    engine.start("a", starts_other("other".into())).await.unwrap().result().await.unwrap().unwrap();
    assert_eq!(engine.handle("other").of(one_parcel).result().await.unwrap().unwrap(), 51);
    // It is there already, and that is as good.
    engine.start("b", starts_other("other".into())).await.unwrap().result().await.unwrap().unwrap();
    let other = engine.start("c", starts_other("a".into())).await.unwrap().result().await.unwrap();
    assert_eq!(other, Err(CallError::IdInUse { id: "a".into() }));
}

#[tokio::test]
async fn a_crash_at_every_step_starts_each_child_once() {
    testing::crash_at_every_step(|| one_parcel(4)).await;
    testing::crash_at_every_step(|| many_parcels(3)).await;
}

#[tokio::test]
async fn twenty_children_survive_crashes_of_the_engine_and_run_once() {
    let engine = testing::engine().mock(mock(weigh_parcel).then(Ok)).open().await;
    engine.start("a", many_parcels(20)).await.unwrap();
    for _ in 0..10 {
        engine.crash_and_reopen().await;
        tokio::task::yield_now().await;
    }
    let weights = engine.handle("a").of(many_parcels).result().await.unwrap().unwrap();
    assert_eq!(weights, (100..120).collect::<Vec<_>>());
    assert!(engine.calls(weigh_parcel) == 20);
    engine.advance(DAY).await;
    assert_eq!(
        engine.list(Filter::new().workflow("parcel").status(Status::Completed)).await.unwrap().len(),
        20
    );
}
