//! An instance goes back to an earlier step in its place.

use std::sync::atomic::{AtomicBool, Ordering};

use durable::{HistoryKind, RewindError, Status, prelude::*, testing};

use super::{AddItem, Approve, MINUTE, charge, history, mail, order, reserve, slow, status, steps};

#[tokio::test]
async fn what_was_under_way_then_is_done_again_under_its_own_key() {
    let engine = slow().open().await;
    let handle = engine.start("it", order("tea".into(), 10)).await.unwrap();
    engine.advance(MINUTE + MINUTE / 2).await;
    let key = handle.describe().await.unwrap().activities[0].idempotency_key.clone();
    engine.advance(MINUTE).await;
    assert_eq!(steps(&engine, "it").await, [0, 1, 2, 3]);
    handle.rewind_to(2).await.unwrap();
    engine.idle().await;
    let described = handle.describe().await.unwrap();
    assert_eq!((described.steps, described.activities[0].activity.as_str()), (4, "charge"));
    assert_eq!(described.activities[0].idempotency_key, key, "it is the same call: a gateway charges once");
    assert_eq!(described.activities.len(), 1, "the mail that was under way is cancelled");
    assert_eq!(steps(&engine, "it").await, [0, 1, 2, 4], "what is undone is not gone back to");
    assert_eq!(handle.result().await.unwrap(), "mailed reserved tea for 15, 15");
    let calls = (engine.calls(reserve).len(), engine.calls(charge).len(), engine.calls(mail).len());
    assert_eq!(calls, (1, 2, 2));
    assert!(history(&engine, "it").await.contains(&HistoryKind::Rewound { to: 2 }));
}

static BROKEN: AtomicBool = AtomicBool::new(true);

#[workflow]
async fn breaks(cents: u64) -> u64 {
    let discounted = if BROKEN.load(Ordering::SeqCst) { 0 } else { cents - 1 };
    let paid = charge("it", discounted).await;
    assert!(paid > 0, "nothing to pay");
    paid
}

#[tokio::test]
async fn a_parked_instance_goes_back_to_its_start() {
    let engine = slow().open().await;
    let handle = engine.start("it", breaks(10)).await.unwrap();
    engine.advance(2 * MINUTE).await;
    assert!(matches!(status(&engine, "it").await, Status::Parked(_)));
    BROKEN.store(false, Ordering::SeqCst);
    handle.rewind_to(0).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), 9);
}

#[workflow]
async fn both_approved() -> String {
    let first = recv::<Approve>().await;
    let paid = charge(&first.by, 1).await;
    let second = recv::<Approve>().await;
    mail("both").await;
    format!("{} {paid} {}", first.by, second.by)
}

#[tokio::test]
async fn messages_that_were_taken_since_wait_again_in_their_order() {
    let engine = slow().open().await;
    let handle = engine.start("it", both_approved()).await.unwrap();
    for by in ["ann", "bob"] {
        engine.signal("it", Approve { by: by.into() }).await.unwrap();
    }
    engine.advance(MINUTE + MINUTE / 2).await;
    assert!(engine.handle("it").describe().await.unwrap().messages.is_empty(), "both are taken");
    handle.pause().await.unwrap();
    handle.rewind_to(1).await.unwrap();
    let described = handle.describe().await.unwrap();
    assert_eq!((described.status, described.messages.len()), (Status::Paused, 1), "one type of message");
    assert_eq!(described.messages[0].1, 2);
    let engine = engine.crash_and_reopen().await;
    let handle = engine.handle("it").of(both_approved);
    handle.resume().await.unwrap();
    assert_eq!(handle.result().await.unwrap(), "ann 1 bob");
    // Once more, over the first time: nothing comes twice.
    let closed = handle.rewind_to(1).await.unwrap_err();
    assert!(closed.to_string().contains("has ended"), "{closed}");
}

#[tokio::test]
async fn going_back_twice_gives_each_message_back_once() {
    let engine = slow().open().await;
    let handle = engine.start("it", both_approved()).await.unwrap();
    for by in ["ann", "bob"] {
        engine.signal("it", Approve { by: by.into() }).await.unwrap();
    }
    for _ in 0..3 {
        engine.advance(MINUTE + MINUTE / 2).await;
        handle.rewind_to(1).await.unwrap();
    }
    engine.signal("it", Approve { by: "cid".into() }).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), "ann 1 bob");
    assert_eq!(handle.describe().await.unwrap().unread, 1, "cid's alone");
}

#[workflow]
async fn cart() -> u64 {
    let mut total = 0;
    loop {
        let request = recv_update::<AddItem>().await;
        total += charge("item", request.cents).await;
        request.reply(total);
        if total > 10 {
            return total;
        }
    }
}

