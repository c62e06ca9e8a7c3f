//! What an engine and a handle offer, called as documented.

use std::time::SystemTime;

use durable::{prelude::*, testing};
use serde::{Deserialize, Serialize};

use crate::support::{DAY, HOUR, MINUTE};

#[derive(Debug, Serialize, Deserialize, Signal)]
struct Approval {
    by: String,
}

#[workflow]
async fn face_waits(what: String) -> Result<String, Error> {
    let approval = recv::<Approval>().await;
    Ok(format!("{what}: {}", approval.by))
}

#[tokio::test]
async fn starts_take_signals_delays_deadlines_and_tags() {
    let engine = testing::engine().retention(DAY).open().await;
    let handle = engine
        .start("a", face_waits("tea".into()))
        .with_signal(Approval { by: "Ann".into() })
        .delay(HOUR)
        .deadline(2 * HOUR)
        .tag("tenant", "acme")
        .on_existing(OnExisting::Fail)
        .await
        .unwrap();
    let begun = engine.now();
    assert_eq!(handle.result().await.unwrap().unwrap(), "tea: Ann");
    assert_eq!(crate::support::since(&engine, begun), HOUR);
    let exists = engine.start("a", face_waits("tea".into())).on_existing(OnExisting::Fail).await.unwrap_err();
    assert!(matches!(exists, StartError::Exists { id } if id == "a"));
    let late = engine.start("b", face_waits("tea".into())).deadline(MINUTE).await.unwrap();
    assert!(matches!(late.result().await, Err(RunError::DeadlineExceeded { .. })));
    engine.advance(2 * DAY).await;
    assert!(matches!(handle.result().await, Err(RunError::Engine(_))), "it is forgotten after its retention");
}

#[tokio::test]
async fn an_instance_is_paused_resumed_cancelled_and_terminated_also_by_filter() {
    let engine = testing::engine().open().await;
    let mut handles = Vec::new();
    for n in 0..6 {
        let tenant = if n < 3 { "acme" } else { "other" };
        handles.push(
            engine.start(format!("w-{n}"), face_waits("x".into())).tag("tenant", tenant).await.unwrap(),
        );
    }
    engine.idle().await;
    let acme = || Filter::new().tag("tenant", "acme");
    assert_eq!(engine.pause_all(acme()).await.unwrap(), 3);
    assert_eq!(handles[0].describe().await.unwrap().status, Status::Paused);
    engine.signal("w-0", Approval { by: "Ann".into() }).await.unwrap();
    assert_eq!(handles[0].try_result().await.unwrap().map(Result::unwrap), None);
    assert_eq!(engine.resume_all(acme()).await.unwrap(), 3);
    assert_eq!(handles[0].result().await.unwrap().unwrap(), "x: Ann");
    assert_eq!(engine.cancel_all(acme(), "acme left").await.unwrap(), 2);
    assert!(matches!(handles[1].result().await, Err(RunError::Cancelled { why, .. }) if why == "acme left"));
    handles[3].pause().await.unwrap();
    handles[3].resume().await.unwrap();
    handles[3].cancel("one").await.unwrap();
    handles[4].terminate("two").await.unwrap();
    assert!(matches!(handles[4].result().await, Err(RunError::Terminated { .. })));
    let others = Filter::new().workflow("face_waits").tag("tenant", "other");
    assert_eq!(engine.terminate_all(others, "all").await.unwrap(), 1);
}

#[workflow]
async fn face_dates(until: SystemTime) -> (bool, String) {
    sleep_until(until).await;
    let told = durable::instance();
    (durable::now() >= until && told.parent.is_none() && told.started <= until, told.id)
}

#[tokio::test]
async fn an_instance_knows_itself_and_the_clock() {
    let engine = testing::engine().open().await;
    let until = engine.now() + DAY;
    let handle = engine.start("clock", face_dates(until)).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), (true, "clock".to_owned()));
}
