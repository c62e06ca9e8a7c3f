//! What happens to one instance at the same time, in each order that matters.
//!
//! A workflow whose plain code stands still holds the worker that steps it. The engine has two: a test that holds both decides what
//! each of them finds when it goes on.

use std::{
    collections::HashMap,
    sync::{Arc, Condvar, LazyLock, Mutex},
};

use durable::{
    child,
    prelude::*,
    spawn,
    testing::{self, TestEngine},
};
use serde::{Deserialize, Serialize};
use tokio::task::{JoinHandle, yield_now};

use crate::support::{Gate, HOUR, MINUTE};

/// A place in a workflow's plain code.
#[derive(Default)]
struct Place {
    /// Somebody has come; everybody may go on.
    state: Mutex<(bool, bool)>,
    opened: Condvar,
}

static PLACES: LazyLock<Mutex<HashMap<String, Arc<Place>>>> = LazyLock::new(Mutex::default);

/// The place of this name; each test has names of its own.
fn place(name: &str) -> Arc<Place> {
    PLACES.lock().unwrap().entry(name.to_owned()).or_default().clone()
}

/// A workflow comes to a place, and stands there.
fn stand(name: &str) {
    let place = place(name);
    let mut state = place.state.lock().unwrap();
    state.0 = true;
    while !state.1 {
        state = place.opened.wait(state).unwrap();
    }
}

/// Waits until a workflow stands at a place.
async fn taken(name: &str) {
    let place = place(name);
    while !place.state.lock().unwrap().0 {
        yield_now().await;
    }
}

fn open(name: &str) {
    let place = place(name);
    place.state.lock().unwrap().1 = true;
    place.opened.notify_all();
}

/// Opens its places when the test ends, however it ends: an engine waits for its workers.
struct Opens<'a>(&'a [String]);

impl Drop for Opens<'_> {
    fn drop(&mut self) {
        self.0.iter().for_each(|at| open(at));
    }
}

/// Has something happen as far as it can without the workers.
async fn posted<T: Send + 'static>(
    what: impl IntoFuture<Output = T, IntoFuture: Send + 'static>,
) -> JoinHandle<T> {
    let posted = tokio::spawn(what.into_future());
    for _ in 0..100 {
        yield_now().await;
    }
    posted
}

/// What would wait for ever is a failure.
async fn soon<T>(what: impl IntoFuture<Output = T>) -> T {
    tokio::time::timeout(MINUTE / 4, what.into_future()).await.expect("it comes to an end")
}

#[derive(Debug, Serialize, Deserialize, Signal)]
struct Walk;

#[derive(Debug, Serialize, Deserialize, Signal)]
struct Finish;

/// Stands still when it is told to walk.
#[workflow]
async fn stands(at: String) {
    recv::<Walk>().await;
    stand(&at);
}

/// Holds a worker at each of these places.
async fn hold(engine: &TestEngine, places: &[String]) -> Vec<JoinHandle<Result<(), SignalError>>> {
    for at in places {
        engine.start(at, stands(at.clone())).await.unwrap();
    }
    let mut held = Vec::new();
    for at in places {
        held.push(posted(engine.signal(at, Walk)).await);
        soon(taken(at)).await;
    }
    held
}

/// Places for both workers.
fn two(test: &str) -> [String; 2] {
    [format!("{test} 1"), format!("{test} 2")]
}

#[activity(retry(initial = "1h", jitter = 0))]
async fn trip_over(State(gate): State<Gate>) -> Result<(), Error> {
    gate.pass().await;
    bail!("stumbled")
}

#[workflow]
async fn stumbles() -> Result<(), Error> {
    trip_over().await
}

#[workflow]
async fn stumbles_until_it_is_to_finish() -> Result<String, Error> {
    let mut walk = spawn(trip_over());
    select! {
        walked = &mut walk => walked?,
        Finish = recv::<Finish>() => {}
    }
    Ok(match walk.cancel().await {
        Ok(Ok(())) => "it has walked".to_owned(),
        Ok(Err(error)) => error.to_string(),
        Err(error) => error.to_string(),
    })
}

