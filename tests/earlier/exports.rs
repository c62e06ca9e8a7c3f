//! An instance as JSON, and what becomes of it elsewhere.

use durable::{
    EngineError, ExportError, HistoryKind, ImportError, StartError, Status, child, external, prelude::*,
    testing, testing::mock,
};
use serde_json::{Value, json};

use super::{AddItem, Approve, MINUTE, charge, history, mail, order, reserve, slow, status};

/// An instance of `order` that stands at `charge`, half a minute before its end.
async fn exported() -> Value {
    let engine = slow().open().await;
    let handle = engine.start("it", order("tea".into(), 10)).tag("tenant", "acme").await.unwrap();
    engine.advance(MINUTE + MINUTE / 2).await;
    handle.export().await.unwrap().to_json()
}

#[tokio::test]
async fn people_read_what_the_instance_is_doing() {
    let json = exported().await;
    assert_eq!((&json["format"], &json["version"]), (&json!("durable-instance"), &json!(1)));
    assert_eq!(
        (&json["id"], &json["workflow"], &json["status"]),
        (&json!("it"), &json!("order"), &json!("running"))
    );
    assert_eq!((&json["step"], &json["waits_on"]), (&json!(2), &json!("charge")));
    let frame = &json["frames"][0];
    assert_eq!(frame["locals"], json!({ "reserved": "reserved tea", "total": 15 }));
    assert!(
        frame["file"].as_str().unwrap().ends_with("tests/earlier/main.rs")
            && frame["line"].as_u64() > Some(1)
    );
    assert_eq!(json["activities"][0]["args"], json!(["tea", 15]));
    assert_eq!(json["tags"], json!({ "tenant": "acme" }));
    assert!(
        json["history"][1]["event"].as_str().unwrap().contains("activity `reserve` completed"),
        "{json:#}"
    );
}

#[tokio::test]
async fn it_goes_on_elsewhere_as_the_same_or_as_another() {
    let json = exported().await;
    let key = json["activities"][0]["idempotency_key"].as_str().unwrap();
    let engine = slow().open().await;
    let handle = engine.import(json.clone()).await.unwrap();
    assert_eq!(handle.id(), "it");
    let described = handle.describe().await.unwrap();
    assert_eq!(described.activities[0].idempotency_key, key, "the same call: a gateway charges once");
    assert_eq!(described.tags, [("tenant".to_owned(), "acme".to_owned())]);
    let kinds = history(&engine, "it").await;
    assert_eq!(kinds[0], HistoryKind::Started, "its history comes with it");
    assert!(kinds.contains(&HistoryKind::Imported { from: "it".into(), step: 2 }), "{kinds:?}");

    let taken = engine.import(json.clone()).await.unwrap_err();
    assert!(matches!(taken, ImportError::Start(StartError::Exists { .. })), "{taken}");
    let other = engine.import(&*json.to_string()).id("other").await.unwrap().of(order);
    assert_ne!(other.describe().await.unwrap().activities[0].idempotency_key, key);
    let paused = engine.import(json.to_string()).id("paused").paused().await.unwrap();
    assert_eq!(status(&engine, "paused").await, Status::Paused);
    for handle in [handle.of(order), other] {
        assert_eq!(handle.result().await.unwrap(), "mailed reserved tea for 15, 15");
    }
    paused.resume().await.unwrap();
    assert_eq!(paused.of(order).result().await.unwrap(), "mailed reserved tea for 15, 15");
    assert_eq!((engine.calls(reserve).len(), engine.calls(charge).len()), (0, 3));
    // It survives, and so does what it needs to be read.
    let engine = engine.crash_and_reopen().await;
    assert_eq!(engine.handle("it").of(order).result().await.unwrap(), "mailed reserved tea for 15, 15");
}

