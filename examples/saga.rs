//! A saga: flight, hotel, car; the car fails, and what was booked is given back in reverse, each with its own retries. The program crashes
//! the engine in the middle of that.

use durable::{
    prelude::*,
    testing::{self, mock},
};
use std::time::Duration;

#[activity]
async fn book(what: &str) -> Result<String, Error> {
    println!("booked     {what}");
    Ok(format!("{what}-1042"))
}

#[activity(retry(max_attempts = 3))]
async fn rent_car() -> Result<String, Error> {
    println!("no car left");
    Err(Error::msg("no car left").non_retryable())
}

#[activity(retry(initial = "1min"))]
async fn cancel(booking: &str) -> Result<(), Error> {
    println!("cancelled  {booking}");
    Ok(())
}

#[workflow]
async fn trip() -> Result<String, Error> {
    let flight = book("flight").await?;
    compensate(cancel(&flight));
    let hotel = book("hotel").await?;
    compensate(cancel(&hotel));
    let car = rent_car().await?; // from here: the hotel is cancelled, then the flight
    Ok(format!("{flight}, {hotel}, {car}"))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // An engine in memory, whose clock skips what it would wait for. The hotel does not answer twice.
    let engine = testing::engine().mock(mock(cancel).fails(2)).open().await;
    engine.start("trip-7", trip()).await?;
    engine.idle().await;
    println!("{}", engine.handle("trip-7").describe().await?);

    println!("CRASH");
    engine.crash_and_reopen().await;
    engine.advance(Duration::from_secs(3600)).await;
    let handle = engine.handle("trip-7").of(trip);
    let error = handle.result().await?.expect_err("there is no car");
    println!("{}: {error}", handle.describe().await?.status);
    for event in handle.history().await? {
        println!("  {event}");
    }
    Ok(())
}
