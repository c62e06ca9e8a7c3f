//! What an instance has under way with others.

use durable::{ForkError, attach, child, prelude::*};

use super::{AddItem, Approve, MINUTE, charge, mail, reserve, slow, steps};

#[workflow]
async fn packs(sku: String) -> Result<String, CallError> {
    let reserved = reserve(&sku).await;
    Ok(format!("packed {reserved}"))
}

#[workflow]
async fn ships() -> Result<String, CallError> {
    let packed = child("box", packs("tea".into())).await?;
    let paid = charge(&packed, 1).await;
    Ok(format!("{packed} for {paid}"))
}

#[tokio::test]
async fn a_child_in_flight_is_started_again_under_the_forks_id() {
    let engine = slow().open().await;
    let original = engine.start("it", ships()).await.unwrap();
    engine.idle().await;
    let fork = original.fork_at(1, "fork").await.unwrap();
    engine.idle().await;
    assert_eq!(fork.describe().await.unwrap().children, ["fork/box"]);
    for handle in [original, fork] {
        assert_eq!(handle.result().await.unwrap().unwrap(), "packed reserved tea for 1");
    }
    assert_eq!(engine.calls(reserve).len(), 2);
    let packed = engine.handle("fork/box").of(packs).result().await.unwrap();
    assert_eq!(packed.unwrap(), "packed reserved tea");
}

#[tokio::test]
async fn a_child_that_has_ended_since_gives_its_end_once_more_to_who_goes_back() {
    let engine = slow().open().await;
    let handle = engine.start("it", ships()).await.unwrap();
    engine.advance(MINUTE + MINUTE / 2).await;
    handle.rewind_to(1).await.unwrap();
    assert_eq!(handle.result().await.unwrap().unwrap(), "packed reserved tea for 1");
    assert_eq!(engine.calls(reserve).len(), 1, "the child has not run again");
    assert_eq!(engine.calls(charge).len(), 2);
}

#[workflow]
async fn holds_a_child() -> Result<String, CallError> {
    let packing = child("box", packs("tea".into())).start().await;
    charge("box", 1).await;
    packing.await
}

#[tokio::test]
async fn a_handle_of_a_child_in_a_variable_is_the_originals() {
    let engine = slow().open().await;
    let original = engine.start("it", holds_a_child()).await.unwrap();
    engine.idle().await;
    let step = *steps(&engine, "it").await.last().unwrap();
    let error = original.fork_at(step, "fork").await.unwrap_err();
    assert!(matches!(&error, ForkError::Impossible { reason, .. } if reason.contains("`it/box`")), "{error}");
    assert!(engine.handle("fork").describe().await.is_err(), "nothing was started");
    assert!(original.result().await.unwrap().is_ok());
    // Where the child is pending and no variable has it, it can be.
    let anew = original.fork_at(0, "anew").await.unwrap();
    assert_eq!(anew.result().await.unwrap().unwrap(), "packed reserved tea");
}

#[workflow]
async fn sums() -> u64 {
    let request = recv_update::<AddItem>().await;
    let paid = charge("it", request.cents).await;
    request.reply(paid);
    mail("sum").await;
    paid
}

#[workflow]
async fn asks_another(of: String) -> u64 {
    let answer = update(&of, AddItem { cents: 3 }).await;
    let sum = answer.unwrap_or(0);
    charge("sum", sum).await
}

#[workflow]
async fn waits_for_another(of: String) -> u64 {
    let sum = attach(&of, sums).await.unwrap_or(0);
    charge("sum", sum).await
}

