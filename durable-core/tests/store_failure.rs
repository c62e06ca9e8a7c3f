//! What an engine makes of a store that fails, as a whole or in one record.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::Poll,
    time::Duration,
};

use durable_core::{
    Engine, Status, WorkflowCall,
    private::{self as p, Workflow},
    sleep,
};
use durable_store::{
    Batch, Change, Error, Found, Layer, MemoryImage, Record, RedbStore, Slot, Store, Transition,
};

/// `sleep(50ms).await; n`
fn nap(n: u64) -> WorkflowCall<impl p::RootWorkflow<Args = (u64,), Output = u64> + use<>> {
    struct Def;
    impl Workflow for Def {
        type Args = (u64,);
        type Output = u64;
        const META: &'static p::WorkflowMeta = &p::WorkflowMeta {
            name: "nap",
            was: &[],
            args: &[],
            function: "store_failure::nap",
            file: file!(),
            line: line!(),
            deadline_ms: None,
            migrate: None,
            first: &[1],
            points: {
                static POINTS: p::Points = p::Points::new("sleep\t\t\t50ms\t1\t1\tn\t0\t0");
                &POINTS
            },
        };
        fn poll(frame: &mut p::Frame<'_>, args: Option<(u64,)>) -> Poll<u64> {
            async fn body(cx: &mut p::Frame<'_>, args: Option<(u64,)>) -> u64 {
                let s_n = p::storable(cx);
                let (nap, n);
                match cx.resume_point() {
                    Some(0) => {
                        n = args.expect("there at the start").0;
                        nap = Some(p::into_durable(sleep(Duration::from_millis(50))));
                    }
                    Some(_) => (n, nap) = ((s_n.0)(cx), None),
                    None => match p::suspend().await {},
                }
                if cx.poll(nap, 1).is_pending() {
                    cx.keep_all(&[&n]);
                    cx.save();
                    match p::suspend().await {}
                }
                n
            }
            p::poll_once(std::pin::pin!(body(frame, args)))
        }
    }
    impl p::RootWorkflow for Def {
        const REGISTRATION: p::Registration = p::Registration::workflow::<Self>();
    }
    p::inventory::submit! { <Def as p::RootWorkflow>::REGISTRATION }
    WorkflowCall::<Def>::new((n,))
}

/// A store that fails where a test says so.
struct Faulty {
    store: RedbStore,
    /// The slot whose record fails its checksum.
    damaged: AtomicU64,
    /// Commits with the end of this instance are refused.
    refused: Mutex<Option<&'static str>>,
    /// The next commit fails, and everything after it until a reopening.
    fail_next: AtomicBool,
    failed: AtomicBool,
    reopenings: AtomicU64,
}

impl Faulty {
    fn new() -> Arc<Self> {
        Arc::new(Faulty {
            store: RedbStore::open_image(&MemoryImage::new()).expect("an empty image becomes a store"),
            damaged: AtomicU64::new(u64::MAX),
            refused: Mutex::default(),
            fail_next: false.into(),
            failed: false.into(),
            reopenings: AtomicU64::new(0),
        })
    }
}

impl Layer for Faulty {
    fn beneath(&self) -> &dyn Store {
        &self.store
    }

    fn check(&self) -> Result<(), Error> {
        if self.failed.load(Ordering::SeqCst) {
            return Err(Error::Poisoned { reason: "on purpose".into() });
        }
        Ok(())
    }

    fn check_slot(&self, slot: Slot) -> Result<(), Error> {
        self.check()?;
        if self.damaged.load(Ordering::SeqCst) == slot.0 {
            return Err(Error::DamagedRecord { path: "test".into(), record: Record::Instance(slot) });
        }
        Ok(())
    }