#[tokio::test]
async fn a_cancellation_that_comes_with_the_end_of_a_failed_attempt_is_the_last_word() {
    let gate = Arc::new(Gate::default());
    let engine = testing::engine().state_arc(gate.clone()).open().await;
    let handle = engine.start("a", stumbles()).await.unwrap();
    let other = engine.start("b", stumbles_until_it_is_to_finish()).await.unwrap();
    gate.arrival().await;
    gate.arrival().await;
    let places = two("stumbling");
    let _opens = Opens(&places);
    let held = hold(&engine, &places).await;
    gate.open(2);
    yield_now().await;
    let cancelled = posted({
        let handle = handle.clone();
        async move { handle.cancel("enough").await }
    })
    .await;
    let signalled = posted(other.signal(Finish)).await;
    let start = engine.now();
    places.iter().for_each(|at| open(at));
    soon(cancelled).await.unwrap().unwrap();
    soon(signalled).await.unwrap().unwrap();
    for held in held {
        soon(held).await.unwrap().unwrap();
    }
    let ended = soon(handle.result()).await;
    assert!(matches!(ended, Err(RunError::Cancelled { .. })), "{ended:?}");
    let ended = soon(other.result()).await.unwrap().unwrap();
    assert!(ended.contains("cancelled"), "{ended}");
    assert_eq!((engine.now(), engine.calls(trip_over).len()), (start, 2), "no other attempt was waited for");
}

#[activity]
async fn linger(State(gate): State<Gate>) {
    gate.pass().await;
}

#[workflow]
async fn lingers() {
    linger().await;
}

#[workflow]
async fn rests() {
    sleep(HOUR).await;
}

#[tokio::test]
async fn what_is_left_of_an_instance_does_not_hide_the_one_in_its_place() {
    let gate = Arc::new(Gate::default());
    let engine = testing::engine().state_arc(gate.clone()).open().await;
    let old = engine.start("old", lingers()).await.unwrap();
    gate.arrival().await;
    old.terminate("it takes too long").await.unwrap();
    // The store gives the lowest free place away.
    let new = engine.start("new", rests()).await.unwrap();
    let places = two("lingering");
    let _opens = Opens(&places);
    let held = hold(&engine, &places).await;
    gate.open(1);
    yield_now().await;
    let paused = posted({
        let new = new.clone();
        async move { new.pause().await }
    })
    .await;
    places.iter().for_each(|at| open(at));
    soon(paused).await.unwrap().expect("it is there");
    for held in held {
        soon(held).await.unwrap().unwrap();
    }
    assert_eq!(new.describe().await.unwrap().status, Status::Paused);
    engine.idle().await;
    new.resume().await.unwrap();
    soon(new.result()).await.unwrap();
}

#[activity]
async fn listen(context: ActivityContext) -> Result<(), Error> {
    context.cancelled().await;
    bail!("was told")
}

#[workflow]
async fn listens() -> Result<(), Error> {
    listen().await
}

#[tokio::test]
async fn an_attempt_is_told_of_a_cancellation_that_came_before_it_had_begun() {
    let engine = testing::engine().open().await;
    let start = engine.now();
    let of = engine.clone();
    // This thread is the only one that could run the attempt.
    let elsewhere = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let handle = of.start("a", listens()).await.unwrap();
            handle.cancel("not now").await.unwrap();
        });
    });
    elsewhere.join().unwrap();
    let ended = soon(engine.handle("a").of(listens).result()).await;
    assert!(matches!(ended, Err(RunError::Cancelled { .. })), "{ended:?}");
    assert_eq!(engine.now(), start, "nobody waited for its time-out");
}

#[workflow]
async fn late_child(at: String) -> Result<(), Error> {
    stand(&at);
    recv::<Finish>().await;
    Ok(())
}

#[workflow]
async fn parent_of_late(at: String) -> Result<(), Error> {
    child("late", late_child(at)).await
}

#[tokio::test]
async fn a_child_whose_creation_its_parent_did_not_see_before_it_was_terminated_ends_with_it() {
    let engine = testing::engine().open().await;
    let places = ["creating", "before it", "beside it"].map(|at| format!("late: {at}"));
    let _opens = Opens(&places);
    let [creating, before, beside] = &places;
    engine.start(beside, stands(beside.clone())).await.unwrap();
    engine.idle().await;
    let parent = engine.start("a", parent_of_late(creating.clone())).await.unwrap();
    soon(taken(creating)).await;
    engine.start(before, stands(before.clone())).await.unwrap();
    let one = posted(engine.signal(before, Walk)).await;
    soon(taken(before)).await;
    // One worker creates the child; the other steps these two together.
    let terminated = posted({
        let parent = parent.clone();
        async move { parent.terminate("enough").await }
    })
    .await;
    let other = posted(engine.signal(beside, Walk)).await;
    open(before);
    soon(taken(beside)).await;
    open(creating);
    let late = engine.handle("a/late").of(late_child);
    soon(async {
        while late.describe().await.is_err() {
            yield_now().await;
        }
    })
    .await;
    open(beside);
    soon(terminated).await.unwrap().unwrap();
    soon(one).await.unwrap().unwrap();
    soon(other).await.unwrap().unwrap();
    let ended = soon(late.result()).await;
    assert!(matches!(ended, Err(RunError::Cancelled { .. })), "{ended:?}");
}

