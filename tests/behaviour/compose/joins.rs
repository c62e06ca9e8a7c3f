//! `join`, `try_join` and `limit`.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use durable::{
    prelude::*,
    store::{Batch, Change, Error as StoreError, Layer, MemoryImage, OperationChange, RedbStore, Store},
    testing::{self, mock},
};

use crate::support::{DAY, HOUR, MINUTE, SECOND, since};

#[activity(start_to_close = "1d")]
async fn joined_price(sku: &str) -> u64 {
    sku.len() as u64
}

#[activity]
async fn joined_name(id: u32) -> String {
    format!("customer {id}")
}

#[activity(start_to_close = "1d", retry(max_attempts = 1))]
async fn joined_stock(sku: &str) -> Result<u32, Error> {
    if sku.is_empty() {
        bail!("no such thing");
    }
    Ok(sku.len() as u32)
}

#[workflow]
async fn quote_all(skus: Vec<String>) -> (u64, String, Vec<u64>, [u64; 2]) {
    let (price, name, ()) = (joined_price("book"), joined_name(7), sleep(SECOND)).join().await;
    let calls: Vec<_> = skus.iter().map(|sku| joined_price(sku)).collect();
    let prices = calls.join().await;
    let two = [joined_price("a"), joined_price("bb")].join().await;
    (price, name, prices, two)
}

fn skus(count: usize) -> Vec<String> {
    (1..=count).map(|length| "s".repeat(length)).collect()
}

#[tokio::test]
async fn tuples_vectors_and_arrays_give_what_each_gave_in_their_order() {
    let engine = testing::engine().open().await;
    let quoted = engine.run(quote_all(skus(5))).await.unwrap();
    assert_eq!(quoted, (4, "customer 7".to_owned(), vec![1, 2, 3, 4, 5], [1, 2]));
    let empty = engine.run(quote_all(Vec::new())).await.unwrap();
    assert!(empty.2.is_empty(), "a join of nothing is there at once");
}

#[tokio::test]
async fn a_join_survives_a_crash_at_every_step() {
    let report = testing::crash_at_every_step(|| quote_all(skus(12))).await;
    assert!(report.crashes >= 4, "{report:?}");
}

#[tokio::test]
async fn all_of_a_join_run_at_once() {
    let slow = mock(joined_price).delay(HOUR).then(|sku| sku.len() as u64);
    let engine = testing::engine().mock(slow).open().await;
    let start = engine.now();
    engine.run(quote_all(skus(100))).await.unwrap();
    assert_eq!(since(&engine, start), 3 * HOUR, "three joins, of an hour each");
}

#[workflow]
async fn stocked(skus: Vec<String>) -> Result<(Vec<u32>, u32), Error> {
    let calls: Vec<_> = skus.iter().map(|sku| joined_stock(sku)).collect();
    let (all, two) = (calls.try_join(), joined_stock("aa")).try_join().await?;
    let [again] = [joined_stock("aa")].try_join().await?;
    assert_eq!(again, two);
    Ok((all, two))
}

#[workflow]
async fn stocked_or_waited(skus: Vec<String>) -> String {
    let long = testing_wait(30 * DAY);
    match (stocked(skus), long).try_join().await {
        Ok(_) => "all".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[workflow]
async fn testing_wait(time: std::time::Duration) -> Result<(), Error> {
    sleep(time).await;
    Ok(())
}

#[tokio::test]
async fn the_first_error_ends_a_try_join_and_what_else_it_waits_for() {
    let engine = testing::engine().open().await;
    assert_eq!(engine.run(stocked(skus(3))).await.unwrap().unwrap(), (vec![1, 2, 3], 2));
    let start = engine.now();
    let handle = engine.start("a", stocked_or_waited(vec!["x".into(), String::new()])).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), "no such thing");
    assert!(since(&engine, start) < HOUR, "the timer of thirty days was not waited for");
    testing::crash_at_every_step(|| stocked_or_waited(vec!["x".into(), String::new()])).await;
}

#[tokio::test]
async fn of_two_errors_the_one_that_was_there_first_counts() {
    let stock = mock(joined_stock).delay(HOUR).then(|sku| match sku.as_str() {
        "a" => Err(Error::msg("an hour later")),
        sku => Ok(sku.len() as u32),
    });
    let engine = testing::engine().mock(stock).open().await;
    let skus = vec!["b".to_owned(), "a".to_owned()];
    assert_eq!(engine.run(stocked(skus)).await.unwrap().unwrap_err().to_string(), "an hour later");
}

/// Who is there at once, and how many there were at most.
#[derive(Clone, Default)]
struct Crowd(Arc<(AtomicUsize, AtomicUsize)>);

#[activity]
async fn crowded(State(crowd): State<Crowd>, n: u32) -> u32 {
    let (now, most) = &*crowd.0;
    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    now.fetch_sub(1, Ordering::SeqCst);
    n * 2
}

#[workflow]
async fn limited(count: u32, most: usize) -> Vec<u32> {
    let calls: Vec<_> = (0..count).map(|n| crowded(n)).collect();
    calls.join().limit(most).await
}

#[tokio::test]
async fn a_limit_holds_and_loses_nothing() {
    let crowd = Crowd::default();
    let engine = testing::engine().state(crowd.clone()).open().await;
    let doubled = engine.run(limited(40, 3)).await.unwrap();
    assert_eq!(doubled, (0..40).map(|n| n * 2).collect::<Vec<_>>());
    assert_eq!(crowd.0.1.load(Ordering::SeqCst), 3, "as many as the limit allows, and no more");
    testing::crash_at_every_step(|| limited(7, 2)).with(|builder| builder.state(Crowd::default())).await;
}

