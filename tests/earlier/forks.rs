//! A fork goes on beside the original from an earlier step.

use durable::{ForkError, HistoryKind, StartError, Status, external, prelude::*};

use super::{AddItem, Approve, MINUTE, charge, history, mail, order, reserve, slow, status, steps};

#[tokio::test]
async fn a_fork_of_a_live_instance_does_again_what_was_under_way_under_keys_of_its_own() {
    let engine = slow().open().await;
    let original = engine.start("it", order("tea".into(), 10)).await.unwrap();
    engine.idle().await;
    let first_key = original.describe().await.unwrap().activities[0].idempotency_key.clone();
    engine.advance(MINUTE + MINUTE / 2).await;
    assert_eq!(steps(&engine, "it").await, [0, 1, 2]);

    let fork = original.fork_at(1, "fork").await.unwrap();
    assert!(fork.created() && fork.id() == "fork");
    let key = fork.describe().await.unwrap().activities[0].idempotency_key.clone();
    assert_ne!(key, first_key, "a fork is another instance, and its calls are other calls");
    assert_eq!(fork.result().await.unwrap(), "mailed reserved tea for 15, 15");
    assert_eq!(original.result().await.unwrap(), "mailed reserved tea for 15, 15");
    assert_eq!(engine.calls(reserve).len(), 2, "the fork reserves for itself");
    assert_eq!((engine.calls(charge).len(), engine.calls(mail).len()), (2, 2));
    assert_eq!(history(&engine, "fork").await[0], HistoryKind::Forked { from: "it".into(), step: 1 });
    let forked = HistoryKind::ForkedAs { id: "fork".into(), step: 1 };
    assert!(history(&engine, "it").await.contains(&forked));
}

#[tokio::test]
async fn a_closed_instance_is_forked_too_and_says_so_in_its_history() {
    let engine = slow().open().await;
    let original = engine.start("it", order("tea".into(), 10)).tag("tenant", "acme").await.unwrap();
    original.result().await.unwrap();
    for (step, id) in [(2, "late"), (0, "anew")] {
        let fork = original.fork_at(step, id).await.unwrap();
        assert_eq!(fork.result().await.unwrap(), "mailed reserved tea for 15, 15");
        assert_eq!(fork.describe().await.unwrap().tags, [("tenant".to_owned(), "acme".to_owned())]);
    }
    assert_eq!(engine.calls(reserve).len(), 2, "only the one that began anew reserved");
    let kinds = history(&engine, "it").await;
    for (id, step) in [("late", 2), ("anew", 0)] {
        assert!(kinds.contains(&HistoryKind::ForkedAs { id: id.into(), step }), "{kinds:?}");
    }
    // A fork has snapshots of its own, from where it began.
    assert_eq!(steps(&engine, "late").await, [2, 3]);
    let again = engine.handle("late").of(order).fork_at(3, "again").await.unwrap();
    assert_eq!(again.result().await.unwrap(), "mailed reserved tea for 15, 15");
}

#[tokio::test]
async fn what_is_not_kept_is_refused_with_the_steps_that_are() {
    let engine = slow().keep_snapshots(2).open().await;
    let original = engine.start("it", order("tea".into(), 10)).await.unwrap();
    original.result().await.unwrap();
    let error = original.fork_at(1, "fork").await.unwrap_err();
    assert!(matches!(&error, ForkError::NotKept(kept) if kept.kept == [2, 3]), "{error}");
    let text = error.to_string();
    for part in ["after step 1", "after steps 2, 3", "`keep_snapshots`", "which is 2 now"] {
        assert!(text.contains(part), "{text}");
    }
    let taken = original.fork_at(2, "it").await.unwrap_err();
    assert!(matches!(taken, ForkError::Start(StartError::Exists { .. })), "{taken}");
    let bad = original.fork_at(2, "").await.unwrap_err();
    assert!(matches!(bad, ForkError::Start(StartError::BadId { .. })), "{bad}");

    let none = slow().keep_snapshots(0).open().await;
    let original = none.start("it", order("tea".into(), 10)).await.unwrap();
    original.result().await.unwrap();
    assert!(steps(&none, "it").await.is_empty());
    let error = original.fork_at(1, "fork").await.unwrap_err().to_string();
    assert!(error.contains("none is") && error.contains("which is 0 now"), "{error}");
}

#[tokio::test]
async fn snapshots_show_the_locals_of_each_step() {
    let engine = slow().open().await;
    engine.start("it", order("tea".into(), 10)).await.unwrap();
    engine.advance(MINUTE + MINUTE / 2).await;
    let kept = engine.handle("it").snapshots().await.unwrap();
    assert_eq!(kept[0].waits_on, "its first step");
    assert_eq!((kept[1].waits_on.as_str(), kept[2].waits_on.as_str()), ("reserve", "charge"));
    let total = kept[2].frames[0].locals.iter().find(|(name, _)| name == "total");
    assert_eq!(total.unwrap().1, 15);
    assert!(kept[2].to_string().contains("total = 15"), "{}", kept[2]);
}

#[workflow]
async fn patient(days: u64) -> String {
    sleep(days as u32 * 24 * 60 * MINUTE).await;
    let slept = days;
    sleep(24 * 60 * MINUTE).await;
    format!("slept {slept} and one")
}