#[activity(park_when_exhausted, retry(max_attempts = 1))]
async fn give_up(State(gate): State<Gate>) -> Result<(), Error> {
    gate.pass().await;
    bail!("it can't be done")
}

#[workflow]
async fn sends_meanwhile(at: String, to: String) -> Result<(), Error> {
    let given_up = spawn(give_up());
    recv::<Walk>().await;
    stand(&at);
    durable::signal(to, Finish).await?;
    given_up.await
}

#[workflow]
async fn finishes() -> String {
    recv::<Finish>().await;
    "finished".into()
}

#[tokio::test]
async fn an_instance_that_parks_right_after_it_has_sent_something_stays_parked() {
    let gate = Arc::new(Gate::default());
    let engine = testing::engine().state_arc(gate.clone()).open().await;
    engine.start("to", finishes()).await.unwrap();
    let places = ["sending meanwhile".to_owned()];
    let (at, _opens) = (&places[0], Opens(&places));
    let handle = engine.start("a", sends_meanwhile(at.clone(), "to".into())).await.unwrap();
    gate.arrival().await;
    let walking = posted(engine.signal("a", Walk)).await;
    soon(taken(at)).await;
    gate.open(1);
    for _ in 0..100 {
        yield_now().await;
    }
    open(at);
    soon(walking).await.unwrap().unwrap();
    soon(engine.idle()).await;
    assert!(matches!(handle.describe().await.unwrap().status, Status::Parked(_)));
    assert!(engine.calls(give_up) == 1, "only a person may ask for another attempt");
}

#[workflow]
async fn stands_and_finishes(at: String) -> String {
    recv::<Walk>().await;
    stand(&at);
    recv::<Finish>().await;
    "finished".into()
}

#[workflow]
async fn finishes_and_cancels(id: String) -> Result<(), SignalError> {
    durable::signal(&id, Finish).await?;
    durable::cancel(&id, "it should have finished").await
}

#[tokio::test]
async fn a_signal_and_the_cancellation_behind_it_come_in_their_order() {
    let engine = testing::engine().open().await;
    let places = ["finishing".to_owned()];
    let (at, _opens) = (&places[0], Opens(&places));
    let handle = engine.start("a", stands_and_finishes(at.clone())).await.unwrap();
    let walking = posted(engine.signal("a", Walk)).await;
    soon(taken(at)).await;
    let other = engine.start("b", finishes_and_cancels("a".into())).await.unwrap();
    soon(async {
        while !other.describe().await.unwrap().status.is_closed() {
            yield_now().await;
        }
    })
    .await;
    open(at);
    soon(walking).await.unwrap().unwrap();
    assert_eq!(soon(handle.result()).await.unwrap(), "finished");
}

#[tokio::test]
async fn a_cancellation_that_finds_the_end_in_front_of_it_is_told() {
    let engine = testing::engine().open().await;
    let places = ["ending".to_owned()];
    let (at, _opens) = (&places[0], Opens(&places));
    let handle = engine.start("a", stands_and_finishes(at.clone())).await.unwrap();
    let walking = posted(engine.signal("a", Walk)).await;
    soon(taken(at)).await;
    let finishing = posted(engine.signal("a", Finish)).await;
    let cancelled = handle.clone();
    let cancelling = posted(async move { cancelled.cancel("too late").await }).await;
    open(at);
    for sent in [walking, finishing] {
        soon(sent).await.unwrap().unwrap();
    }
    assert_eq!(soon(handle.result()).await.unwrap(), "finished");
    let told = soon(cancelling).await.unwrap();
    assert!(matches!(told, Err(durable::EngineError::Closed { .. })), "{told:?}");
}
