//! One stack per workflow call: whose compensations run when, and what is handed on.

use durable::{prelude::*, testing};

use super::{Log, does, shared, step, undoes};
use crate::support::HOUR;

async fn lines<W: durable::RootWorkflow<Output = Result<(), Error>>>(
    call: durable::WorkflowCall<W>,
) -> Vec<String>
where
    W::Args: Send,
{
    let log = shared();
    let engine = testing::engine().state_arc(log.clone()).open().await;
    let _ = engine.run(call).await.unwrap();
    log.lines()
}

#[workflow]
async fn inner(fails: bool) -> Result<u32, Error> {
    step("c".into()).await?;
    does("d").await?;
    compensate(undoes("d"));
    ensure!(!fails, "inner fails");
    Ok(7)
}

#[workflow]
async fn outer(inner_fails: bool, outer_fails: bool) -> Result<(), Error> {
    step("a".into()).await?;
    let number = inner(inner_fails).await.unwrap_or(0);
    does(&format!("inner gave {number}")).await?;
    ensure!(!outer_fails, "outer fails");
    Ok(())
}

#[tokio::test]
async fn a_called_workflow_that_fails_runs_its_own_before_its_caller_gets_the_error() {
    assert_eq!(lines(outer(true, false)).await, ["a", "c", "d", "-d", "-c", "inner gave 0"]);
    assert_eq!(lines(outer(true, true)).await, ["a", "c", "d", "-d", "-c", "inner gave 0", "-a"]);
}

#[tokio::test]
async fn what_a_called_workflow_that_succeeds_has_pushed_is_its_callers() {
    assert_eq!(lines(outer(false, true)).await, ["a", "c", "d", "inner gave 7", "-d", "-c", "-a"]);
    assert_eq!(lines(outer(false, false)).await, ["a", "c", "d", "inner gave 7"]);
}

#[tokio::test]
async fn nested_calls_survive_a_crash_at_every_step() {
    for (inner_fails, outer_fails) in [(true, true), (false, true)] {
        testing::crash_at_every_step(move || outer(inner_fails, outer_fails))
            .with(|builder| builder.state(Log::default()))
            .await;
    }
}

#[workflow]
async fn releases(fails: bool) -> Result<(), Error> {
    finally(undoes("lock"));
    compensate(undoes("work"));
    ensure!(!fails, "releases fails");
    Ok(())
}

#[workflow]
async fn calls_releases(inner_fails: bool, fails: bool) -> Result<(), Error> {
    finally(undoes("outer lock"));
    let _ = releases(inner_fails).await;
    does("next").await?;
    ensure!(!fails, "fails");
    Ok(())
}

#[tokio::test]
async fn finally_runs_on_success_too_and_before_a_caller_goes_on() {
    assert_eq!(lines(releases(false)).await, ["-lock"]);
    assert_eq!(lines(releases(true)).await, ["-work", "-lock"]);
    assert_eq!(lines(calls_releases(false, false)).await, ["-lock", "next", "-outer lock"]);
    assert_eq!(lines(calls_releases(false, true)).await, ["-lock", "next", "-work", "-outer lock"]);
    assert_eq!(lines(calls_releases(true, false)).await, ["-work", "-lock", "next", "-outer lock"]);
}

#[tokio::test]
async fn finally_survives_a_crash_at_every_step() {
    for (inner_fails, fails) in [(false, false), (false, true), (true, false)] {
        testing::crash_at_every_step(move || calls_releases(inner_fails, fails))
            .with(|builder| builder.state(Log::default()))
            .await;
    }
}

#[workflow]
async fn dismisses(late: bool) -> Result<(), Error> {
    let a = compensate(undoes("a"));
    let b = compensate(undoes("b"));
    if late {
        does("something").await?;
    }
    a.dismiss();
    does("more").await?;
    does(if format!("{b:?}").is_empty() { "no handle" } else { "kept" }).await?;
    bail!("it fails")
}

