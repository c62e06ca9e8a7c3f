//! Programs as other systems' samples have them, in this one's words.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use durable::{prelude::*, testing};
use serde::{Deserialize, Serialize};

use crate::support::{DAY, HOUR, MINUTE};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn say(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

// A saga with every tool of its trade.

#[activity(retry(max_attempts = 2))]
async fn face_book(State(log): State<Log>, what: &str) -> Result<String, Error> {
    ensure!(what != "car", "no {what} left");
    log.say(format!("book {what}"));
    Ok(format!("{what}-1"))
}

#[activity(retry(max_attempts = 3))]
async fn face_cancel(State(log): State<Log>, booking: String) -> Result<(), Error> {
    log.say(format!("cancel {booking}"));
    Ok(())
}

#[activity]
async fn face_mail(State(log): State<Log>, text: String) {
    log.say(text);
}

#[workflow]
async fn face_book_with_undo(what: String) -> Result<String, Error> {
    let booking = face_book(&what).await?;
    compensate(face_cancel(booking.clone()).retry(Retry::attempts(5)));
    Ok(booking)
}

#[workflow]
async fn face_trip(car: bool, again: bool) -> Result<Vec<String>, Error> {
    finally(face_mail("the end".into()));
    let insurance = compensate(face_cancel("insurance".into()));
    let mut bookings = Vec::new();
    bookings.push(face_book_with_undo("flight".into()).await?);
    if again {
        compensate_now().await;
        bookings.clear();
        bookings.push(face_book_with_undo("train".into()).await?);
    }
    bookings.push(face_book_with_undo("hotel".into()).await?);
    insurance.dismiss();
    if car {
        bookings.push(face_book_with_undo("car".into()).await?);
    }
    Ok(bookings)
}

#[tokio::test]
async fn a_trip_is_undone_in_reverse() {
    let log = Log::default();
    let engine = testing::engine().state(log.clone()).open().await;
    assert_eq!(engine.run(face_trip(false, false)).await.unwrap().unwrap(), ["flight-1", "hotel-1"]);
    assert_eq!(log.take(), ["book flight", "book hotel", "the end"]);
    let error = engine.run(face_trip(true, false)).await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "no car left");
    assert_eq!(log.take(), ["book flight", "book hotel", "cancel hotel-1", "cancel flight-1", "the end"]);
    assert_eq!(engine.run(face_trip(false, true)).await.unwrap().unwrap(), ["train-1", "hotel-1"]);
    assert_eq!(
        log.take(),
        ["book flight", "cancel flight-1", "cancel insurance", "book train", "book hotel", "the end"]
    );
}

// A timer that is moved by a signal.

#[derive(Serialize, Deserialize, Signal)]
struct MoveTo(Duration);

#[workflow]
async fn face_updatable_timer(after: Duration) -> u32 {
    let mut moved = 0;
    let mut timer = spawn(sleep(after));
    loop {
        select! {
            () = &mut timer => return moved,
            MoveTo(after) = recv() => {
                moved += 1;
                let _ = timer.cancel().await;
                timer = spawn(sleep(after));
            }
        }
    }
}

#[tokio::test]
async fn a_timer_is_moved_by_signals() {
    let engine = testing::engine().open().await;
    let begun = engine.now();
    let handle = engine.start("t", face_updatable_timer(DAY)).await.unwrap();
    for hours in [5, 3] {
        engine.advance(HOUR).await;
        handle.signal(MoveTo(hours * HOUR)).await.unwrap();
        engine.idle().await;
    }
    assert_eq!(handle.result().await.unwrap(), 2);
    assert_eq!(crate::support::since(&engine, begun), 5 * HOUR);
}

// A heart that beats until it is told to stop, with a child per beat.

#[workflow]
async fn face_beat(number: u32) -> Result<u32, Error> {
    sleep(MINUTE).await;
    Ok(number)
}

#[workflow]
async fn face_heart() -> Result<u32, Error> {
    let mut beats = 0;
    loop {
        let beat = child(format!("beat-{beats}"), face_beat(beats));
        select! {
            why = cancelled() => {
                ensure!(why == "rest", "{why}");
                return Ok(beats);
            }
            number = beat => beats = number? + 1,
        }
    }
}

