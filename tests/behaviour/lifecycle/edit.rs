//! Giving a variable another value by hand.

use std::{collections::BTreeMap, sync::Arc};

use durable::{
    EditError, HistoryKind,
    prelude::*,
    testing::{self, TestEngine},
};
use serde_json::json;

use crate::support::{DAY, Gate, HOUR};

#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
enum Gift {
    Card { text: String },
    Nothing,
}

#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
struct Item {
    sku: String,
    prices: BTreeMap<u32, u64>,
    gift: Gift,
}

fn item() -> Item {
    Item { sku: "tea".into(), prices: BTreeMap::from([(1, 40)]), gift: Gift::Nothing }
}

#[workflow]
async fn order(total: u32) -> String {
    let note: Option<String> = None;
    let item = item();
    sleep(DAY).await;
    assert!(total < 100, "{total} is too much");
    sleep(DAY).await;
    format!("{total} {note:?} {} {:?} {:?}", item.sku, item.prices, item.gift)
}

async fn waiting(total: u32) -> TestEngine {
    let engine = testing::engine().open().await;
    engine.start("it", order(total)).await.unwrap();
    engine.idle().await;
    engine
}

#[tokio::test]
async fn a_value_that_is_edited_is_what_the_workflow_goes_on_with() {
    let engine = waiting(7).await;
    let handle = engine.handle("it").of(order);
    handle.edit("total", 8).await.unwrap();
    handle.edit("note", "by hand").await.unwrap();
    let edited =
        json!({ "sku": "cup", "prices": { "2": 50, "3": 60 }, "gift": { "Card": { "text": "hi" } } });
    handle.edit("item", edited.clone()).await.unwrap();
    let described = handle.describe().await.unwrap();
    assert_eq!(described.frames[0].locals.iter().find(|(name, _)| name == "item").unwrap().1, edited);
    let engine = engine.crash_and_reopen().await;
    let handle = engine.handle("it").of(order);
    assert_eq!(handle.result().await.unwrap(), r#"8 Some("by hand") cup {2: 50, 3: 60} Card { text: "hi" }"#);
    let history = handle.history().await.unwrap();
    let edits: Vec<_> = history
        .iter()
        .filter_map(|event| match &event.kind {
            HistoryKind::Edited { workflow, variable, before, after } => {
                Some([workflow.as_str(), variable.as_str(), before.as_str(), after.as_str()])
            }
            _ => None,
        })
        .collect();
    assert_eq!(edits.len(), 3);
    assert_eq!(edits[0], ["order", "total", "7", "8"]);
    assert_eq!(edits[1], ["order", "note", "null", r#""by hand""#]);
    assert!(history.iter().any(|event| event.to_string().contains("`total` of `order` edited from 7 to 8")));
}

#[tokio::test]
async fn a_parked_instance_stays_parked_until_it_is_taken_up_and_a_paused_one_paused() {
    let engine = waiting(700).await;
    let handle = engine.handle("it").of(order);
    engine.advance(DAY).await;
    handle.edit("total", 70).await.unwrap();
    engine.advance(HOUR).await;
    let status = handle.describe().await.unwrap().status;
    assert!(matches!(status, Status::Parked(_)), "{status}");
    handle.retry_now().await.unwrap();
    handle.pause().await.unwrap();
    handle.edit("total", 71).await.unwrap();
    engine.advance(3 * DAY).await;
    assert_eq!(handle.describe().await.unwrap().status, Status::Paused);
    handle.resume().await.unwrap();
    assert!(handle.result().await.unwrap().starts_with("71 "));
}

#[tokio::test]
async fn a_wrong_value_is_refused_with_the_variable_its_type_and_the_place() {
    let engine = waiting(7).await;
    let handle = engine.handle("it").of(order);
    for (variable, value, expected) in [
        (
            "total",
            json!("seven"),
            "variable `total` of workflow `order` at tests/behaviour/lifecycle/edit.rs:",
        ),
        (
            "total",
            json!("seven"),
            "is of type `u32`, and this can't be read as one: invalid type: string \"seven\"",
        ),
        ("total", json!(-1), "expected u32"),
        ("total", json!(null), "unit value, expected u32"),
        ("note", json!(5), "expected a string"),
        ("item", json!({ "sku": "cup", "prices": {} }), "missing field `gift`"),
        ("item", json!({ "sku": "cup", "prices": { "2": "a" }, "gift": "Nothing" }), "(at `.prices.2`)"),
        ("item", json!({ "sku": "cup", "prices": {}, "gift": "Cup" }), "unknown variant `Cup`"),
    ] {
        match handle.edit(variable, value).await.unwrap_err() {
            EditError::Unfit { id, variable: named, reason } => {
                assert_eq!((id.as_str(), named.as_str()), ("it", variable));
                assert!(reason.contains(expected), "{reason}");
            }
            other => panic!("{other}"),
        }
    }
    let error = handle.edit("sum", 5).await.unwrap_err().to_string();
    for expected in ["no variable `sum`", "`total: u32`", "`item: ", "in order#1 (tests/behaviour/"] {
        assert!(error.contains(expected), "{error}");
    }
    let history = handle.history().await.unwrap();
    assert!(!history.iter().any(|event| matches!(event.kind, HistoryKind::Edited { .. })));
    assert_eq!(handle.result().await.unwrap(), "7 None tea {1: 40} Nothing");
}

#[workflow]
async fn part(total: u64, depth: u32) -> u64 {
    if depth > 0 {
        let below = part(total, depth - 1).await;
        return below + total;
    }
    sleep(DAY).await;
    total
}

#[workflow]
async fn whole() -> (u64, u64, u64) {
    let total = 1;
    let beside = spawn(part(1_000, 0));
    let (a, b) = (part(10, 1), part(100, 0)).join().await;
    (total + a, b, beside.await)
}

#[tokio::test]
async fn frames_are_named_where_several_have_the_variable() {
    let engine = testing::engine().open().await;
    let handle = engine.start("it", whole()).await.unwrap();
    engine.idle().await;
    match handle.edit("total", 5).await.unwrap_err() {
        EditError::Ambiguous { frames, .. } => {
            assert_eq!(frames, ["whole#1", "part#1", "part#2", "part#3", "part#4"]);
        }
        other => panic!("{other}"),
    }
    let error = handle.edit("total", 5).in_frame("part").await.unwrap_err().to_string();
    assert!(error.contains("part#1 and part#2 and part#3 and part#4: say which"), "{error}");
    let error = handle.edit("total", 5).in_frame("order").await.unwrap_err().to_string();
    assert!(error.contains("no variable `total` in a frame of order"), "{error}");
    handle.edit("total", 2).in_frame("whole").await.unwrap();
    handle.edit("total", 20).in_frame("part#1").await.unwrap();
    handle.edit("total", 30).in_frame("part#2").await.unwrap();
    handle.edit("total", 200).in_frame("part#3").await.unwrap();
    handle.edit("total", 2_000).in_frame("part#4").await.unwrap();
    let engine = engine.crash_and_reopen().await;
    assert_eq!(engine.handle("it").of(whole).result().await.unwrap(), (52, 200, 2_000));
}

#[workflow]
async fn each(names: Vec<String>) -> String {
    let mut all = String::new();
    for name in &names {
        sleep(DAY).await;
        all += name;
    }
    all
}

#[tokio::test]
async fn what_the_workflow_could_not_go_on_with_is_refused_and_loops_belong_to_the_code() {
    let engine = testing::engine().open().await;
    let handle = engine.start("it", each(vec!["a".into(), "b".into(), "c".into()])).await.unwrap();
    engine.advance(2 * DAY).await;
    let error = handle.edit("names", json!(["x"])).await.unwrap_err().to_string();
    assert!(
        error.contains(
            "the workflow panics when it is loaded like this, at tests/behaviour/lifecycle/edit.rs:"
        ),
        "{error}"
    );
    let loops = handle.describe().await.unwrap().frames[0].locals.clone();
    let (state, _) = loops.iter().find(|(name, _)| name.starts_with("for")).expect("it stands in a loop");
    let error = handle.edit(state, 0).await.unwrap_err().to_string();
    assert!(error.contains("that can be edited; it has `"), "{error}");
    assert!(handle.edit("await", 0).await.is_err());
    handle.edit("names", json!(["a", "b", "d", "e"])).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), "abde");
}

#[activity]
async fn put_on_scales(State(gate): State<Gate>) -> u64 {
    gate.pass().await;
    5
}

#[workflow]
async fn weighed(price: u64) -> u64 {
    let weight = put_on_scales().await;
    price * weight
}

#[tokio::test]
async fn an_attempt_that_runs_is_left_alone_and_its_result_meets_the_new_value() {
    let gate = Arc::new(Gate::default());
    let engine = testing::engine().state_arc(gate.clone()).open().await;
    let handle = engine.start("it", weighed(2)).await.unwrap();
    gate.arrival().await;
    handle.edit("price", 3).await.unwrap();
    gate.open(1);
    assert_eq!(handle.result().await.unwrap(), 15);
    assert_eq!(gate.unseen(), 0);
    let error = handle.edit("price", 4).await.unwrap_err();
    assert!(matches!(error, EditError::Engine(durable::EngineError::Closed { .. })), "{error}");
}

#[tokio::test]
async fn what_has_not_begun_or_is_ending_is_not_edited() {
    let engine = testing::engine().open().await;
    let handle = engine.start("it", order(5)).delay(HOUR).await.unwrap();
    let error = handle.edit("total", 6).await.unwrap_err().to_string();
    assert!(error.contains("it has not begun"), "{error}");
    let none = engine.handle("none").edit("total", 6).await.unwrap_err().to_string();
    assert!(none.contains("there is no instance `none`"), "{none}");
}