#[tokio::test]
async fn a_dismissed_compensation_does_not_run_and_a_dropped_handle_changes_nothing() {
    assert_eq!(lines(dismisses(false)).await, ["more", "kept", "-b"]);
    assert_eq!(lines(dismisses(true)).await, ["something", "more", "kept", "-b"]);
    testing::crash_at_every_step(|| dismisses(true)).with(|builder| builder.state(Log::default())).await;
}

#[workflow]
async fn tries_again() -> Result<(), Error> {
    finally(undoes("lock"));
    step("a".into()).await?;
    step("b".into()).await?;
    compensate_now().await;
    compensate_now().await;
    step("c".into()).await?;
    bail!("it fails")
}

#[tokio::test]
async fn compensate_now_undoes_and_goes_on() {
    assert_eq!(lines(tries_again()).await, ["a", "b", "-b", "-a", "c", "-c", "-lock"]);
    testing::crash_at_every_step(tries_again).with(|builder| builder.state(Log::default())).await;
}

#[workflow]
async fn slow(what: String) -> Result<(), Error> {
    step(what).await?;
    sleep(HOUR).await;
    Ok(())
}

#[workflow]
async fn quick() -> Result<(), Error> {
    sleep(HOUR / 2).await;
    Ok(())
}

#[workflow]
async fn races() -> Result<(), Error> {
    step("a".into()).await?;
    (slow("b".into()), quick()).race().await?;
    sleep(HOUR).await;
    does("after").await?;
    Ok(())
}

#[tokio::test]
async fn a_branch_that_loses_a_race_is_undone() {
    assert_eq!(lines(races()).await, ["a", "b", "-b", "after"]);
    testing::crash_at_every_step(races).with(|builder| builder.state(Log::default())).await;
}

#[workflow]
async fn spawned(what: String, fails: bool) -> Result<u32, Error> {
    step(what).await?;
    ensure!(!fails, "spawned fails");
    Ok(3)
}

#[workflow]
async fn spawns(spawned_fails: bool, fails: bool) -> Result<(), Error> {
    let handle = spawn(spawned("b".into(), spawned_fails));
    let number = handle.await.unwrap_or(0);
    does(&format!("got {number}")).await?;
    ensure!(!fails, "spawns fails");
    Ok(())
}

#[tokio::test]
async fn a_spawned_workflow_is_a_call_as_any() {
    assert_eq!(lines(spawns(true, false)).await, ["b", "-b", "got 0"]);
    assert_eq!(lines(spawns(false, true)).await, ["b", "got 3", "-b"]);
    assert_eq!(lines(spawns(false, false)).await, ["b", "got 3"]);
    testing::crash_at_every_step(|| spawns(true, true)).with(|builder| builder.state(Log::default())).await;
}

#[workflow]
async fn stops_one() -> Result<(), Error> {
    let handle = spawn(slow("b".into()));
    sleep(HOUR / 2).await;
    let last = handle.cancel().await;
    ensure!(last.is_err(), "it was cancelled");
    does("after").await
}

#[tokio::test]
async fn a_spawned_workflow_that_is_cancelled_is_undone_before_its_last_word() {
    assert_eq!(lines(stops_one()).await, ["b", "-b", "after"]);
    testing::crash_at_every_step(stops_one).with(|builder| builder.state(Log::default())).await;
}

#[workflow]
async fn undoes_two() -> Result<(), Error> {
    undoes("first").await?;
    undoes("second").await
}

#[workflow]
async fn compensated_by_a_workflow() -> Result<(), Error> {
    compensate(undoes("a"));
    compensate(undoes_two());
    bail!("it fails")
}

#[tokio::test]
async fn a_compensation_may_be_a_workflow() {
    assert_eq!(lines(compensated_by_a_workflow()).await, ["-first", "-second", "-a"]);
    testing::crash_at_every_step(compensated_by_a_workflow)
        .with(|builder| builder.state(Log::default()))
        .await;
}