/// A store that counts what is written while an instance runs.
struct Written {
    store: RedbStore,
    /// Of the instance.
    records: AtomicUsize,
    /// Of its operations.
    rows: AtomicUsize,
}

impl Layer for Written {
    fn beneath(&self) -> &dyn Store {
        &self.store
    }

    fn commit(&self, batch: &Batch) -> Result<(), StoreError> {
        for transition in &batch.transitions {
            let record = usize::from(!matches!(transition.change, Change::Keep));
            self.records.fetch_add(record, Ordering::SeqCst);
            let rows = transition.operations.iter().filter(|row| matches!(row, OperationChange::Put(..)));
            self.rows.fetch_add(rows.count(), Ordering::SeqCst);
        }
        self.store.commit(batch)
    }
}

#[activity]
async fn halved(n: u32) -> u32 {
    n / 2
}

#[workflow]
async fn halves(count: u32) -> u32 {
    let calls: Vec<_> = (0..count).map(|n| halved(n)).collect();
    calls.join().await.iter().sum()
}

/// So much of it in turn: what the join is, in another way.
#[workflow]
async fn halves_in_turn(count: u32) -> u32 {
    let mut sum = 0;
    for n in 0..count {
        sum += halved(n).await;
    }
    sum
}

/// How often the record of an instance was written, and how many rows of operations.
async fn written(run: impl AsyncFnOnce(Engine)) -> (usize, usize) {
    let store = RedbStore::open_image(&MemoryImage::new()).unwrap();
    let store = Arc::new(Written { store, records: 0.into(), rows: 0.into() });
    run(Engine::builder().store(store.clone()).open().await.unwrap()).await;
    (store.records.load(Ordering::SeqCst), store.rows.load(Ordering::SeqCst))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_join_of_ten_thousand_activities_touches_its_instance_once() {
    const ACTIVITIES: u32 = 10_000;
    let expected = (0..ACTIVITIES).map(|n| n / 2).sum::<u32>();
    let (records, rows) = written(async |engine| {
        assert_eq!(engine.run(halves(ACTIVITIES)).await.unwrap(), expected);
        engine.shutdown(SECOND).await.unwrap();
    })
    .await;
    // It begins, is touched by those few completions whose operations stand in its record, and by the last one, which ends it.
    assert!(records <= 10, "{records} times");
    assert!(rows <= 2 * ACTIVITIES as usize, "{rows} rows: each is written as it begins, and as it ends");

    let (records, _) = written(async |engine| {
        engine.run(halves_in_turn(100)).await.unwrap();
        engine.shutdown(SECOND).await.unwrap();
    })
    .await;
    assert!(records > 100, "one by one they touch it each time, and that is noticed: {records}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_wait_in_the_store_for_their_turn_are_read_one_by_one() {
    // More than the engine keeps ready in memory.
    const ACTIVITIES: u32 = 23_000;
    let began = std::time::Instant::now();
    written(async |engine| {
        let sum = engine.run(halves(ACTIVITIES)).await.unwrap();
        assert_eq!(sum, (0..ACTIVITIES).map(|n| n / 2).sum::<u32>());
        engine.shutdown(SECOND).await.unwrap();
    })
    .await;
    // If each were read with all the others, this would take many minutes.
    assert!(began.elapsed() < MINUTE, "{:?}", began.elapsed());
}

/// What was done when.
#[derive(Clone, Default)]
struct Marks(Arc<Mutex<Vec<String>>>);

#[activity]
async fn mark(State(marks): State<Marks>, text: String) {
    marks.0.lock().unwrap().push(text);
}

#[workflow]
async fn every(time: std::time::Duration, count: u32, name: String) -> u32 {
    for n in 0..count {
        sleep(time).await;
        mark(format!("{name} {n}")).await;
    }
    count
}

#[workflow]
async fn minutes_and_days() -> u32 {
    let (minutes, days) = (every(MINUTE, 3, "minute".into()), every(DAY, 2, "day".into())).join().await;
    minutes + days
}

#[tokio::test]
async fn each_called_workflow_of_a_join_goes_at_its_own_pace() {
    let marks = Marks::default();
    let engine = testing::engine().state(marks.clone()).open().await;
    let handle = engine.start("a", minutes_and_days()).await.unwrap();
    engine.advance(10 * MINUTE).await;
    assert_eq!(*marks.0.lock().unwrap(), ["minute 0", "minute 1", "minute 2"]);
    engine.crash_and_reopen().await;
    let handle = engine.handle(handle.id()).of(minutes_and_days);
    assert_eq!(handle.result().await.unwrap(), 5);
    assert_eq!(marks.0.lock().unwrap()[3..], ["day 0", "day 1"]);
    testing::crash_at_every_step(minutes_and_days).with(|builder| builder.state(Marks::default())).await;
}

#[workflow]
async fn lines(texts: Vec<String>) -> String {
    texts.join(", ")
}

#[tokio::test]
async fn joining_text_is_still_what_it_was() {
    let engine = testing::engine().open().await;
    assert_eq!(engine.run(lines(vec!["a".into(), "b".into()])).await.unwrap(), "a, b");
}