#[tokio::test]
async fn an_edit_of_what_people_read_is_refused_by_its_name() {
    let engine = slow().open().await;
    let edited = |place: &'static str, value: Value| {
        let engine = engine.clone();
        async move {
            let mut json = exported().await;
            *json.pointer_mut(place).unwrap() = value;
            engine.import(json).await.unwrap_err()
        }
    };
    for (place, value, what) in [
        ("/frames/0/locals/total", json!(9), "`frames[0].locals.total`"),
        ("/activities/0/args/1", json!(9), "`activities[0].args[1]`"),
        ("/tags/tenant", json!("other"), "`tags.tenant`"),
        ("/step", json!(7), "`step`"),
    ] {
        let error = edited(place, value).await;
        assert!(matches!(error, ImportError::Edited { .. }) && error.to_string().contains(what), "{error}");
    }
    for (place, value, what) in [
        ("/exact/instance", json!("00"), "checksum"),
        ("/exact", json!(null), "`exact`"),
        ("/format", json!("other"), "`format`"),
        ("/version", json!(0), "`version`"),
    ] {
        let error = edited(place, value).await;
        assert!(
            matches!(error, ImportError::NotAnExport { .. }) && error.to_string().contains(what),
            "{error}"
        );
    }
    let newer = edited("/version", json!(2)).await;
    assert!(matches!(newer, ImportError::Newer { found: 2, supported: 1 }), "{newer}");
    assert!(engine.list(Filter::new()).await.unwrap().is_empty(), "nothing was imported");
    // Written in another way, it is the same.
    let text = exported().await.to_string().replace(',', " ,\n");
    engine.import(text).await.unwrap();
}

#[tokio::test]
async fn any_other_text_is_an_error() {
    let engine = slow().open().await;
    let text = exported().await.to_string();
    for text in ["", "{", "[]", "null", "{}", "7", "\u{0}", &"[".repeat(100_000), &text[..text.len() / 2]] {
        let error = engine.import(text).await.unwrap_err();
        assert!(matches!(error, ImportError::NotAnExport { .. }), "{error}");
    }
}

#[workflow]
async fn everything(days: u32) -> String {
    let first = recv::<Approve>().await;
    let packing = spawn(charge(&first.by, 1));
    let slept = sleep(days * 24 * 60 * MINUTE);
    slept.await;
    let second = recv::<Approve>().await;
    let paid = packing.await;
    let request = recv_update::<AddItem>().await;
    let sum = paid + request.cents;
    request.reply(sum);
    let decision = external::<String>();
    mail(&decision.token().to_string()).await;
    let said = decision.await;
    format!("{} {} {sum} {said}", first.by, second.by)
}

#[tokio::test]
async fn a_test_begins_at_the_time_of_the_export_with_what_was_waiting() {
    let engine = slow().open().await;
    let handle = engine.start("it", everything(3)).await.unwrap();
    for by in ["ann", "bob"] {
        engine.signal("it", Approve { by: by.into() }).await.unwrap();
    }
    engine.advance(24 * 60 * MINUTE).await;
    let json = handle.export().await.unwrap();
    assert_eq!(json.to_json()["messages"].as_array().unwrap().len(), 1, "bob's");

    let test = testing::engine().mock(mock(mail).returns("sent".to_owned())).resume(&json).await;
    assert_eq!(test.now(), engine.now());
    let handle = test.handle("it").of(everything);
    test.advance(24 * 60 * MINUTE).await;
    assert_eq!(handle.describe().await.unwrap().timers.len(), 1, "another day of sleep");
    test.advance(24 * 60 * MINUTE).await;
    assert_eq!(test.update("it", AddItem { cents: 4 }).await.unwrap(), 5);
    test.idle().await;
    let token = test.calls(mail)[0].0.parse::<Token<String>>().unwrap();
    test.complete(&token, "yes".into()).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), "ann bob 5 yes");
}

#[workflow]
async fn packs_elsewhere(sku: String) -> Result<String, CallError> {
    let reserved = reserve(&sku).await;
    Ok(format!("packed {reserved}"))
}

#[workflow]
async fn parent() -> Result<String, CallError> {
    let handle = child("box", packs_elsewhere("tea".into())).start().await;
    let packed = handle.await?;
    charge("it", 1).await;
    Ok(packed)
}

#[tokio::test]
async fn children_are_started_again_elsewhere() {
    let engine = slow().open().await;
    let handle = engine.start("it", parent()).await.unwrap();
    engine.idle().await;
    let json = handle.export().await.unwrap();
    let test = slow().resume(json.to_string()).await;
    assert_eq!(test.handle("it").of(parent).result().await.unwrap().unwrap(), "packed reserved tea");
    assert_eq!(test.calls(reserve).len(), 1);
}

#[workflow]
async fn order_with_a_gift(sku: String, cents: u64) -> String {
    let reserved = reserve(&sku).await;
    let total = u128::from(cents + 5);
    let paid = charge(&sku, cents + 5).await;
    let gift = reserve("gift").await;
    let mailed = mail(&format!("{reserved} for {paid}")).await;
    format!("{mailed}, {total}, {gift}")
}

#[workflow]
async fn order_with_a_note(sku: String, cents: u64) -> String {
    let reserved = reserve(&sku).await;
    let note = format!("{cents}");
    let paid = charge(&sku, cents + 5).await;
    format!("{reserved} {paid} {note}")
}