#[tokio::test]
async fn timers_of_a_fork_fire_when_they_were_due_and_its_deadline_counts_anew() {
    let engine = slow().open().await;
    let day = 24 * 60 * MINUTE;
    let original = engine.start("it", patient(3)).deadline(5 * day).await.unwrap();
    engine.advance(3 * day + day / 2).await;
    // It sleeps for the second time: until half a day from now. The first sleep is over.
    let second = original.fork_at(2, "second").await.unwrap();
    let first = original.fork_at(1, "first").await.unwrap();
    let before = engine.now();
    engine.idle().await;
    assert_eq!(first.describe().await.unwrap().steps, 2, "its timer was due at once");
    assert_eq!(first.describe().await.unwrap().deadline, Some(before + 5 * day));
    assert_eq!(second.result().await.unwrap(), "slept 3 and one");
    assert_eq!(engine.now(), before + day / 2);
    assert_eq!(original.result().await.unwrap(), "slept 3 and one");
    assert_eq!(first.result().await.unwrap(), "slept 3 and one");
}

#[workflow]
async fn approved() -> String {
    let Approve { by } = recv::<Approve>().await;
    let paid = charge(&by, 1).await;
    let again = recv::<Approve>().await;
    format!("{by} {paid} {}", again.by)
}

#[tokio::test]
async fn messages_stay_with_the_original() {
    let engine = slow().open().await;
    let original = engine.start("it", approved()).await.unwrap();
    engine.signal("it", Approve { by: "ann".into() }).await.unwrap();
    engine.idle().await;
    engine.signal("it", Approve { by: "bob".into() }).await.unwrap();
    let fork = original.fork_at(2, "fork").await.unwrap();
    let before = original.fork_at(1, "before").await.unwrap();
    assert_eq!(original.result().await.unwrap(), "ann 1 bob");
    engine.advance(MINUTE).await;
    assert_eq!(status(&engine, "fork").await, Status::Waiting, "bob's was not for it");
    engine.signal("fork", Approve { by: "cid".into() }).await.unwrap();
    assert_eq!(fork.result().await.unwrap(), "ann 1 cid");
    assert_eq!(status(&engine, "before").await, Status::Waiting);
    engine.signal("before", Approve { by: "dan".into() }).await.unwrap();
    engine.signal("before", Approve { by: "eve".into() }).await.unwrap();
    assert_eq!(before.result().await.unwrap(), "dan 1 eve");
}

#[workflow]
async fn answers_late() -> u64 {
    let request = recv_update::<AddItem>().await;
    let paid = charge("it", request.cents).await;
    request.reply(paid);
    mail("done").await;
    paid
}

#[tokio::test]
async fn an_update_is_answered_by_the_original_alone() {
    let engine = slow().open().await;
    let original = engine.start("it", answers_late()).await.unwrap();
    let asked = tokio::spawn({
        let engine = engine.clone();
        async move { engine.update("it", AddItem { cents: 7 }).await }
    });
    while steps(&engine, "it").await.len() < 3 {
        tokio::task::yield_now().await;
    }
    let fork = original.fork_at(2, "fork").await.unwrap();
    original.terminate("forked").await.unwrap();
    let answer = asked.await.unwrap();
    assert!(matches!(answer, Err(durable::UpdateError::Unanswered { .. })), "{answer:?}");
    assert_eq!(fork.result().await.unwrap(), 7, "the fork goes on, and its reply goes to nobody");
}

#[workflow]
async fn asks_outside() -> String {
    let decision = external::<String>();
    let token = decision.token();
    mail(&token.to_string()).await;
    let said = decision.await;
    format!("{said} by {token}")
}

#[tokio::test]
async fn a_fork_has_tokens_of_its_own() {
    let engine = slow().open().await;
    let original = engine.start("it", asks_outside()).await.unwrap();
    engine.idle().await;
    let early = original.fork_at(1, "early").await.unwrap();
    engine.advance(2 * MINUTE).await;
    let late = original.fork_at(2, "late").await.unwrap();
    engine.idle().await;
    let sent: Vec<String> = engine.calls(mail).iter().map(|call| call.0.clone()).collect();
    assert_eq!(sent.len(), 2, "the late one stands behind it");
    let token = |text: &str| text.parse::<Token<String>>().unwrap();
    engine.complete(&token(&sent[0]), "yes".into()).await.unwrap();
    engine.complete(&token(&sent[1]), "no".into()).await.unwrap();
    assert_eq!(original.result().await.unwrap(), format!("yes by {}", sent[0]));
    assert_eq!(early.result().await.unwrap(), format!("no by {}", sent[1]));
    // The one that was never sent is in the variables.
    let described = late.describe().await.unwrap();
    let local = described.frames[0].locals.iter().find(|(name, _)| name == "token").unwrap();
    let third = local.1.as_str().unwrap().to_owned();
    assert!(!sent.contains(&third));
    engine.complete(&token(&third), "maybe".into()).await.unwrap();
    assert_eq!(late.result().await.unwrap(), format!("maybe by {third}"));
}

#[workflow]
async fn saga() -> Result<String, CallError> {
    let reserved = reserve("tea").await;
    compensate(mail("released"));
    charge("tea", 1).await;
    Err(CallError::Cancelled { reason: reserved })
}

#[tokio::test]
async fn compensations_stand_for_the_fork_too() {
    let engine = slow().open().await;
    let original = engine.start("it", saga()).await.unwrap();
    engine.advance(MINUTE + MINUTE / 2).await;
    let fork = original.fork_at(2, "fork").await.unwrap();
    assert!(original.result().await.unwrap().is_err() && fork.result().await.unwrap().is_err());
    assert_eq!(engine.calls(mail).len(), 2, "each has released what it stands for");
}
