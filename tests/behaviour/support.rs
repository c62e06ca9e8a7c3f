//! What several modules need: lengths of time, and gates that hold an activity where a test wants it.

use std::{
    sync::Mutex,
    time::{Duration, SystemTime},
};

use durable::testing::TestEngine;
use tokio::sync::{Notify, Semaphore};

pub(crate) const MILLISECOND: Duration = Duration::from_millis(1);
pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(3_600);
pub(crate) const DAY: Duration = Duration::from_secs(86_400);

/// How far the virtual clock is past `start`.
pub(crate) fn since(engine: &TestEngine, start: SystemTime) -> Duration {
    engine.now().duration_since(start).expect("the clock does not run backwards")
}

/// Milliseconds since the Unix epoch.
pub(crate) fn ms(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).expect("tests happen after 1970");
    u64::try_from(since.as_millis()).expect("and before the year 500 million")
}

/// Holds whoever comes through until the test opens it, and tells the test that somebody is there.
pub(crate) struct Gate {
    arrived: Semaphore,
    open: Semaphore,
}

impl Default for Gate {
    fn default() -> Self {
        Gate { arrived: Semaphore::new(0), open: Semaphore::new(0) }
    }
}

impl Gate {
    /// An activity comes to the gate.
    pub(crate) async fn pass(&self) {
        self.arrived.add_permits(1);
        self.open.acquire().await.expect("the gate is never closed for good").forget();
    }

    /// Waits until one more has come.
    pub(crate) async fn arrival(&self) {
        self.arrived.acquire().await.expect("the gate is never closed for good").forget();
    }

    /// How many have come that the test has not waited for.
    pub(crate) fn unseen(&self) -> usize {
        self.arrived.available_permits()
    }

    /// Lets so many through.
    pub(crate) fn open(&self, count: usize) {
        self.open.add_permits(count);
    }
}

/// The one place at which the power goes: whoever comes there stays there for ever.
#[derive(Default)]
pub(crate) struct Cut {
    at: Mutex<Option<String>>,
    reached: Notify,
}

impl Cut {
    /// The power is to go at this place, the first time that somebody comes there.
    pub(crate) fn at(place: impl Into<String>) -> Self {
        Cut { at: Mutex::new(Some(place.into())), reached: Notify::new() }
    }

    /// An activity comes to a place.
    pub(crate) async fn pass(&self, place: &str) {
        let cut = self.at.lock().expect("nothing panics under it").take_if(|at| *at == place);
        if cut.is_some() {
            self.reached.notify_one();
            std::future::pending::<()>().await;
        }
    }

    /// Waits until somebody stands there.
    pub(crate) async fn reached(&self) {
        self.reached.notified().await;
    }
}
