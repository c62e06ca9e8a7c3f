//! Durable timers, and the time that workflows read.

use std::{
    cell::Cell,
    task::Poll,
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};

use crate::{
    clock::{from_ms, to_ms},
    context::{Context, NewOperation, OperationId, Wait},
    future::{DurableFuture, IntoDurableFuture},
};

/// A timer that is set when it is first polled and survives a crash from then on.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[must_use = "a timer does nothing until it is awaited"]
#[serde(rename = "Timer")]
pub enum Sleep {
    #[doc(hidden)]
    For { duration_ms: u64 },
    #[doc(hidden)]
    Until { deadline_ms: u64 },
    #[doc(hidden)]
    Set(OperationId),
}

/// Waits for `duration`, counted from the step that awaits it. Fires never early; after a crash it
/// fires at the time it was due.
///
/// ```
/// # use std::time::Duration;
/// # let _ =
/// durable_core::sleep(Duration::from_secs(86_400 * 30)); // `.await` it in a workflow
/// ```
pub fn sleep(duration: Duration) -> Sleep {
    Sleep::For { duration_ms: millis_up(duration) }
}

/// Milliseconds. A timer never fires early: a fraction of a millisecond counts as one.
pub(crate) fn millis_up(duration: Duration) -> u64 {
    let whole = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    whole.saturating_add(u64::from(!duration.subsec_nanos().is_multiple_of(1_000_000)))
}

/// Waits until `time`. A time that has passed is no wait, but still a step.
pub fn sleep_until(time: impl Into<SystemTime>) -> Sleep {
    Sleep::Until { deadline_ms: to_ms(time.into()) }
}

thread_local! {
    /// The time of the step that this thread runs.
    static STEP: Cell<Option<u64>> = const { Cell::new(None) };
}

/// The engine's clock: in a workflow the time of the current step, which is virtual in tests and does
/// not move between two awaits. Anywhere else it is the system's time.
///
/// ```
/// # use std::time::Duration;
/// let deadline = durable_core::now() + Duration::from_secs(86_400);
/// # assert!(deadline > std::time::SystemTime::now());
/// ```
pub fn now() -> SystemTime {
    STEP.get().map_or_else(SystemTime::now, from_ms)
}

/// Runs a step that happens at this time.
pub(crate) fn at_time<R>(now_ms: u64, run: impl FnOnce() -> R) -> R {
    /// A step may panic, and the thread goes on.
    struct Restore(Option<u64>);
    impl Drop for Restore {
        fn drop(&mut self) {
            STEP.set(self.0);
        }
    }
    let _restore = Restore(STEP.replace(Some(now_ms)));
    run()
}

impl DurableFuture for Sleep {
    type Output = ();

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let deadline_ms = match *self {
            Sleep::Set(id) => {
                if cx.take(id).is_some() {
                    return Poll::Ready(());
                }
                cx.wait(Wait::Op(id));
                return Poll::Pending;
            }
            Sleep::For { duration_ms } => cx.now_ms().saturating_add(duration_ms),
            Sleep::Until { deadline_ms } => deadline_ms,
        };
        let id = cx.start(NewOperation::Timer { deadline_ms });
        *self = Sleep::Set(id);
        cx.wait(Wait::Op(id));
        Poll::Pending
    }

    fn quiet(&self) -> Option<Wait> {
        match self {
            Sleep::Set(id) => Some(Wait::Op(*id)),
            Sleep::For { .. } | Sleep::Until { .. } => None,
        }
    }
}

// Listing what can be awaited helps nobody who awaits something else.
#[diagnostic::do_not_recommend]
impl IntoDurableFuture for Sleep {
    type Output = ();
    type IntoFuture = Sleep;

    fn into_durable(self) -> Sleep {
        self
    }
}
