//! What a composition may rely on: many operations at once, what it costs to wait for them, and which of them is seen first.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
    time::{Duration, SystemTime},
};

use durable_core::{
    Completion, Context, DurableFuture, Engine, HistoryKind, IntoDurableFuture, JoinExt, NewOperation,
    OperationId, Wait, activity::CallOptions, testing,
};
use durable_macros::{activity, workflow};
use durable_store::{Batch, Change, Error, Layer, MemoryImage, OperationChange, RedbStore, Store};
use serde::{Deserialize, Serialize};

#[activity(crate = durable_core)]
async fn double(n: u64) -> u64 {
    n * 2
}

/// Doubles of `0..n`, all at once.
#[derive(Serialize, Deserialize)]
struct Doubles {
    n: u64,
    started: Vec<OperationId>,
}

impl DurableFuture for Doubles {
    type Output = Vec<u64>;

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Vec<u64>> {
        if self.started.is_empty() {
            for n in 0..self.n {
                let args = cx.codec().encode(&(n,)).expect("a number is stored");
                let operation = NewOperation::Activity {
                    name: "double".into(),
                    args,
                    options: CallOptions::default().into(),
                };
                self.started.push(cx.start(operation));
            }
            cx.wait(Wait::All(self.started.iter().copied().map(Wait::Op).collect()));
            return Poll::Pending;
        }
        let doubled = |id: &OperationId| match cx.take(*id) {
            Some(Completion::Value(value)) => {
                cx.codec().decode(value.layout, &value.bytes).expect("a number")
            }
            other => panic!("it was polled before all were there: {other:?}"),
        };
        Poll::Ready(self.started.iter().map(doubled).collect())
    }
}

impl IntoDurableFuture for Doubles {
    type Output = Vec<u64>;
    type IntoFuture = Self;
    fn into_durable(self) -> Self {
        self
    }
}

#[workflow(crate = durable_core)]
async fn sum_of_doubles(n: u64) -> u64 {
    let doubles = Doubles { n, started: Vec::new() }.await;
    doubles.iter().sum()
}

/// Gives the place of the timer that is seen first.
#[derive(Serialize, Deserialize)]
struct First {
    deadlines_ms: Vec<u64>,
    set: Vec<OperationId>,
}

impl DurableFuture for First {
    type Output = usize;

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<usize> {
        for deadline_ms in std::mem::take(&mut self.deadlines_ms) {
            self.set.push(cx.start(NewOperation::Timer { deadline_ms }));
        }
        if let Some(at) = self.set.iter().position(|id| cx.take(*id).is_some()) {
            return Poll::Ready(at);
        }
        cx.wait(Wait::Any(self.set.iter().copied().map(Wait::Op).collect()));
        Poll::Pending
    }
}

impl IntoDurableFuture for First {
    type Output = usize;
    type IntoFuture = Self;
    fn into_durable(self) -> Self {
        self
    }
}

fn ms(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_millis() as u64
}

#[workflow(crate = durable_core)]
async fn first_of(hours: Vec<u64>) -> Vec<usize> {
    let now = durable_core::now();
    let deadlines_ms = hours.iter().map(|hours| ms(now + Duration::from_secs(hours * 3600))).collect();
    let first = First { deadlines_ms, set: Vec::new() }.await;
    // Another race begins when everything of the first is long done.
    let second =
        First { deadlines_ms: vec![ms(now + Duration::from_secs(100 * 3600))], set: Vec::new() }.await;
    vec![first, second]
}

/// Counts what is written.
struct Counted {
    store: RedbStore,
    records: AtomicUsize,
    rows: AtomicUsize,
}

impl Layer for Counted {
    fn beneath(&self) -> &dyn Store {
        &self.store
    }

    fn commit(&self, batch: &Batch) -> Result<(), Error> {
        for transition in &batch.transitions {
            let record = matches!(transition.change, Change::Update { .. });
            self.records.fetch_add(usize::from(record), Ordering::Relaxed);
            let put = |change: &&OperationChange| matches!(change, OperationChange::Put(..));
            self.rows.fetch_add(transition.operations.iter().filter(put).count(), Ordering::Relaxed);
        }
        self.store.commit(batch)
    }
}

#[tokio::test]
async fn what_completes_one_of_many_does_not_write_the_record_again() {
    let store = Arc::new(Counted {
        store: RedbStore::open_image(&MemoryImage::new()).expect("an empty image becomes a store"),
        records: AtomicUsize::new(0),
        rows: AtomicUsize::new(0),
    });
    let engine = Engine::builder().store(store.clone()).open().await.expect("it opens");
    let handle = engine.start("a", sum_of_doubles(300)).await.expect("it starts");
    assert_eq!(handle.result().await.expect("it ends"), 300 * 299);
    let records = store.records.load(Ordering::Relaxed);
    // Each of the few operations in the record may write it once.
    assert!(records <= 10, "the record was written {records} times");
    let rows = store.rows.load(Ordering::Relaxed);
    // Each once when it began, and once when it was done unless all were there by then.
    assert!((292..=2 * 292).contains(&rows), "{rows} rows were written");
    let history = handle.history().await.expect("it is there");
    let completed =
        history.iter().filter(|event| matches!(event.kind, HistoryKind::ActivityCompleted { .. }));
    assert_eq!(completed.count(), 300);
}

#[workflow(crate = durable_core)]
async fn sum_of_joined(n: u64) -> u64 {
    let calls: Vec<_> = (0..n).map(|n| double(n)).collect();
    calls.join().await.iter().sum()
}

#[tokio::test]
async fn a_join_of_many_activities_touches_its_instance_no_more_than_one_of_a_few() {
    let mut records = Vec::new();
    for n in [10, 1_000] {
        let store = Arc::new(Counted {
            store: RedbStore::open_image(&MemoryImage::new()).expect("an empty image becomes a store"),
            records: AtomicUsize::new(0),
            rows: AtomicUsize::new(0),
        });
        let engine = Engine::builder().store(store.clone()).open().await.expect("it opens");
        assert_eq!(engine.run(sum_of_joined(n)).await.expect("it ends"), n * (n - 1));
        records.push(store.records.load(Ordering::Relaxed));
        let rows = store.rows.load(Ordering::Relaxed) as u64;
        assert!(rows <= 2 * n, "{rows} rows for {n} activities");
    }
    // The few operations that stand in the record may write it once each.
    assert!(records.iter().all(|records| *records <= 10), "{records:?}");
}

#[tokio::test]
async fn a_crash_after_any_commit_loses_none_of_many_operations() {
    let report = testing::crash_at_every_step(|| sum_of_doubles(20)).await;
    assert!(report.crashes >= 2, "{report:?}");
}

#[tokio::test]
async fn what_was_due_first_wins_although_everything_is_there_at_once() {
    let image = MemoryImage::new();
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let engine = testing::engine().image(&image).starting_at(start).open().await;
    engine.start("a", first_of(vec![5, 3, 2, 4])).await.expect("it starts");
    engine.idle().await;
    engine.shutdown(Duration::ZERO).await.expect("it stops");
    // All of the first race are due when it is opened again.
    let later = start + Duration::from_secs(50 * 3600);
    let engine = testing::engine().image(&image).starting_at(later).open().await;
    let handle = engine.handle("a").of(first_of);
    assert_eq!(handle.result().await.expect("it ends"), [2, 0]);
}