#[tokio::test]
async fn an_update_that_was_answered_is_handled_again_and_not_answered_again() {
    // A call for an answer does not move the clock.
    let engine = testing::engine().keep_snapshots(10).open().await;
    let handle = engine.start("it", cart()).await.unwrap();
    assert_eq!(engine.update("it", AddItem { cents: 3 }).dedup("a").await.unwrap(), 3);
    handle.rewind_to(1).await.unwrap();
    engine.idle().await;
    assert_eq!(engine.update("it", AddItem { cents: 3 }).dedup("a").await.unwrap(), 3, "as it was answered");
    assert_eq!(engine.update("it", AddItem { cents: 30 }).await.unwrap(), 33, "the first item is in it once");
    assert_eq!(handle.result().await.unwrap(), 33);
}

#[tokio::test]
async fn an_update_that_is_open_is_answered_in_the_end() {
    let engine = slow().open().await;
    let handle = engine.start("it", cart()).await.unwrap();
    let asked = tokio::spawn({
        let engine = engine.clone();
        async move { engine.update("it", AddItem { cents: 30 }).await }
    });
    while steps(&engine, "it").await.len() < 3 {
        tokio::task::yield_now().await;
    }
    handle.rewind_to(1).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), 30);
    assert_eq!(asked.await.unwrap().unwrap(), 30);
}

#[workflow]
async fn sleeps_twice() -> u64 {
    sleep(10 * MINUTE).await;
    let paid = charge("it", 1).await;
    sleep(10 * MINUTE).await;
    paid
}

#[tokio::test]
async fn timers_that_were_set_since_are_cleared_and_earlier_ones_are_due() {
    let engine = slow().open().await;
    let handle = engine.start("it", sleeps_twice()).await.unwrap();
    engine.advance(12 * MINUTE).await;
    assert_eq!(handle.describe().await.unwrap().timers.len(), 1);
    handle.rewind_to(2).await.unwrap();
    assert!(handle.describe().await.unwrap().timers.is_empty());
    engine.advance(2 * MINUTE).await;
    handle.rewind_to(1).await.unwrap();
    engine.idle().await;
    assert_eq!(handle.describe().await.unwrap().activities.len(), 1, "the first sleep was over long ago");
    assert_eq!(handle.result().await.unwrap(), 1);
}

#[workflow]
async fn waits_outside() -> String {
    let decision = external::<String>();
    mail(&decision.token().to_string()).await;
    let said = decision.await;
    charge(&said, 1).await;
    said
}

#[tokio::test]
async fn a_token_that_was_used_since_can_be_used_again() {
    let engine = slow().open().await;
    let handle = engine.start("it", waits_outside()).await.unwrap();
    engine.advance(2 * MINUTE).await;
    let token = engine.calls(mail)[0].0.parse::<Token<String>>().unwrap();
    engine.complete(&token, "no".into()).await.unwrap();
    engine.idle().await;
    assert!(engine.complete(&token, "yes".into()).await.is_err());
    handle.rewind_to(2).await.unwrap();
    engine.complete(&token, "yes".into()).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), "yes");
}

#[tokio::test]
async fn what_can_t_be_gone_back_to_is_refused_and_changes_nothing() {
    let engine = slow().keep_snapshots(2).open().await;
    let handle = engine.start("it", order("tea".into(), 10)).await.unwrap();
    engine.advance(2 * MINUTE + MINUTE / 2).await;
    let error = handle.rewind_to(1).await.unwrap_err();
    assert!(matches!(&error, RewindError::NotKept(not) if not.kept == [2, 3]), "{error}");
    let missing = engine.handle("nobody").rewind_to(1).await.unwrap_err();
    assert!(missing.to_string().contains("no instance `nobody`"), "{missing}");
    assert_eq!(handle.result().await.unwrap(), "mailed reserved tea for 15, 15");
    assert_eq!(engine.calls(charge).len(), 1);
}

#[workflow]
async fn releases() -> Result<String, CallError> {
    let reserved = reserve("tea").await;
    compensate(mail("released"));
    charge("tea", 1).await;
    Err(CallError::Cancelled { reason: reserved })
}

#[tokio::test]
async fn compensations_that_were_pushed_since_are_forgotten() {
    let engine = slow().open().await;
    let handle = engine.start("it", releases()).await.unwrap();
    engine.advance(MINUTE + MINUTE / 2).await;
    assert_eq!(handle.describe().await.unwrap().compensations.len(), 1);
    handle.rewind_to(1).await.unwrap();
    assert!(handle.describe().await.unwrap().compensations.is_empty());
    assert!(handle.result().await.unwrap().is_err());
    assert_eq!(
        (engine.calls(reserve).len(), engine.calls(mail).len()),
        (2, 1),
        "what was pushed again has run once"
    );
}