#[tokio::test]
async fn an_answer_is_given_once_and_an_end_to_whoever_waits_for_it() {
    let engine = slow().open().await;
    engine.start("sums", sums()).await.unwrap();
    let asks = engine.start("asks", asks_another("sums".into())).await.unwrap();
    let waits = engine.start("waits", waits_for_another("sums".into())).await.unwrap();
    engine.idle().await;
    let refused = asks.fork_at(1, "asks-too").await.unwrap_err();
    assert!(refused.to_string().contains("the answer to an update"), "{refused}");
    let too = waits.fork_at(1, "waits-too").await.unwrap();
    engine.advance(MINUTE + MINUTE / 2).await;
    let gone = asks.rewind_to(1).await.unwrap_err();
    assert!(gone.to_string().contains("the answer to an update"), "{gone}");
    engine.advance(MINUTE).await;
    // It has ended by now: its end is there for whoever asks again.
    let late = waits.fork_at(1, "waits-late").await.unwrap();
    waits.rewind_to(1).await.unwrap();
    for handle in [asks, waits, too, late] {
        assert_eq!(handle.result().await.unwrap(), 3, "{}", handle.id());
    }
    assert_eq!(
        engine.calls(charge).len(),
        6,
        "the sum once, the others theirs, and one of them twice, from the beginning"
    );
}

#[workflow]
async fn fans_out(count: u32) -> u64 {
    let calls: Vec<_> = (0..count).map(|n| charge("part", u64::from(n))).collect();
    let paid = calls.join().await;
    mail("all").await;
    paid.into_iter().sum()
}

#[tokio::test]
async fn many_operations_are_kept_up_to_a_limit() {
    let engine = slow().open().await;
    for (count, kept) in [(40, vec![0, 1, 2]), (200, vec![0, 2])] {
        let id = format!("it-{count}");
        let original = engine.start(&id, fans_out(count)).await.unwrap();
        engine.advance(MINUTE + MINUTE / 2).await;
        assert_eq!(steps(&engine, &id).await, kept, "of {count}");
        let sum = u64::from(count * (count - 1) / 2);
        assert_eq!(original.result().await.unwrap(), sum);
        let fork = original.fork_at(kept[1], format!("fork-{count}")).await.unwrap();
        assert_eq!(fork.result().await.unwrap(), sum);
    }
    assert_eq!(engine.calls(charge).len(), 40 + 40 + 200, "the parts of the smaller one were made anew");
}

#[workflow]
async fn spawns() -> String {
    let packing = spawn(packs("tea".into()));
    let paid = charge("it", 2).await;
    let packed = packing.await.unwrap_or_default();
    format!("{packed} for {paid}")
}

#[tokio::test]
async fn spawned_workflows_stand_where_they_stood() {
    let engine = slow().open().await;
    let original = engine.start("it", spawns()).await.unwrap();
    engine.advance(MINUTE / 2).await;
    let step = *steps(&engine, "it").await.last().unwrap();
    let fork = original.fork_at(step, "fork").await.unwrap();
    engine.advance(MINUTE / 4).await;
    original.rewind_to(step).await.unwrap();
    for handle in [original, fork] {
        assert_eq!(handle.result().await.unwrap(), "packed reserved tea for 2");
    }
    assert_eq!((engine.calls(reserve).len(), engine.calls(charge).len()), (2, 2), "of each its own");
}

#[workflow]
async fn two_charges() -> u64 {
    let first = charge("first", 1).await;
    first + charge("second", 2).await
}

/// The join acts on what its called workflow does, and holds the message from then on.
#[workflow]
async fn charges_and_approval() -> String {
    let (sum, approval) = (two_charges(), recv::<Approve>()).join().await;
    mail(&approval.by).await;
    format!("{sum} {}", approval.by)
}

#[tokio::test]
async fn a_message_that_a_composition_holds_goes_with_it() {
    let engine = slow().open().await;
    let original = engine.start("it", charges_and_approval()).await.unwrap();
    engine.signal("it", Approve { by: "ann".into() }).await.unwrap();
    engine.advance(MINUTE + MINUTE / 2).await;
    let step = *steps(&engine, "it").await.last().unwrap();
    let early = original.fork_at(step, "early").await.unwrap();
    engine.advance(MINUTE).await;
    let described = original.describe().await.unwrap();
    assert!(described.messages.is_empty(), "it was taken: {described}");
    let late = original.fork_at(step, "late").await.unwrap();
    original.rewind_to(step).await.unwrap();
    for handle in [original, early, late] {
        assert_eq!(handle.result().await.unwrap(), "3 ann", "{}", handle.id());
        assert_eq!(handle.describe().await.unwrap().unread, 0);
    }
}
