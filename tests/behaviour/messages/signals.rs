//! Signals: kept, in order, once, and refused with a reason.

use durable::{prelude::*, testing};
use serde::{Deserialize, Serialize};

use crate::support::{HOUR, SECOND};

#[derive(Debug, Serialize, Deserialize, Signal)]
struct Reading(u32);

#[derive(Debug, Serialize, Deserialize, Signal)]
struct Enough;

#[workflow]
async fn meter(count: usize) -> Vec<u32> {
    let mut readings = Vec::new();
    while readings.len() < count {
        let Reading(reading) = recv::<Reading>().await;
        readings.push(reading);
    }
    readings
}

#[workflow]
async fn meter_that_opens_late(count: usize) -> Vec<u32> {
    sleep(HOUR).await;
    meter(count).await
}

/// Takes what is there, without waiting.
#[workflow]
async fn mailbag() -> Vec<u32> {
    sleep(HOUR).await;
    let mut readings = Vec::new();
    while let Some(Reading(reading)) = try_recv::<Reading>() {
        readings.push(reading);
    }
    readings
}

#[tokio::test]
async fn signals_that_come_early_are_kept_and_come_in_their_order() {
    let engine = testing::engine().open().await;
    let handle = engine.start("early", meter_that_opens_late(5)).await.unwrap();
    for reading in 1..=5 {
        engine.signal("early", Reading(reading)).await.unwrap();
    }
    assert_eq!(handle.describe().await.unwrap().messages, [("Reading".to_owned(), 5)]);
    assert_eq!(handle.result().await.unwrap(), [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn ten_thousand_signals_that_wait_are_read_as_fast_as_ten_are() {
    let engine = testing::engine().open().await;
    let handle = engine.start("late", meter_that_opens_late(10_000)).await.unwrap();
    let mut sending = tokio::task::JoinSet::new();
    for reading in 0..10_000 {
        let engine = engine.clone();
        sending.spawn(async move { engine.signal("late", Reading(reading)).await.unwrap() });
    }
    sending.join_all().await;
    // If each cost what was read before it, this would take minutes.
    let began = std::time::Instant::now();
    let mut readings = handle.result().await.unwrap();
    let took = began.elapsed();
    readings.sort_unstable();
    assert!(readings.into_iter().eq(0..10_000));
    assert!(took < 30 * SECOND, "{took:?}");
}

#[tokio::test]
async fn an_acknowledged_signal_survives_a_crash_whether_it_was_taken_or_not() {
    let engine = testing::engine().open().await;
    engine.start("crash", meter(3)).await.unwrap();
    engine.signal("crash", Reading(1)).await.unwrap();
    engine.start("asleep", meter_that_opens_late(1)).await.unwrap();
    engine.signal("asleep", Reading(7)).await.unwrap();
    let engine = engine.crash_and_reopen().await;
    engine.signal("crash", Reading(2)).await.unwrap();
    let engine = engine.crash_and_reopen().await;
    engine.signal("crash", Reading(3)).await.unwrap();
    assert_eq!(engine.handle("crash").of(meter).result().await.unwrap(), [1, 2, 3]);
    assert_eq!(engine.handle("asleep").of(meter_that_opens_late).result().await.unwrap(), [7]);
}

#[tokio::test]
async fn whoever_is_not_there_or_has_ended_says_so() {
    let engine = testing::engine().open().await;
    let missing = engine.signal("nobody", Reading(1)).await.unwrap_err();
    assert_eq!(missing, SignalError::NotFound { id: "nobody".into() });
    let handle = engine.start("short", meter(1)).await.unwrap();
    handle.signal(Reading(1)).await.unwrap();
    handle.result().await.unwrap();
    let closed = engine.signal("short", Reading(2)).await.unwrap_err();
    assert_eq!(closed, SignalError::Closed { id: "short".into() });
    assert_eq!(handle.describe().await.unwrap().unread, 0, "what was refused was never there");
}

#[tokio::test]
async fn a_handle_reaches_its_own_run_and_an_id_the_one_that_has_it_now() {
    let engine = testing::engine().open().await;
    let first = engine.start("again", meter(1)).with_signal(Reading(1)).await.unwrap();
    first.result().await.unwrap();
    let second = engine.start("again", meter(1)).on_existing(OnExisting::RestartIfClosed).await.unwrap();
    assert!(second.created());
    assert!(matches!(first.signal(Reading(2)).await, Err(SignalError::Closed { .. })));
    engine.signal("again", Reading(3)).await.unwrap();
    assert_eq!(second.result().await.unwrap(), [3]);
}

#[tokio::test]
async fn messages_that_an_instance_ended_without_are_counted() {
    let engine = testing::engine().open().await;
    let handle = engine.start("unread", meter(1)).await.unwrap();
    handle.signal(Enough).await.unwrap();
    handle.signal(Enough).await.unwrap();
    assert_eq!(handle.describe().await.unwrap().messages, [("Enough".to_owned(), 2)]);
    handle.signal(Reading(1)).await.unwrap();
    handle.result().await.unwrap();
    let ended = handle.describe().await.unwrap();
    assert_eq!(ended.unread, 2);
    assert!(ended.to_string().contains("ended with 2 unread messages"), "{ended}");
}

#[tokio::test]
async fn asking_without_waiting_takes_what_is_there() {
    let engine = testing::engine().open().await;
    let handle = engine.start("bag", mailbag()).await.unwrap();
    for reading in 1..=40 {
        engine.signal("bag", Reading(reading)).await.unwrap();
    }
    assert_eq!(handle.result().await.unwrap(), (1..=40).collect::<Vec<_>>());
    let empty = engine.start("empty", mailbag()).await.unwrap();
    assert_eq!(empty.result().await.unwrap(), Vec::<u32>::new());
}

#[tokio::test]
async fn a_key_makes_a_signal_count_once_also_after_a_crash_and_after_the_end() {
    let engine = testing::engine().open().await;
    engine.start("keys", meter(2)).await.unwrap();
    for _ in 0..3 {
        engine.signal("keys", Reading(1)).dedup("a").await.unwrap();
    }
    let engine = engine.crash_and_reopen().await;
    engine.signal("keys", Reading(1)).dedup("a").await.unwrap();
    engine.signal("keys", Reading(2)).dedup("b").await.unwrap();
    assert_eq!(engine.handle("keys").of(meter).result().await.unwrap(), [1, 2]);
    engine.signal("keys", Reading(2)).dedup("b").await.unwrap();
    assert!(matches!(engine.signal("keys", Reading(3)).dedup("c").await, Err(SignalError::Closed { .. })));
}

#[tokio::test]
async fn a_full_mailbox_refuses_until_something_is_taken() {
    let engine = testing::engine().max_messages(3).open().await;
    let handle = engine.start("full", meter_that_opens_late(4)).await.unwrap();
    for reading in 1..=3 {
        engine.signal("full", Reading(reading)).await.unwrap();
    }
    let full = engine.signal("full", Reading(4)).await.unwrap_err();
    assert_eq!(full, SignalError::Full { id: "full".into(), most: 3 });
    engine.advance(HOUR + SECOND).await;
    engine.signal("full", Reading(4)).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), [1, 2, 3, 4]);
}

#[derive(Debug, Serialize, Deserialize, Signal)]
struct Film {
    frames: String,
}

#[workflow]
async fn cinema() -> usize {
    recv::<Film>().await.frames.len()
}

#[tokio::test]
async fn a_message_over_the_limit_is_refused_and_one_of_some_megabytes_is_not() {
    let engine = testing::engine().open().await;
    let handle = engine.start("cinema", cinema()).await.unwrap();
    let frames = "f".repeat(durable::MAX_MESSAGE_BYTES);
    assert!(matches!(handle.signal(Film { frames }).await, Err(SignalError::TooLarge { .. })));
    handle.signal(Film { frames: "f".repeat(3 << 20) }).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), 3 << 20);
}

