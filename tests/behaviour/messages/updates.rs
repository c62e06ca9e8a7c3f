//! Updates: validated, answered, and the same answer for whoever asks again.

use std::time::Duration;

use durable::{StartUpdateError, prelude::*, testing};
use serde::{Deserialize, Serialize};

use crate::support::{HOUR, MINUTE};

#[derive(Debug, Serialize, Deserialize, Update)]
#[update(output = i64)]
struct Add(i64);

/// Adds up what comes.
#[workflow]
async fn counter(adds: u32) -> i64 {
    let mut total = 0;
    for _ in 0..adds {
        let request = recv_update::<Add>().await;
        if request.0 < 0 {
            request.reject("only upwards");
            continue;
        }
        total += request.0;
        request.reply(total);
    }
    total
}

/// Answers an hour after it was asked, with the right to answer kept meanwhile.
#[workflow]
async fn slow_counter() -> i64 {
    let (Add(by), reply) = recv_update::<Add>().await.into_parts();
    sleep(HOUR).await;
    reply.reply(by + 1);
    sleep(MINUTE).await;
    by
}

/// Never answers.
#[workflow]
async fn deaf_counter() -> i64 {
    let request = recv_update::<Add>().await;
    sleep(HOUR).await;
    request.0
}

#[tokio::test]
async fn an_update_is_answered_or_rejected_by_the_workflow() {
    let engine = testing::engine().open().await;
    let handle = engine.start("counter", counter(3)).await.unwrap();
    assert_eq!(engine.update("counter", Add(2)).await, Ok(2));
    assert_eq!(handle.update(Add(-1)).await, Err(UpdateError::Rejected { why: "only upwards".into() }));
    assert_eq!(handle.update(Add(5)).await, Ok(7));
    assert_eq!(handle.result().await.unwrap(), 7);
    let history = handle.history().await.unwrap();
    let received = history.iter().filter(|event| event.to_string().contains("update `Add` received"));
    assert_eq!(received.count(), 2, "a rejected one leaves no trace");
    let closed = engine.update("counter", Add(1)).await.unwrap_err();
    assert_eq!(closed, UpdateError::Undelivered(SignalError::Closed { id: "counter".into() }));
}

#[tokio::test]
async fn an_answer_may_come_long_after_and_over_a_crash() {
    let engine = testing::engine().open().await;
    engine.start("slow", slow_counter()).await.unwrap();
    let asked = {
        let engine = engine.clone();
        tokio::spawn(async move { engine.update("slow", Add(1)).dedup("k").await })
    };
    while engine.handle("slow").describe().await.unwrap().timers.is_empty() {
        tokio::task::yield_now().await;
    }
    let engine = engine.crash_and_reopen().await;
    // The engine that was asked has gone. Asked again with the key, the next one waits for the same answer.
    assert!(asked.await.unwrap().is_err());
    let again = {
        let engine = engine.clone();
        tokio::spawn(async move { engine.update("slow", Add(1)).dedup("k").await })
    };
    let other = {
        let engine = engine.clone();
        tokio::spawn(async move { engine.update("slow", Add(1)).dedup("k").await })
    };
    // Both are there before the answer is.
    tokio::time::sleep(Duration::from_millis(20)).await;
    engine.advance(HOUR).await;
    assert_eq!((again.await.unwrap(), other.await.unwrap()), (Ok(2), Ok(2)));
    let engine = engine.crash_and_reopen().await;
    assert_eq!(engine.update("slow", Add(1)).dedup("k").await, Ok(2), "from what was stored");
    assert_eq!(engine.handle("slow").of(slow_counter).result().await.unwrap(), 1);
    assert_eq!(engine.update("slow", Add(1)).dedup("k").await, Ok(2), "and after the end");
}

#[tokio::test]
async fn an_update_that_nobody_answers_ends_with_its_instance() {
    let engine = testing::engine().open().await;
    let handle = engine.start("deaf", deaf_counter()).await.unwrap();
    let ask = |key: &'static str| {
        let engine = engine.clone();
        tokio::spawn(async move { engine.update("deaf", Add(1)).dedup(key).await })
    };
    // Whichever comes first is received, and the other one waits.
    let (one, two) = (ask("one"), ask("two"));
    loop {
        let now = handle.describe().await.unwrap();
        if !now.timers.is_empty() && !now.messages.is_empty() {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(handle.result().await.unwrap(), 1);
    assert_eq!(handle.describe().await.unwrap().unread, 1);
    let unanswered = Err(UpdateError::Unanswered { id: "deaf".into() });
    for (key, asked) in [("one", one), ("two", two)] {
        assert_eq!(asked.await.unwrap(), unanswered);
        assert_eq!(engine.update("deaf", Add(1)).dedup(key).await, unanswered, "asked again");
    }
}

#[tokio::test]
async fn two_clients_that_start_with_an_update_get_one_instance_and_both_are_answered() {
    let engine = testing::engine().open().await;
    let client = |by: i64| {
        let engine = engine.clone();
        tokio::spawn(async move { engine.start("shared", counter(2)).with_update(Add(by)).await })
    };
    let (one, two) = (client(1), client(10));
    let (one, two) = (one.await.unwrap().unwrap(), two.await.unwrap().unwrap());
    assert!(one.0.created() != two.0.created(), "one of them created it");
    let mut answers = [one.1, two.1];
    answers.sort_unstable();
    assert!(answers == [1, 11] || answers == [10, 11], "{answers:?}");
    assert_eq!(one.0.result().await.unwrap(), 11);
}

#[tokio::test]
async fn a_start_with_an_update_says_what_failed() {
    let engine = testing::engine().open().await;
    let rejected = engine.start("no", counter(1)).with_update(Add(-1)).await.unwrap_err();
    assert!(
        matches!(&rejected, StartUpdateError::Update(UpdateError::Rejected { why }) if why == "only upwards"),
        "{rejected}"
    );
    let other = engine.start("no", slow_counter()).with_update(Add(1)).await.unwrap_err();
    assert!(matches!(other, StartUpdateError::Start(StartError::OtherWorkflow { .. })), "{other}");
    let restart = engine.start("no", counter(1)).on_existing(OnExisting::RestartIfClosed);
    let (handle, total) = restart.with_update(Add(4)).dedup("k").await.unwrap();
    assert!(handle.created());
    assert_eq!(total, 4);
    let (again, total) = engine.start("no", counter(1)).with_update(Add(4)).dedup("k").await.unwrap();
    assert!(!again.created());
    assert_eq!(total, 4);
}

#[tokio::test]
async fn updates_that_are_not_answered_take_room_in_the_mailbox() {
    let engine = testing::engine().max_messages(1).open().await;
    let handle = engine.start("room", deaf_counter()).await.unwrap();
    let asked = {
        let engine = engine.clone();
        tokio::spawn(async move { engine.update("room", Add(1)).await })
    };
    while handle.describe().await.unwrap().timers.is_empty() {
        tokio::task::yield_now().await;
    }
    let full = UpdateError::Undelivered(SignalError::Full { id: "room".into(), most: 1 });
    assert_eq!(engine.update("room", Add(1)).await, Err(full));
    handle.result().await.unwrap();
    assert_eq!(asked.await.unwrap(), Err(UpdateError::Unanswered { id: "room".into() }));
}