    fn commit(&self, batch: &Batch) -> Result<(), Error> {
        self.check()?;
        if self.fail_next.swap(false, Ordering::SeqCst) {
            self.failed.store(true, Ordering::SeqCst);
            return self.check();
        }
        let refused = *self.refused.lock().expect("no test panics while it holds this lock");
        let is_refused = |transition: &Transition| match &transition.change {
            Change::Close(closed) => Some(&*closed.id) == refused,
            _ => false,
        };
        if batch.transitions.iter().any(is_refused) {
            return Err(Error::Conflict { reason: "on purpose".into() });
        }
        self.store.commit(batch)
    }
    fn reopen(&self) -> Result<(), Error> {
        self.reopenings.fetch_add(1, Ordering::SeqCst);
        self.failed.store(false, Ordering::SeqCst);
        self.store.reopen()
    }
}

#[tokio::test]
async fn a_damaged_record_does_not_stop_its_neighbours() {
    let store = Faulty::new();
    let engine = Engine::builder().store(store.clone()).open().await.expect("it opens");
    engine.start("damaged", nap(1)).await.expect("it starts");
    let Some(Found::Live(slot)) = store.store.find("damaged").expect("it reads") else {
        panic!("it lives");
    };
    store.damaged.store(slot.0, Ordering::SeqCst);
    let mut neighbours = Vec::new();
    for n in 0..20 {
        neighbours.push(engine.start(format!("n{n}"), nap(n)).await.expect("it starts"));
    }
    for (n, neighbour) in (0..).zip(neighbours) {
        assert_eq!(neighbour.result().await.expect("it ends"), n);
    }
    assert_eq!(store.reopenings.load(Ordering::SeqCst), 0, "the store did not fail");
}

#[tokio::test]
async fn whoever_waits_for_a_result_gets_it_although_the_store_failed_meanwhile() {
    let store = Faulty::new();
    let engine = Engine::builder().store(store.clone()).open().await.expect("it opens");
    let mut handles = Vec::new();
    for n in 0..20 {
        handles.push(engine.start(format!("n{n}"), nap(n)).await.expect("it starts"));
    }
    store.fail_next.store(true, Ordering::SeqCst);
    for (n, handle) in (0..).zip(handles) {
        assert_eq!(handle.result().await.expect("it ends"), n);
    }
    assert!(store.reopenings.load(Ordering::SeqCst) >= 1, "the store failed");
    engine.shutdown(Duration::from_secs(5)).await.expect("it stops");
}

#[tokio::test]
async fn an_end_that_the_store_refuses_parks_its_instance_and_no_other() {
    let store = Faulty::new();
    let engine = Engine::builder().store(store.clone()).open().await.expect("it opens");
    *store.refused.lock().expect("nobody panicked") = Some("refused");
    let refused = engine.start("refused", nap(1)).await.expect("it starts");
    let mut neighbours = Vec::new();
    for n in 0..20 {
        neighbours.push(engine.start(format!("n{n}"), nap(n)).await.expect("it starts"));
    }
    for (n, neighbour) in (0..).zip(neighbours) {
        assert_eq!(neighbour.result().await.expect("it ends"), n);
    }
    let parked = async {
        loop {
            let status = refused.describe().await.expect("it is there").status;
            if let Status::Parked(reason) = status {
                return reason.to_string();
            }
            tokio::task::yield_now().await;
        }
    };
    let reason = tokio::time::timeout(Duration::from_secs(20), parked).await.expect("it parks");
    assert!(reason.contains("can't be stored") && reason.contains("on purpose"), "{reason}");
    assert_eq!(store.reopenings.load(Ordering::SeqCst), 0, "the store did not fail");
    *store.refused.lock().expect("nobody panicked") = None;
    refused.retry_now().await.expect("it is taken up again");
    assert_eq!(refused.result().await.expect("it ends"), 1);
}

#[tokio::test]
async fn a_second_shutdown_finds_nothing_to_do() {
    let engine = Engine::builder().store(Faulty::new()).open().await.expect("it opens");
    engine.start("a", nap(1)).await.expect("it starts");
    engine.shutdown(Duration::from_secs(5)).await.expect("it stops");
    engine.shutdown(Duration::from_secs(5)).await.expect("it has stopped");
}