#[tokio::test]
async fn a_start_brings_its_signals_along() {
    let engine = testing::engine().open().await;
    let start =
        || engine.start("with", meter(3)).with_signal(Reading(1)).dedup("first").with_signal(Reading(2));
    let handle = start().await.unwrap();
    assert!(handle.created());
    // It is there: the first signal came before, the second one has no key.
    assert!(!start().await.unwrap().created());
    assert_eq!(handle.result().await.unwrap(), [1, 2, 2]);
    let late = engine.start("with", meter(3)).with_signal(Reading(4)).await.unwrap_err();
    assert!(matches!(late, StartError::Signal(SignalError::Closed { .. })), "{late}");
    let restart = engine.start("with", meter(1)).on_existing(OnExisting::RestartIfClosed);
    assert_eq!(restart.with_signal(Reading(5)).await.unwrap().result().await.unwrap(), [5]);
}

/// Reads what an older build sent as something else.
#[derive(Debug, Serialize, Deserialize, Signal)]
#[signal(name = "Reading")]
struct OtherReading {
    kilowatts: String,
}

#[tokio::test]
async fn a_message_that_this_build_can_t_read_parks_its_receiver_and_stays() {
    let engine = testing::engine().open().await;
    let handle = engine.start("parks", meter(1)).await.unwrap();
    handle.signal(OtherReading { kilowatts: "many".into() }).await.unwrap();
    let parked = handle.result().await.unwrap_err().to_string();
    assert!(parked.contains("a signal `Reading`"), "{parked}");
    assert_eq!(handle.describe().await.unwrap().messages, [("Reading".to_owned(), 1)]);
}

#[workflow]
async fn naps() -> u32 {
    sleep(HOUR).await;
    sleep(HOUR).await;
    2
}

/// The join acts on each nap, and holds the reading from the first time on.
#[workflow]
async fn naps_and_reads() -> (u32, u32, bool) {
    let (naps, Reading(reading)) = (naps(), recv::<Reading>()).join().await;
    sleep(HOUR).await;
    (naps, reading, try_recv::<Reading>().is_none())
}

/// The step that was complete with it did not look into the mailbox, and left it there.
#[tokio::test]
async fn a_message_that_was_held_over_steps_is_received_once() {
    let engine = testing::engine().open().await;
    let handle = engine.start("naps", naps_and_reads()).await.unwrap();
    handle.signal(Reading(7)).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), (2, 7, true));
}
