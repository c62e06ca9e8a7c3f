//! Limits: how many attempts run at once, and that plain functions run beside the async ones.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use durable::{
    prelude::*,
    testing::{self, TestBuilder},
};

use crate::support::Gate;

/// Counts who is inside.
#[derive(Default)]
struct Crowd {
    inside: AtomicUsize,
    peak: AtomicUsize,
    gate: Gate,
}

impl Crowd {
    async fn visit(&self) {
        let inside = self.inside.fetch_add(1, Ordering::SeqCst) + 1;
        self.peak.fetch_max(inside, Ordering::SeqCst);
        self.gate.pass().await;
        self.inside.fetch_sub(1, Ordering::SeqCst);
    }
}

#[activity(limit = 3)]
async fn few_at_once(State(crowd): State<Crowd>, n: u32) -> u32 {
    crowd.visit().await;
    n
}

#[activity]
async fn any_number_at_once(State(crowd): State<Crowd>, n: u32) -> u32 {
    crowd.visit().await;
    n
}

#[workflow]
async fn enter_few(n: u32) -> u32 {
    let first = few_at_once(n).await;
    first + few_at_once(n).await
}

#[workflow]
async fn enter_any(n: u32) -> u32 {
    let first = any_number_at_once(n).await;
    first + any_number_at_once(n).await
}

/// Runs 20 instances of two calls each; at most `most` attempts are ever inside, and so many are.
async fn crowd(builder: TestBuilder, limited: bool, most: usize) {
    let crowd = Arc::new(Crowd::default());
    let engine = builder.state_arc(crowd.clone()).open().await;
    let mut handles = Vec::new();
    for n in 0..20 {
        let id = format!("visitor-{n}");
        let handle = if limited {
            engine.start(id, enter_few(n)).await.unwrap()
        } else {
            engine.start(id, enter_any(n)).await.unwrap()
        };
        handles.push(handle);
    }
    for _ in 0..40 {
        crowd.gate.arrival().await;
        let inside = crowd.inside.load(Ordering::SeqCst);
        assert!(inside <= most, "{inside} at once");
        if crowd.gate.unseen() == 0 {
            // Whoever else may come in comes in now.
            tokio::task::yield_now().await;
        }
        if inside == most || crowd.gate.unseen() == 0 {
            crowd.gate.open(1);
        }
    }
    crowd.gate.open(40);
    for (n, handle) in (0..).zip(&handles) {
        assert_eq!(handle.result().await.unwrap(), 2 * n);
    }
    assert_eq!(crowd.peak.load(Ordering::SeqCst), most);
}

#[tokio::test]
async fn an_activity_with_a_limit_never_runs_more_often_at_once() {
    crowd(testing::engine(), true, 3).await;
}

#[tokio::test]
async fn an_engine_with_a_limit_never_runs_more_attempts_at_once() {
    crowd(testing::engine().max_concurrent_activities(5), false, 5).await;
}

#[tokio::test]
async fn the_smaller_of_two_limits_holds() {
    crowd(testing::engine().max_concurrent_activities(2), true, 2).await;
}

#[tokio::test]
async fn calls_that_wait_for_their_limit_do_not_hold_up_other_activities() {
    let held = Arc::new(Crowd::default());
    let engine = testing::engine().max_concurrent_activities(4).state_arc(held.clone()).open().await;
    for n in 0..10 {
        engine.start(format!("few-{n}"), enter_few(n)).await.unwrap();
    }
    for _ in 0..3 {
        held.gate.arrival().await;
    }
    // Three are inside, seven wait for their turn, and one place of the engine's four is free.
    let other = engine.start("other", add(20, 1)).await.unwrap();
    while other.try_result().await.unwrap().is_none() {
        tokio::task::yield_now().await;
    }
    assert_eq!(held.inside.load(Ordering::SeqCst), 3);
    held.gate.open(40);
    for n in 0..10 {
        engine.handle(format!("few-{n}")).of(enter_few).result().await.unwrap();
    }
}

/// The threads that plain functions ran on.
#[derive(Default)]
struct Threads(Mutex<Vec<std::thread::ThreadId>>);

#[activity]
fn add_plainly(a: u32, b: u32) -> u32 {
    a + b
}

#[workflow]
async fn add(a: u32, b: u32) -> u32 {
    add_plainly(a, b).await
}

#[activity]
fn note_thread(State(threads): State<Threads>, barrier: u32) -> u32 {
    threads.0.lock().unwrap().push(std::thread::current().id());
    barrier
}

#[workflow]
async fn call_note_thread() -> u32 {
    note_thread(7).await
}

#[tokio::test]
async fn a_plain_function_runs_beside_the_threads_of_the_runtime() {
    let threads = Arc::new(Threads::default());
    let engine = testing::engine().state_arc(threads.clone()).open().await;
    assert_eq!(engine.run(call_note_thread()).await.unwrap(), 7);
    let ran_on = threads.0.lock().unwrap().clone();
    assert_eq!(ran_on.len(), 1);
    assert_ne!(ran_on[0], std::thread::current().id(), "this runtime has one thread, and it is not blocked");
}

/// Two plain functions that wait for each other: they can only both end if they run at once.
struct Meeting(std::sync::Barrier);

#[activity]
fn meet(State(meeting): State<Meeting>) -> bool {
    meeting.0.wait().is_leader()
}

#[workflow]
async fn call_meet() -> bool {
    meet().await
}

#[tokio::test]
async fn plain_functions_block_only_themselves() {
    let engine = testing::engine().state(Meeting(std::sync::Barrier::new(2))).open().await;
    let one = engine.start("one", call_meet()).await.unwrap();
    let two = engine.start("two", call_meet()).await.unwrap();
    let leaders = [one.result().await.unwrap(), two.result().await.unwrap()];
    assert_eq!(leaders.iter().filter(|leader| **leader).count(), 1);
}

#[activity(retry(max_attempts = 2, initial = "1ms"))]
fn panic_plainly(n: u32) -> Result<u32, Error> {
    panic!("plain panic {n}")
}

#[workflow]
async fn call_panic_plainly() -> Result<u32, Error> {
    panic_plainly(7).await
}

#[tokio::test]
async fn a_panic_of_a_plain_function_is_a_failed_attempt() {
    let engine = testing::engine().open().await;
    let error = engine.run(call_panic_plainly()).await.unwrap().unwrap_err();
    assert!(error.to_string().contains("plain panic 7"), "{error}");
    assert!(engine.calls(panic_plainly) == 2);
}
