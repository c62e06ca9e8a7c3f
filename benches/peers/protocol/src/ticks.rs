//! The activity that does nothing, and what is known of its runs.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use tokio::sync::Notify;

static COUNT: AtomicU64 = AtomicU64::new(0);
static TIMES: Mutex<Option<Vec<Instant>>> = Mutex::new(None);
static RAN: Notify = Notify::const_new();

/// What every activity calls: it counts, and gives the next number.
pub fn tick(n: u64) -> u64 {
    if let Some(times) = &mut *TIMES.lock().expect("no panic holds it") {
        times.push(Instant::now());
    }
    COUNT.fetch_add(1, Ordering::SeqCst);
    RAN.notify_one();
    n + 1
}

/// How often it ran in this process since the last call of this.
pub(crate) fn take() -> u64 {
    COUNT.swap(0, Ordering::SeqCst)
}

/// Keeps the time of each run from now on.
pub(crate) fn record(most: u64) {
    let room = usize::try_from(most).expect("it fits");
    *TIMES.lock().expect("no panic holds it") = Some(Vec::with_capacity(room));
}

/// The times that were kept.
pub(crate) fn recorded() -> Vec<Instant> {
    TIMES.lock().expect("no panic holds it").take().unwrap_or_default()
}

/// Waits until it has run so often since the last [`take`].
pub(crate) async fn reached(count: u64) {
    while COUNT.load(Ordering::SeqCst) < count {
        RAN.notified().await;
    }
}
