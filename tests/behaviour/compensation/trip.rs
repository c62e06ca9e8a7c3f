//! A saga: flight, hotel, car; the car fails; the hotel and the flight are cancelled, in that order, each with retries.

use durable::{
    CompensationState, HistoryKind,
    prelude::*,
    testing::{self, mock},
};

use super::{Log, shared};
use crate::support::{MINUTE, SECOND, since};

#[activity]
async fn book_part(State(log): State<Log>, what: &str) -> Result<String, Error> {
    log.add(format!("book {what}"));
    Ok(format!("{what}-1"))
}

#[activity(retry(max_attempts = 1))]
async fn rent_car(State(log): State<Log>) -> Result<String, Error> {
    log.add("rent car");
    Err(Error::msg("no car left"))
}

#[activity(retry(initial = "1s", jitter = 0))]
async fn cancel_flight(State(log): State<Log>, booking: &str) -> Result<(), Error> {
    log.add(format!("cancel {booking}"));
    Ok(())
}

#[activity(retry(initial = "1min", jitter = 0))]
async fn cancel_hotel(State(log): State<Log>, booking: &str) -> Result<(), Error> {
    log.add(format!("cancel {booking}"));
    Ok(())
}

#[workflow]
async fn trip() -> Result<String, Error> {
    let flight = book_part("flight").await?;
    compensate(cancel_flight(&flight));
    let hotel = book_part("hotel").await?;
    compensate(cancel_hotel(&hotel));
    let car = rent_car().await?;
    Ok(format!("{flight} {hotel} {car}"))
}

#[tokio::test]
async fn a_car_that_fails_cancels_the_hotel_and_then_the_flight() {
    let log = shared();
    let engine = testing::engine().state_arc(log.clone()).open().await;
    let handle = engine.start("trip", trip()).await.unwrap();
    let error = handle.result().await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "no car left");
    let expected = ["book flight", "book hotel", "rent car", "cancel hotel-1", "cancel flight-1"];
    assert_eq!(log.lines(), expected);
    let description = handle.describe().await.unwrap();
    assert_eq!((description.status, description.compensations.len()), (Status::Failed, 0));
    let history = handle.history().await.unwrap();
    let ran = history.into_iter().filter_map(|event| match event.kind {
        HistoryKind::Compensated { name, error: None } => Some(name),
        _ => None,
    });
    assert_eq!(ran.collect::<Vec<_>>(), ["cancel_hotel", "cancel_flight"]);
}

#[tokio::test]
async fn each_compensation_is_retried_by_its_own_policy_and_seen_while_it_runs() {
    let log = shared();
    let engine = testing::engine().state_arc(log.clone()).mock(mock(cancel_hotel).fails(2)).open().await;
    let start = engine.now();
    let handle = engine.start("trip", trip()).await.unwrap();
    engine.idle().await;
    let description = handle.describe().await.unwrap();
    let seen: Vec<_> = description.compensations.iter().map(|c| (c.name.as_str(), &c.state)).collect();
    let expected =
        [("cancel_hotel", &CompensationState::Running), ("cancel_flight", &CompensationState::Armed)];
    assert_eq!(seen, expected);
    assert_eq!(description.status, Status::Running);
    assert_eq!(description.waiting.as_ref().unwrap().on, "compensation `cancel_hotel`");
    let shown = description.to_string();
    assert!(shown.contains("compensation cancel_hotel: running"), "{shown}");
    assert!(handle.result().await.unwrap().is_err());
    // After one minute and after two more, as the hotel's policy says and not the flight's.
    assert_eq!(since(&engine, start), 3 * MINUTE);
    assert_eq!((engine.calls(cancel_hotel).len(), engine.calls(cancel_flight).len()), (3, 1));
}

#[tokio::test]
async fn a_trip_that_succeeds_cancels_nothing() {
    let log = shared();
    let car = mock(rent_car).then(|| Ok("car-1".to_owned()));
    let engine = testing::engine().state_arc(log.clone()).mock(car).open().await;
    assert_eq!(engine.run(trip()).await.unwrap().unwrap(), "flight-1 hotel-1 car-1");
    assert_eq!(log.lines(), ["book flight", "book hotel"]);
}

#[tokio::test]
async fn a_crash_at_every_step_changes_nothing() {
    let report = testing::crash_at_every_step(trip).with(|builder| builder.state(Log::default())).await;
    assert!(report.crashes >= 5, "{report:?}");
}

#[tokio::test]
async fn a_crash_while_it_compensates_goes_on_with_the_one_that_ran() {
    let log = shared();
    let hotel = mock(cancel_hotel).delay(MINUTE).then(|_| Ok(()));
    let engine = testing::engine().state_arc(log.clone()).mock(hotel).open().await;
    engine.start("trip", trip()).await.unwrap();
    engine.idle().await;
    engine.crash_and_reopen().await;
    engine.advance(SECOND).await;
    engine.crash_and_reopen().await;
    let handle = engine.handle("trip").of(trip);
    assert!(handle.result().await.unwrap().is_err());
    let cancelled: Vec<_> = log.lines().into_iter().filter(|line| line.starts_with("cancel")).collect();
    assert_eq!(cancelled, ["cancel flight-1"], "the hotel's is the mock's");
    let history = handle.history().await.unwrap();
    let ran = history.iter().filter(|event| matches!(event.kind, HistoryKind::Compensated { .. }));
    assert_eq!(ran.count(), 2);
}