#[tokio::test]
async fn what_an_older_version_exported_is_read_as_what_it_has_stored() {
    let json = exported().await;
    let engine = slow().open().await.deploy(order, order_with_a_gift).await;
    let handle = engine.import(json.clone()).await.unwrap().of(order_with_a_gift);
    assert_eq!(handle.result().await.unwrap(), "mailed reserved tea for 15, 15, reserved gift");

    let engine = slow().open().await.deploy(order, order_with_a_note).await;
    engine.import(json).await.unwrap();
    engine.advance(2 * MINUTE).await;
    let Status::Parked(reason) = status(&engine, "it").await else { panic!("it needs what is not there") };
    assert!(reason.to_string().contains("needs variable `note`"), "{reason}");
    let engine = engine.deploy(order, order).await;
    let result = engine.handle("it").of(order).result().await.unwrap();
    assert_eq!(result, "mailed reserved tea for 15, 15");
}

#[tokio::test]
async fn a_closed_instance_has_no_state_to_export() {
    let engine = slow().open().await;
    let handle = engine.start("it", order("tea".into(), 10)).await.unwrap();
    handle.result().await.unwrap();
    let error = handle.export().await.unwrap_err();
    assert!(matches!(error, ExportError::Engine(EngineError::Closed { .. })), "{error}");
    // An earlier step of it has.
    let fork = handle.fork_at(2, "fork").await.unwrap();
    assert_eq!(fork.export().await.unwrap().to_json()["waits_on"], "charge");
}

#[workflow]
async fn releases_elsewhere() -> Result<String, CallError> {
    let reserved = reserve("tea").await;
    compensate(mail("released"));
    charge("tea", 1).await;
    Err(CallError::Cancelled { reason: reserved })
}

#[tokio::test]
async fn compensations_and_the_deadline_come_along() {
    let engine = slow().open().await;
    let handle = engine.start("it", releases_elsewhere()).deadline(60 * MINUTE).await.unwrap();
    engine.advance(MINUTE + MINUTE / 2).await;
    let deadline = handle.describe().await.unwrap().deadline;
    let test = slow().resume(handle.export().await.unwrap()).await;
    let handle = test.handle("it").of(releases_elsewhere);
    assert_eq!(handle.describe().await.unwrap().deadline, deadline);
    assert!(handle.result().await.unwrap().is_err());
    assert_eq!(test.calls(mail).len(), 1);
}

#[workflow]
async fn asks_elsewhere() -> u64 {
    let answer = update("other", AddItem { cents: 3 }).await;
    answer.unwrap_or(0)
}

#[workflow]
async fn never_answers() -> u64 {
    let request = recv_update::<AddItem>().await;
    charge("it", 1).await;
    sleep(600 * MINUTE).await;
    request.cents
}

#[tokio::test]
async fn an_answer_that_another_instance_owes_can_t_be_carried_elsewhere() {
    let engine = slow().open().await;
    engine.start("other", never_answers()).await.unwrap();
    let handle = engine.start("it", asks_elsewhere()).await.unwrap();
    engine.idle().await;
    let exported = handle.export().await.unwrap();
    let error = slow().open().await.import(exported).await.unwrap_err();
    assert!(matches!(&error, ImportError::Impossible { reason, .. } if reason.contains("update")), "{error}");
}

#[tokio::test]
async fn a_parked_instance_is_tried_again_where_it_is_imported() {
    let engine = testing::engine().mock(mock(charge).returns(0)).open().await;
    let handle = engine.start("it", must_pay()).await.unwrap();
    engine.idle().await;
    let exported = handle.export().await.unwrap();
    assert!(exported.to_json()["status"].as_str().unwrap().contains("nothing was paid"), "{exported}");
    let test = testing::resume(&exported).await;
    test.idle().await;
    let Status::Parked(reason) = status(&test, "it").await else { panic!("the mistake is still there") };
    assert!(reason.to_string().contains("nothing was paid"), "{reason}");
    let test = testing::engine().open().await.deploy(must_pay, may_pay).await;
    let fixed = test.import(exported).await.unwrap().of(may_pay);
    assert_eq!(fixed.result().await.unwrap(), 0);
}

#[workflow]
async fn must_pay() -> u64 {
    let paid = charge("it", 1).await;
    assert!(paid > 0, "nothing was paid");
    paid
}

#[workflow]
async fn may_pay() -> u64 {
    let paid = charge("it", 1).await;
    paid
}