#[tokio::test]
async fn a_heart_stops_in_its_own_words() {
    let engine = testing::engine().open().await;
    let heart = engine.start("h", face_heart()).await.unwrap();
    engine.advance(10 * MINUTE + MINUTE / 2).await;
    heart.cancel("rest").await.unwrap();
    assert_eq!(heart.result().await.unwrap().unwrap(), 10);
    engine.idle().await;
    assert_eq!(engine.handle("h/beat-10").describe().await.unwrap().status, Status::Cancelled);
}

// A mutex between instances: one that lends, and those that ask.

#[derive(Serialize, Deserialize, Signal)]
struct Acquire {
    from: String,
}

#[derive(Serialize, Deserialize, Signal)]
struct Acquired;

#[derive(Serialize, Deserialize, Signal)]
struct Release;

#[workflow]
async fn face_mutex() -> u32 {
    let mut lent = 0;
    loop {
        let asked = select! {
            asked = recv::<Acquire>() => asked,
            _ = sleep(DAY) => return lent,
        };
        if signal(&asked.from, Acquired).await.is_err() {
            continue;
        }
        lent += 1;
        let _ = recv::<Release>().timeout(HOUR).await;
    }
}

#[workflow]
async fn face_critical(number: u32) -> Result<(), Error> {
    start("mutex", face_mutex()).await?;
    signal("mutex", Acquire { from: durable::instance().id }).await?;
    recv::<Acquired>().await;
    face_mail(format!("{number} in")).await;
    sleep(MINUTE).await;
    face_mail(format!("{number} out")).await;
    signal("mutex", Release).await?;
    Ok(())
}

#[tokio::test]
async fn a_mutex_between_instances_lets_one_in_at_a_time() {
    let log = Log::default();
    let engine = testing::engine().state(log.clone()).open().await;
    for n in 0..4 {
        engine.start(format!("c-{n}"), face_critical(n)).await.unwrap();
    }
    for n in 0..4 {
        engine.handle(format!("c-{n}")).of(face_critical).result().await.unwrap().unwrap();
    }
    let log = log.take();
    for pair in log.chunks(2) {
        let (a, b) = (pair[0].strip_suffix(" in"), pair[1].strip_suffix(" out"));
        assert!(a.is_some() && a == b, "{log:?}");
    }
    assert_eq!(engine.handle("mutex").of(face_mutex).result().await.unwrap(), 4);
}

// Polling with a deadline, and the fastest of several suppliers.

#[activity(retry(max_attempts = 1))]
async fn face_poll(job: &str, round: u32) -> Result<Option<String>, Error> {
    Ok((round >= 3).then(|| format!("{job} is done")))
}

#[workflow]
async fn face_poll_until_done(job: String) -> Result<String, Error> {
    let mut round = 0;
    loop {
        if let Some(done) = face_poll(&job, round).await? {
            return Ok(done);
        }
        round += 1;
        sleep(MINUTE).await;
    }
}

#[workflow]
async fn face_jobs(jobs: Vec<String>) -> Result<Vec<String>, Error> {
    let results = jobs
        .iter()
        .map(|job| face_poll_until_done(job.clone()).timeout(HOUR))
        .collect::<Vec<_>>()
        .join()
        .limit(2)
        .await;
    let mut done = Vec::new();
    for result in results {
        done.push(result??);
    }
    let fastest = jobs.into_iter().map(face_poll_until_done).collect::<Vec<_>>().race().await?;
    done.push(fastest);
    Ok(done)
}

#[tokio::test]
async fn jobs_are_polled_two_at_a_time_and_the_fastest_is_named() {
    let engine = testing::engine().open().await;
    let jobs = || ["a", "b", "c"].map(str::to_owned).to_vec();
    let done = engine.run(face_jobs(jobs())).await.unwrap().unwrap();
    assert_eq!(done, ["a is done", "b is done", "c is done", "a is done"]);
    testing::crash_at_every_step(move || face_jobs(jobs())).await;
}
