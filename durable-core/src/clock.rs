//! The one place that reads a clock.

use std::{
    future::Future,
    pin::Pin,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Where an engine takes its time from: the system's clock, or a virtual one in tests.
pub(crate) trait Clock: Send + Sync + 'static {
    /// Milliseconds since the Unix epoch.
    fn now_ms(&self) -> u64;

    /// Waits until the clock shows `deadline_ms`, never less.
    fn sleep_until(&self, deadline_ms: u64) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;

    /// Attempts that do nothing but wait for this clock: none on a clock that moves by itself.
    fn asleep(&self) -> usize {
        0
    }

    /// Whether somebody was woken and has not moved yet.
    fn is_waking(&self) -> bool {
        false
    }
}

/// The system's clock.
#[derive(Debug)]
pub(crate) struct SystemClock;

/// A clock that is set back or forward is noticed within this time.
const LONGEST_NAP: Duration = Duration::from_secs(30);

impl Clock for SystemClock {
    fn now_ms(&self) -> u64 {
        to_ms(SystemTime::now())
    }

    fn sleep_until(&self, deadline_ms: u64) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            loop {
                let now = self.now_ms();
                if now >= deadline_ms {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(deadline_ms - now).min(LONGEST_NAP)).await;
            }
        })
    }
}

/// A short real time to spin for. It decides nothing but how long a thread stays awake, so it is
/// real under a virtual clock too.
pub(crate) struct Patience(std::time::Instant);

impl Patience {
    pub(crate) fn of(time: Duration) -> Self {
        Patience(std::time::Instant::now() + time)
    }

    pub(crate) fn is_over(&self) -> bool {
        std::time::Instant::now() >= self.0
    }
}

/// How long things take that come one after the other. It decides nothing but which thread does them.
pub(crate) struct Laps(std::time::Instant);

impl Laps {
    pub(crate) fn begin() -> Self {
        Laps(std::time::Instant::now())
    }

    /// The time since the beginning or the last lap.
    pub(crate) fn lap(&mut self) -> Duration {
        let now = std::time::Instant::now();
        now.duration_since(std::mem::replace(&mut self.0, now))
    }
}

/// A point in time as the engine counts it; times before the epoch are the epoch.
pub(crate) fn to_ms(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// The same as a `SystemTime`; one too far for it becomes the farthest that fits a century of centuries.
pub(crate) fn from_ms(ms: u64) -> SystemTime {
    const FARTHEST_MS: u64 = 10_000 * 366 * 86_400_000;
    UNIX_EPOCH + Duration::from_millis(ms.min(FARTHEST_MS))
}
