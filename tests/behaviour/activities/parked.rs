//! Calls that park their instance: exhausted ones that are not to be seen by the workflow, ones that
//! can't fail, and ones whose dependency is missing.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use durable::{
    HistoryKind, ParkReason,
    prelude::*,
    store::MemoryImage,
    testing::{self, mock},
};

use crate::support::{SECOND, since};

#[activity(retry(max_attempts = 3, initial = "1s", jitter = 0), park_when_exhausted)]
async fn wire_money(cents: u64) -> Result<u64, Error> {
    Ok(cents)
}

#[activity]
async fn enter_in_books(cents: u64) -> Result<u64, Error> {
    Ok(cents)
}

#[workflow]
async fn transfer(cents: u64) -> Result<u64, Error> {
    let entered = enter_in_books(cents).await?;
    let wired = wire_money(entered).await?;
    Ok(wired + 1)
}

#[tokio::test]
async fn park_when_exhausted_parks_for_a_person_who_takes_it_up_again() {
    let engine = testing::engine().mock(mock(wire_money).fails(4)).open().await;
    let handle = engine.start("transfer", transfer(500)).await.unwrap();
    let parked = handle.result().await.unwrap_err();
    assert!(matches!(parked, RunError::Parked { .. }), "{parked:?}");
    assert!(engine.calls(wire_money) == 3);
    let description = handle.describe().await.unwrap();
    let expected =
        ParkReason::Exhausted { activity: "wire_money".into(), error: "mocked failure 3 of 4".into() };
    assert_eq!(description.parked(), Some(&expected));
    assert_eq!(description.activities[0].last_error.as_deref(), Some("mocked failure 3 of 4"));

    // A restart alone changes nothing.
    engine.crash_and_reopen().await;
    engine.advance(100 * SECOND).await;
    let handle = engine.handle("transfer").of(transfer);
    assert!(handle.describe().await.unwrap().parked().is_some());
    assert!(engine.calls(wire_money) == 3);

    // One more failure parks it once more; then it goes through.
    handle.retry_now().await.unwrap();
    engine.idle().await;
    assert!(engine.calls(wire_money) == 4);
    assert!(handle.describe().await.unwrap().parked().is_some());
    handle.retry_now().await.unwrap();
    assert_eq!(handle.result().await.unwrap().unwrap(), 501);
    assert!(engine.calls(enter_in_books) == 1);
    let history = handle.history().await.unwrap();
    let count = |kind: fn(&HistoryKind) -> bool| history.iter().filter(|event| kind(&event.kind)).count();
    assert_eq!(count(|kind| matches!(kind, HistoryKind::Parked { .. })), 2);
    assert_eq!(count(|kind| matches!(kind, HistoryKind::Unparked { .. })), 2);
}

#[activity(retry(max_attempts = 2, initial = "1s", jitter = 0))]
async fn cannot_fail(n: u32) -> u32 {
    assert!(n != 3, "three");
    n
}

#[workflow]
async fn call_cannot_fail(n: u32) -> u32 {
    cannot_fail(n).await
}

#[tokio::test]
async fn an_activity_that_cannot_fail_parks_its_instance_when_it_is_exhausted() {
    let engine = testing::engine().open().await;
    let start = engine.now();
    let handle = engine.start("three", call_cannot_fail(3)).await.unwrap();
    let parked = handle.result().await.unwrap_err().to_string();
    assert!(parked.contains("cannot_fail") && parked.contains("three"), "{parked}");
    assert_eq!(since(&engine, start), SECOND);
    assert!(engine.calls(cannot_fail) == 2);
    assert_eq!(engine.run(call_cannot_fail(4)).await.unwrap(), 4);
}

/// A dependency that no engine is given at first.
struct Printer {
    pages: AtomicU32,
}

#[activity]
async fn print_page(State(printer): State<Printer>, page: u32) -> Result<u32, Error> {
    printer.pages.fetch_add(page, Ordering::SeqCst);
    Ok(page)
}

#[workflow]
async fn print(page: u32) -> Result<u32, Error> {
    let entered = enter_in_books(1).await?;
    print_page(page + u32::try_from(entered)?).await
}

#[tokio::test]
async fn a_missing_state_parks_the_call_with_the_name_of_its_type_until_it_is_given() {
    let image = MemoryImage::new();
    let engine = testing::engine().image(&image).open().await;
    let handle = engine.start("print", print(41)).await.unwrap();
    let parked = handle.result().await.unwrap_err().to_string();
    for part in ["print_page", "Printer", ".state("] {
        assert!(parked.contains(part), "`{part}` in: {parked}");
    }
    match handle.describe().await.unwrap().parked() {
        Some(ParkReason::MissingState { activity, type_name }) => {
            assert_eq!(activity, "print_page");
            assert!(type_name.ends_with("::Printer"), "{type_name}");
        }
        other => panic!("{other:?}"),
    }
    drop(handle);
    drop(engine);

    let printer = Arc::new(Printer { pages: AtomicU32::new(0) });
    let engine = testing::engine().image(&image.fork()).state_arc(printer.clone()).build(2).open().await;
    let result = engine.handle("print").of(print).result().await.unwrap();
    assert_eq!(result.unwrap(), 42);
    assert_eq!(printer.pages.load(Ordering::SeqCst), 42);
    assert!(engine.calls(enter_in_books) == 0, "that was done before");
}
