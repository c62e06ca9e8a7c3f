//! Activities: everything a workflow does to the world.
//!
//! The way through: `#[activity]` turns a function into one that gives an [`ActivityCall`] and a
//! type that is an [`Activity`] (`meta`, `verdict` are what it emits against); awaiting the call
//! in a workflow makes an `ActivityFuture`, which has the engine start an operation; the engine
//! finds the [`ActivityEntry`] by its stored name and runs attempts of it, each with an
//! [`ActivityContext`] over an `AttemptState`, until the [`retry`] policy ends.
//!
//! Invariants: arguments are encoded at the call and nowhere else; what runs is decoded from
//! those bytes, in the first attempt too. Nothing in here reads a clock, sleeps, draws a random
//! number or catches a panic: all of that is the engine's.

mod call;
mod context;
mod entry;
mod function;
mod meta;
mod options;
pub mod retry;
mod states;
mod unit;
mod verdict;

use std::{future::Future, pin::Pin, time::Duration};

pub use call::{ActivityCall, ActivityFuture};
pub(crate) use call::{Popular as PopularCall, is_call, other_activity_reason};
pub use context::{ActivityContext, AttemptInfo, AttemptState, IdempotencyKey};
pub use entry::{ActivityEntry, AttemptOutcome};
pub(crate) use entry::{Popular as PopularEntry, write_some};
pub use function::ActivityFn;
pub use meta::{ActivityMeta, DEFAULT_START_TO_CLOSE, RetryMeta, Timeouts};
pub use options::{CallOptions, OwnOptions};
pub use retry::Retry;
pub use states::{MissingState, State, States};
pub use unit::{UnitCall, call};
pub use verdict::{
    Ended, Fallible, FromCallError, HasHint, HasNoHint, HidesCallError, Infallible, LosesOutput, OutputKind,
    Probe, ReturnsResult, ReturnsValue, Says, ShowsDebug, ShowsDisplay, ShowsNothing, Stored, StoresOutput,
    TellsCallError, Verdict, fallible,
};

use crate::{codec::Persist, error::CallError};

/// A running attempt.
pub type AttemptFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A declared activity. Implemented by `#[activity]`, never by hand.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an activity",
    note = "annotate the function with `#[activity]`",
    note = "see docs/errors/not-annotated.md"
)]
pub trait Activity: Sized + Send + 'static {
    /// The stored parameters, as one tuple.
    type Args: Persist + Send;
    /// Exactly what the function returns.
    type Output: Persist + Send;
    /// Its name, place and policy.
    const META: &'static ActivityMeta;

    /// The first dependency it needs that the engine was not given.
    fn missing_state(states: &States) -> Option<MissingState>;

    /// Makes the future of one attempt. That of a plain function blocks while it is polled.
    fn run(args: Self::Args, context: &ActivityContext) -> Result<AttemptFuture<Self::Output>, MissingState>;

    /// What the output means to the retry policy.
    fn verdict(output: &Self::Output) -> Verdict;

    /// The output for a call that ended without one; `None` for an activity that can't fail.
    fn from_call_error(error: CallError) -> Option<Self::Output>;
}

/// What an error of your own tells the retry policy. Optional: without it every error is retried.
///
/// ```
/// use durable_core::RetryHint;
/// use std::time::Duration;
///
/// enum ApiError {
///     Busy { retry_after: u64 },
///     BadRequest,
/// }
///
/// impl RetryHint for ApiError {
///     fn is_retryable(&self) -> bool {
///         !matches!(self, ApiError::BadRequest)
///     }
///     fn retry_after(&self) -> Option<Duration> {
///         match self {
///             ApiError::Busy { retry_after } => Some(Duration::from_secs(*retry_after)),
///             ApiError::BadRequest => None,
///         }
///     }
/// }
/// ```
pub trait RetryHint {
    /// Whether another attempt makes sense. Default: it does.
    fn is_retryable(&self) -> bool {
        true
    }

    /// The delay before the next attempt, in place of the policy's. Default: the policy's.
    fn retry_after(&self) -> Option<Duration> {
        None
    }
}

/// Whole milliseconds, which is what is stored: rounded up, so that a short time is not none; what
/// is longer than 2^64 of them is for ever.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}
