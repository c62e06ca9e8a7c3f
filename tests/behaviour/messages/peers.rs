//! Instances that send to each other: in their steps' transactions, once.

use durable::{CallError, prelude::*, testing};
use serde::{Deserialize, Serialize};

use crate::support::HOUR;

#[derive(Debug, Serialize, Deserialize, Signal)]
struct Ping(u32);

#[derive(Debug, Serialize, Deserialize, Update)]
#[update(output = u32)]
struct Double(u32);

/// Sends so many pings to another instance.
#[workflow]
async fn pinger(to: String, count: u32) -> Result<(), SignalError> {
    for n in 0..count {
        durable::signal(&to, Ping(n)).await?;
    }
    Ok(())
}

#[workflow]
async fn ponger(count: usize) -> Vec<u32> {
    let mut pings = Vec::new();
    while pings.len() < count {
        pings.push(recv::<Ping>().await.0);
    }
    pings
}

#[workflow]
async fn asker(to: String, what: u32) -> Result<u32, UpdateError> {
    durable::update(to, Double(what)).await
}

#[workflow]
async fn doubler(after: std::time::Duration) -> u32 {
    let request = recv_update::<Double>().await;
    sleep(after).await;
    let doubled = request.0 * 2;
    request.reply(doubled);
    doubled
}

/// Waits for something else than what it is asked for.
#[workflow]
async fn absent() -> u32 {
    recv::<Ping>().await.0
}

#[workflow]
async fn attached(to: String) -> Result<Vec<u32>, CallError> {
    durable::attach(to, ponger).await
}

#[workflow]
async fn stopper(to: String) -> Result<(), SignalError> {
    durable::cancel(to, "not needed any more").await
}

#[tokio::test]
async fn signals_between_instances_come_once_and_in_order_over_crashes() {
    let engine = testing::engine().open().await;
    engine.start("ponger", ponger(20)).await.unwrap();
    engine.start("pinger", pinger("ponger".into(), 20)).await.unwrap();
    let engine = engine.crash_and_reopen().await;
    engine.idle().await;
    let engine = engine.crash_and_reopen().await;
    let pings = engine.handle("ponger").of(ponger).result().await.unwrap();
    assert_eq!(pings, (0..20).collect::<Vec<_>>());
    engine.handle("pinger").of(pinger).result().await.unwrap().unwrap();
}

#[tokio::test]
async fn a_peer_that_is_missing_or_has_ended_or_is_full_says_so_in_the_workflow() {
    let engine = testing::engine().max_messages(2).open().await;
    let send = async |name: &str, to: &str, count| {
        engine.start(name, pinger(to.into(), count)).await.unwrap().result().await.unwrap()
    };
    assert_eq!(send("a", "nobody", 1).await, Err(SignalError::NotFound { id: "nobody".into() }));
    engine.start("done", ponger(0)).await.unwrap().result().await.unwrap();
    assert_eq!(send("b", "done", 1).await, Err(SignalError::Closed { id: "done".into() }));
    engine.start("deaf", doubler(HOUR)).await.unwrap();
    assert_eq!(send("c", "deaf", 3).await, Err(SignalError::Full { id: "deaf".into(), most: 2 }));
    assert_eq!(engine.handle("deaf").describe().await.unwrap().messages, [("Ping".to_owned(), 2)]);
}

#[tokio::test]
async fn an_update_between_instances_is_answered_also_over_a_crash() {
    let engine = testing::engine().open().await;
    engine.start("doubler", doubler(HOUR)).await.unwrap();
    engine.start("asker", asker("doubler".into(), 21)).await.unwrap();
    engine.idle().await;
    let engine = engine.crash_and_reopen().await;
    assert_eq!(engine.handle("asker").of(asker).result().await.unwrap(), Ok(42));
    let late = engine.start("late", asker("doubler".into(), 1)).await.unwrap();
    assert!(matches!(
        late.result().await.unwrap(),
        Err(UpdateError::Undelivered(SignalError::Closed { .. }))
    ));
}

#[tokio::test]
async fn a_peer_that_ends_without_having_read_an_update_leaves_nobody_waiting() {
    let engine = testing::engine().open().await;
    for (name, ends_by_itself) in [("returns", true), ("is terminated", false)] {
        let peer = engine.start(name, absent()).await.unwrap();
        let asker = engine.start(format!("asks one that {name}"), asker(name.into(), 1)).await.unwrap();
        engine.idle().await;
        if ends_by_itself {
            peer.signal(Ping(1)).await.unwrap();
        } else {
            peer.terminate("enough").await.unwrap();
        }
        let unanswered = Err(UpdateError::Unanswered { id: name.into() });
        assert_eq!(asker.result().await.unwrap(), unanswered, "{name}");
    }
}

#[tokio::test]
async fn attaching_gives_the_end_of_another_instance_before_and_after_it() {
    let engine = testing::engine().open().await;
    let peer = engine.start("peer", ponger(1)).await.unwrap();
    let before = engine.start("before", attached("peer".into())).await.unwrap();
    engine.idle().await;
    peer.signal(Ping(5)).await.unwrap();
    assert_eq!(before.result().await.unwrap(), Ok(vec![5]));
    let after = engine.start("after", attached("peer".into())).await.unwrap();
    assert_eq!(after.result().await.unwrap(), Ok(vec![5]));
    let nobody = engine.start("nobody's", attached("nobody".into())).await.unwrap();
    assert_eq!(nobody.result().await.unwrap(), Err(CallError::NotFound { id: "nobody".into() }));
    let ended = engine.start("ended", ponger(1)).await.unwrap();
    let told = engine.start("told", attached("ended".into())).await.unwrap();
    engine.idle().await;
    ended.terminate("enough").await.unwrap();
    assert_eq!(told.result().await.unwrap(), Err(CallError::Terminated { reason: "enough".into() }));
}

#[tokio::test]
async fn an_instance_can_cancel_another() {
    let engine = testing::engine().open().await;
    let peer = engine.start("peer", ponger(1)).await.unwrap();
    engine.start("stopper", stopper("peer".into())).await.unwrap().result().await.unwrap().unwrap();
    let cancelled = peer.result().await.unwrap_err();
    assert!(
        matches!(&cancelled, RunError::Cancelled { why, .. } if why == "not needed any more"),
        "{cancelled}"
    );
}

/// Waits for the end of another instance again and again, a little at a time.
#[workflow]
async fn looks_in(to: String, times: u32) -> u32 {
    for _ in 0..times {
        let _ = durable::attach(&to, absent).timeout(HOUR).await;
    }
    times
}

/// Each look stayed in the record of the other one until its end, and was written at each of its steps.
#[tokio::test]
async fn whoever_does_not_wait_for_an_end_any_more_is_forgotten_there() {
    let engine = testing::engine().open().await;
    let watched = engine.start("watched", absent()).await.unwrap();
    // The news that somebody does not wait any more is a message, which it takes in a step of its own.
    let size = async || {
        engine.idle().await;
        watched.export().await.unwrap().to_string().len()
    };
    engine.run(looks_in("watched".into(), 2)).await.unwrap();
    let after_two = size().await;
    engine.run(looks_in("watched".into(), 50)).await.unwrap();
    assert_eq!(size().await, after_two);
    // One that ends while it waits is forgotten, too.
    let ends = engine.start("ends", looks_in("watched".into(), 1)).await.unwrap();
    assert!(size().await > after_two, "it stands there as long as it waits");
    ends.terminate("enough").await.unwrap();
    assert_eq!(size().await, after_two);
    watched.signal(Ping(7)).await.unwrap();
    assert_eq!(watched.result().await.unwrap(), 7);
}
