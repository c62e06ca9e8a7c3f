//! Scenarios 5, 9, 10 and 17: what is away, refuses, panics or fails, and what a person sees of it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use durable::{
    HistoryKind, ParkReason,
    prelude::*,
    testing::{self, mock},
};
use serde::{Deserialize, Serialize};

use crate::support::{DAY, MINUTE, SECOND, since};

#[activity]
async fn fetch_rates(currency: &str) -> Result<u32, Error> {
    bail!("no rates for {currency} without a mock")
}

#[workflow]
async fn convert(currency: String, amount: u32) -> Result<u32, Error> {
    let rate = fetch_rates(&currency).await?;
    Ok(rate * amount)
}

#[tokio::test]
async fn a_dependency_that_is_away_for_a_day_is_asked_at_the_capped_interval_and_then_answers() {
    let up = Arc::new(AtomicBool::new(false));
    let is_up = up.clone();
    let rates = mock(fetch_rates).then(move |_| {
        ensure!(is_up.load(Ordering::SeqCst), "connection refused");
        Ok(3)
    });
    let engine = testing::engine().mock(rates).open().await;
    let start = engine.now();
    let handle = engine.start("convert", convert("EUR".into(), 14)).await.unwrap();
    engine.advance(DAY).await;

    let attempts = engine.calls(fetch_rates).len();
    // Seven attempts until the delay is 100 s, then one every 90 to 110 s.
    assert!((785..=970).contains(&attempts), "{attempts} attempts in a day");
    let delays: Vec<u64> = handle
        .history()
        .await
        .unwrap()
        .into_iter()
        .filter_map(|event| match event.kind {
            HistoryKind::AttemptFailed { next_ms, .. } => Some(next_ms - event.at_ms),
            _ => None,
        })
        .collect();
    let late = &delays[delays.len() - 50..];
    assert!(late.iter().all(|delay| (90_000..=110_000).contains(delay)), "{late:?}");
    assert!(late.iter().any(|delay| *delay != late[0]), "and not all of them at once");

    up.store(true, Ordering::SeqCst);
    assert_eq!(handle.result().await.unwrap().unwrap(), 42);
    assert!(since(&engine, start) <= DAY + 2 * MINUTE, "it is noticed within an interval");
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
enum PaymentError {
    #[error("insufficient funds: {missing} cents are missing")]
    InsufficientFunds { missing: u64 },
    #[error("503 service unavailable")]
    Unavailable,
    #[error(transparent)]
    Call(#[from] CallError),
}

#[activity(
    retry(initial = "1s", backoff = 2.0, jitter = 0),
    no_retry(PaymentError::InsufficientFunds { .. })
)]
async fn debit(account: &str, cents: u64) -> Result<u64, PaymentError> {
    let _ = (account, cents);
    Err(PaymentError::Unavailable)
}

#[workflow]
async fn pay_out(account: String, cents: u64) -> Result<u64, PaymentError> {
    debit(&account, cents).await
}

#[tokio::test]
async fn insufficient_funds_are_not_tried_again() {
    let poor = mock(debit).then(|_, cents| Err(PaymentError::InsufficientFunds { missing: cents - 5 }));
    let engine = testing::engine().mock(poor).open().await;
    let start = engine.now();
    let handle = engine.start("pay", pay_out("A-1".into(), 100)).await.unwrap();
    let error = handle.result().await.unwrap().unwrap_err();
    assert_eq!(error, PaymentError::InsufficientFunds { missing: 95 });
    assert!(engine.calls(debit) == 1);
    assert_eq!(since(&engine, start), std::time::Duration::ZERO);
    assert_eq!(handle.describe().await.unwrap().status, Status::Failed);
}

#[tokio::test]
async fn a_503_is_tried_three_times_more_and_then_succeeds() {
    let tries = AtomicU32::new(0);
    let busy = mock(debit).then(move |_, cents| match tries.fetch_add(1, Ordering::SeqCst) {
        0..3 => Err(PaymentError::Unavailable),
        _ => Ok(cents),
    });
    let engine = testing::engine().mock(busy).open().await;
    let start = engine.now();
    let handle = engine.start("pay", pay_out("A-1".into(), 100)).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), Ok(100));
    assert!(engine.calls(debit) == 4);
    assert_eq!(since(&engine, start), 7 * SECOND, "after 1, 2 and 4 seconds");
}

