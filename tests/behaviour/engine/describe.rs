//! What a person sees of an instance: status, place, stack, locals, pending calls, history.

use std::sync::Arc;

use durable::{
    HistoryKind,
    prelude::*,
    testing::{self, mock},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::support::{Gate, HOUR, MINUTE, SECOND};

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Item {
    sku: String,
    cents: u64,
}

#[activity(retry(initial = "1min", jitter = 0))]
async fn quote(sku: &str) -> Result<u64, Error> {
    bail!("no price for {sku}")
}

#[workflow]
async fn price_item(item: Item, discount: u64) -> Result<u64, Error> {
    let limit = item.cents * 2;
    let quoted = quote(&item.sku).await?; // the inner place
    Ok(quoted.min(limit) - discount)
}

#[workflow]
async fn price_order(items: Vec<Item>) -> Result<u64, Error> {
    let unused = items.len();
    let mut total = 0;
    for item in items {
        let priced = price_item(item, 1).await?; // the outer place
        total += priced;
    }
    println!("{unused} items");
    Ok(total)
}

fn items() -> Vec<Item> {
    vec![Item { sku: "lamp".into(), cents: 100 }, Item { sku: "rug".into(), cents: 200 }]
}

/// The line of this file that ends with a comment.
fn line_of(comment: &str) -> u32 {
    let line = include_str!("describe.rs").lines().position(|line| line.ends_with(comment));
    u32::try_from(line.expect("the comment is there")).expect("a short file") + 1
}

#[tokio::test]
async fn the_stack_shows_file_line_and_locals_of_every_frame() {
    let quotes = mock(quote).then(|sku| if sku == "lamp" { Ok(90) } else { Err(Error::msg("no price")) });
    let engine = testing::engine().mock(quotes).open().await;
    let start = engine.now();
    let handle = engine.start("order", price_order(items())).await.unwrap();
    engine.advance(30 * SECOND).await;

    let description = handle.describe().await.unwrap();
    assert_eq!((description.id.as_str(), description.workflow.as_str()), ("order", "price_order"));
    assert_eq!(description.status, Status::Running);
    assert_eq!(description.started, start);
    assert_eq!((description.closed, description.result.clone()), (None, None));
    let waiting = description.waiting.as_ref().expect("it waits for its quote");
    assert_eq!((waiting.on.as_str(), waiting.since), ("quote", start));

    let [inner, outer] = description.frames.as_slice() else { panic!("{description}") };
    assert_eq!((inner.workflow.as_str(), inner.awaits.as_str()), ("price_item", "quote"));
    assert_eq!((outer.workflow.as_str(), outer.awaits.as_str()), ("price_order", "price_item"));
    for frame in [inner, outer] {
        assert!(frame.file.ends_with("tests/behaviour/engine/describe.rs"), "{}", frame.file);
    }
    assert_eq!(inner.line, line_of("// the inner place"));
    assert_eq!(outer.line, line_of("// the outer place"));
    let local = |frame: &durable::FrameView, name: &str| {
        frame.locals.iter().find(|(local, _)| local == name).map(|(_, value)| value.clone())
    };
    assert_eq!(local(inner, "limit"), Some(json!(400)));
    assert_eq!(local(inner, "discount"), Some(json!(1)));
    assert_eq!(local(inner, "item"), None, "what is not needed any more is not kept");
    assert_eq!(local(outer, "total"), Some(json!(89)));
    assert_eq!(local(outer, "unused"), Some(json!(2)));

    let [pending] = description.activities.as_slice() else { panic!("{description}") };
    assert_eq!((pending.activity.as_str(), pending.attempt), ("quote", 2));
    assert_eq!(pending.args, json!(["rug"]));
    assert_eq!(pending.next_try, Some(start + MINUTE));
    assert_eq!(pending.idempotency_key.len(), 32);
    let text = description.to_string();
    for part in ["price_order", "describe.rs", "limit = 400", "quote", "no price"] {
        assert!(text.contains(part), "`{part}` in:\n{text}");
    }

    // The same after a restart: nothing of it was in memory only.
    engine.crash_and_reopen().await;
    assert_eq!(engine.handle("order").describe().await.unwrap().to_string(), text);
}

#[derive(Default)]
struct Held(Gate);

#[activity]
async fn held_call(State(held): State<Held>, n: u32) -> u32 {
    held.0.pass().await;
    n
}

#[workflow]
async fn hold_then_rest(n: u32) -> u32 {
    let n = held_call(n).await;
    sleep(HOUR).await;
    n
}

#[tokio::test]
async fn the_status_follows_the_instance_to_its_end() {
    let held = Arc::new(Held::default());
    let engine = testing::engine().state_arc(held.clone()).open().await;
    let start = engine.now();
    let handle = engine.start("rest", hold_then_rest(7)).await.unwrap();
    held.0.arrival().await;
    let running = handle.describe().await.unwrap();
    assert_eq!(running.status, Status::Running);
    assert_eq!(running.activities[0].attempt, 1);
    assert_eq!((&running.activities[0].last_error, running.activities[0].next_try), (&None, None));
    held.0.open(1);
    engine.advance(MINUTE).await;
    let waiting = handle.describe().await.unwrap();
    assert_eq!(waiting.status, Status::Waiting);
    assert!(!waiting.status.is_closed());
    assert_eq!(waiting.timers, [start + HOUR]);
    assert_eq!(waiting.waiting.unwrap().on, "sleep");
    assert_eq!(waiting.steps, running.steps + 1);
    handle.result().await.unwrap();
    let completed = handle.describe().await.unwrap();
    assert_eq!(completed.status, Status::Completed);
    assert!(completed.status.is_closed());
    assert_eq!(completed.result, Some(json!(7)));
    assert_eq!(completed.closed, Some(start + HOUR));
    assert!(completed.frames.is_empty() && completed.timers.is_empty() && completed.activities.is_empty());
    assert!(completed.waiting.is_none());
}

#[activity(retry(initial = "1s", jitter = 0))]
async fn noted(n: u32) -> Result<u32, Error> {
    Ok(n)
}

#[workflow]
async fn eventful(n: u32) -> Result<u32, Error> {
    let n = noted(n).await?;
    sleep(HOUR).await;
    bail!("ended with {n}")
}

#[tokio::test]
async fn history_tells_what_happened_in_order_and_after_the_end() {
    let engine = testing::engine().mock(mock(noted).fails(1)).open().await;
    let handle = engine.start("eventful", eventful(7)).await.unwrap();
    handle.result().await.unwrap().unwrap_err();
    engine.crash_and_reopen().await;
    let history = engine.handle("eventful").history().await.unwrap();
    let kinds: Vec<&HistoryKind> = history.iter().map(|event| &event.kind).collect();
    match kinds.as_slice() {
        [
            HistoryKind::Started,
            HistoryKind::AttemptFailed { activity, attempt: 1, error, .. },
            HistoryKind::ActivityCompleted { attempt: 2, took_ms: 1_000, error: None, .. },
            HistoryKind::TimerFired { .. },
            HistoryKind::Failed,
        ] => assert_eq!((activity.as_str(), error.as_str()), ("noted", "mocked failure 1 of 1")),
        other => panic!("{other:#?}"),
    }
    assert!(history.is_sorted_by_key(|event| (event.at_ms, event.step)));
    assert_eq!(history[4].at_ms - history[0].at_ms, 3_601_000);
    let failed = engine.handle("eventful").describe().await.unwrap();
    assert_eq!(failed.status, Status::Failed);
}

#[workflow]
async fn talkative(rounds: u32) -> Result<u32, Error> {
    let mut last = 0;
    for n in 0..rounds {
        last = noted(n).await?;
    }
    Ok(last)
}

#[tokio::test]
async fn a_long_history_is_whole_and_the_record_stays_small() {
    let engine = testing::engine().open().await;
    let handle = engine.start("long", talkative(300)).await.unwrap();
    assert_eq!(handle.result().await.unwrap().unwrap(), 299);
    let history = handle.history().await.unwrap();
    assert_eq!(history.len(), 302, "a start, 300 activities, an end");
    assert!(history.windows(2).all(|pair| pair[0].step <= pair[1].step));
}

#[tokio::test]
async fn retry_now_does_not_wait_for_the_back_off() {
    let engine = testing::engine().mock(mock(quote).fails(2).then(|_| Ok(50))).open().await;
    let start = engine.now();
    let handle = engine.start("impatient", price_item(items()[0].clone(), 1)).await.unwrap();
    engine.idle().await;
    handle.retry_now().await.unwrap();
    engine.idle().await;
    handle.retry_now().await.unwrap();
    engine.idle().await;
    assert_eq!(handle.try_result().await.unwrap().unwrap().unwrap(), 49);
    assert_eq!(engine.now(), start);
    assert!(engine.calls(quote) == 3);
    let history = handle.history().await.unwrap();
    assert_eq!(history.iter().filter(|event| event.kind == HistoryKind::RetriedByHand).count(), 2);
    let closed = handle.retry_now().await.unwrap_err();
    assert!(matches!(closed, durable::EngineError::Closed { .. }), "{closed:?}");
}