#[activity]
async fn weigh(parcel: u32) -> u32 {
    parcel * 10
}

#[workflow]
async fn price(parcel: u32, parts: u32) -> u32 {
    let grams = weigh(parcel).await;
    grams / parts
}

#[tokio::test]
async fn a_poison_instance_is_parked_and_seen_and_its_neighbours_do_not_notice() {
    let engine = testing::engine().open().await;
    let mut neighbours = Vec::new();
    for n in 1..=20 {
        if n == 10 {
            engine.start("poison", price(10, 0)).await.unwrap();
        }
        neighbours.push(engine.start(format!("parcel-{n}"), price(n, 2)).await.unwrap());
    }
    for (n, neighbour) in (1..).zip(&neighbours) {
        assert_eq!(neighbour.result().await.unwrap(), n * 5);
    }
    engine.idle().await;

    let parked = engine.list(Filter::new().parked()).await.unwrap();
    assert_eq!(parked.len(), 1, "{parked:?}");
    assert_eq!(parked[0].id, "poison");
    let Status::Parked(ParkReason::Panicked { message, place }) = &parked[0].status else {
        panic!("{:?}", parked[0].status);
    };
    assert_eq!(message, "attempt to divide by zero");
    assert!(place.contains("outages.rs:"), "{place}");

    // It panics at each attempt: taken up by hand, it is parked again, and the activity stays done.
    let poison = engine.handle("poison");
    for _ in 0..3 {
        poison.retry_now().await.unwrap();
        engine.idle().await;
        let description = poison.describe().await.unwrap();
        assert!(matches!(description.parked(), Some(ParkReason::Panicked { .. })), "{description}");
    }
    assert!(engine.calls(weigh) == 21);
    let parks = poison.history().await.unwrap().into_iter();
    assert_eq!(parks.filter(|event| matches!(event.kind, HistoryKind::Parked { .. })).count(), 4);
    let more = engine.start("parcel-21", price(21, 3)).await.unwrap();
    assert_eq!(more.result().await.unwrap(), 70);
}

#[activity(retry(initial = "1min", backoff = 3.0, jitter = 0))]
async fn settle_invoice(invoice: &str) -> Result<(), Error> {
    bail!("payment service offline: {invoice} is not settled")
}

#[workflow]
async fn invoicing(invoice: String) -> Result<(), Error> {
    settle_invoice(&invoice).await
}

#[tokio::test]
async fn an_activity_on_its_third_attempt_shows_its_last_error_and_its_next_try() {
    let engine = testing::engine().open().await;
    let start = engine.now();
    let handle = engine.start("invoice-9", invoicing("invoice 9".into())).await.unwrap();
    engine.advance(MINUTE).await;

    let description = handle.describe().await.unwrap();
    assert_eq!(description.activities.len(), 1);
    let pending = &description.activities[0];
    assert_eq!(pending.activity, "settle_invoice");
    assert_eq!(pending.attempt, 3);
    let error = pending.last_error.as_deref();
    assert_eq!(error, Some("payment service offline: invoice 9 is not settled"));
    assert_eq!(pending.next_try, Some(start + 4 * MINUTE));
    assert_eq!(pending.since, start);
    assert_eq!(pending.args, serde_json::json!(["invoice 9"]));
    let text = description.to_string();
    assert!(text.contains("attempt 3") && text.contains("payment service offline"), "{text}");

    // As true after a restart.
    engine.crash_and_reopen().await;
    let description = engine.handle("invoice-9").describe().await.unwrap();
    assert_eq!(description.activities[0].attempt, 3);
    assert_eq!(description.activities[0].next_try, Some(start + 4 * MINUTE));
    assert_eq!(description.activities[0].last_error.as_deref(), error);
}
