//! What a returned value means: decided by its type, so that an alias of `Result` is a `Result`.
//!
//! The generated code knows the output's type only as tokens. It calls a method of the same name
//! on several references to an [`OutputKind`] or a [`Probe`]; method lookup takes the trait that
//! is implemented for the most references first, and so the most special one that applies. A
//! missing `From<CallError>` is deliberately no condition of that lookup: an activity whose error
//! lacks it must not compile, and not count as one that can't fail.

use std::{fmt, marker::PhantomData, time::Duration};

use super::RetryHint;
use crate::{
    codec::{Persist, Slot, TypeOf},
    error::CallError,
};

/// What the output of an attempt means to the retry policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The call is done.
    Done,
    /// The attempt failed.
    Failed {
        /// For people.
        message: String,
        /// Whether another attempt makes sense.
        retryable: bool,
        /// The delay before the next attempt, in place of the policy's.
        retry_after: Option<Duration>,
    },
}

/// What an activity's error must be made from.
///
/// ```
/// # use durable_macros::activity;
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Declined;
/// impl From<durable_core::CallError> for Declined {
///     fn from(_: durable_core::CallError) -> Self {
///         Declined
///     }
/// }
/// type Outcome = Result<u64, Declined>;
///
/// #[activity(crate = durable_core)]
/// async fn charge(cents: u64) -> Outcome {
///     Ok(cents)
/// }
/// ```
///
/// Without it the activity does not compile, and never counts as one that can't fail:
///
/// ```compile_fail,E0277
/// # use durable_macros::activity;
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Declined;
/// type Outcome = Result<u64, Declined>;
///
/// #[activity(crate = durable_core)]
/// async fn charge(cents: u64) -> Outcome {
///     Ok(cents)
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be the error of an activity: there is no `From<durable::CallError>` for it",
    label = "the error of this activity needs `From<durable::CallError>`",
    note = "a call also ends when its time runs out, it panics or it is cancelled, and the workflow must see that as an error too",
    note = "with thiserror, give `{Self}` a variant `#[error(transparent)] Call(#[from] durable::CallError)`; else write `impl From<durable::CallError> for {Self}`, or return `durable::Error`",
    note = "see docs/errors/activity-error.md"
)]
pub trait FromCallError {
    /// Makes it.
    fn from_call_error(error: CallError) -> Self;
}

#[diagnostic::do_not_recommend]
impl<E: From<CallError>> FromCallError for E {
    fn from_call_error(error: CallError) -> Self {
        error.into()
    }
}

/// The type of an output, without one.
#[derive(Debug)]
pub struct OutputKind<T>(PhantomData<fn() -> T>);

impl<T> OutputKind<T> {
    /// Ready to be asked.
    #[expect(clippy::new_without_default, reason = "only generated code makes one")]
    pub const fn new() -> Self {
        OutputKind(PhantomData)
    }
}

/// The output is a `Result`.
#[derive(Debug)]
pub struct Fallible<T, E>(PhantomData<fn() -> (T, E)>);

/// The output is anything else.
#[derive(Debug)]
pub struct Infallible<T>(PhantomData<fn() -> T>);

/// The special case.
pub trait ReturnsResult<T, E> {
    /// Which it is.
    fn kind(&self) -> Fallible<T, E> {
        Fallible(PhantomData)
    }
}
impl<T, E> ReturnsResult<T, E> for &OutputKind<Result<T, E>> {}

/// The general case.
pub trait ReturnsValue<T> {
    /// Which it is.
    fn kind(&self) -> Infallible<T> {
        Infallible(PhantomData)
    }
}
impl<T> ReturnsValue<T> for OutputKind<T> {}

impl<T, E> Fallible<T, E> {
    /// The error in an output.
    pub fn failure(self, output: &Result<T, E>) -> Option<&E> {
        output.as_ref().err()
    }

    /// The output for a call that ended without one.
    pub fn from_call_error(self, error: CallError) -> Option<Result<T, E>>
    where
        E: FromCallError,
    {
        Some(Err(E::from_call_error(error)))
    }
}

impl<T> Infallible<T> {
    /// There is none.
    pub fn failure(self, _: &T) -> Option<&std::convert::Infallible> {
        None
    }

    /// There is none.
    pub fn from_call_error(self, _: CallError) -> Option<T> {
        None
    }
}

/// What the output of a workflow says: whether it is an `Err`, and what stands for an end without one. No `Err` and nothing, if a function is
/// not there.
#[derive(Debug)]
pub struct Says<O> {
    failed: Option<fn(&O) -> bool>,
    from_call_error: Option<fn(CallError) -> O>,
}

impl<O> Says<O> {
    /// Of an output that has no error.
    pub const fn nothing() -> Self {
        Says { failed: None, from_call_error: None }
    }
}

/// An output that can say that a call ended without one.
pub trait TellsCallError<O> {
    /// What it says.
    fn says(&self) -> Says<O>;
}
impl<T, E: From<CallError>> TellsCallError<Result<T, E>> for &Fallible<T, E> {
    fn says(&self) -> Says<Result<T, E>> {
        Says { failed: Some(Result::is_err), from_call_error: Some(from_call_error) }
    }
}

#[inline(never)]
fn from_call_error<T, E: From<CallError>>(error: CallError) -> Result<T, E> {
    Err(error.into())
}

/// An output that can't: unlike an activity, a workflow need not be one that another waits for.
pub trait HidesCallError<O> {
    /// What it says.
    fn says(&self) -> Says<O>;
}
impl<T, E> HidesCallError<Result<T, E>> for Fallible<T, E> {
    fn says(&self) -> Says<Result<T, E>> {
        Says { failed: Some(Result::is_err), from_call_error: None }
    }
}
impl<T> HidesCallError<T> for Infallible<T> {
    fn says(&self) -> Says<T> {
        Says::nothing()
    }
}

/// How the output of a workflow is stored while its compensations run (it can't be if there is none, and then it may have none), and
/// what it says.
#[derive(Debug)]
pub struct Ended<O> {
    /// How it is stored.
    pub stored: Option<Stored<O>>,
    /// What it says.
    pub says: Says<O>,
}

impl<O> Ended<O> {
    /// Whether this output says that the workflow failed.
    pub(crate) fn failed(&self, output: &O) -> bool {
        self.says.failed.is_some_and(|failed| failed(output))
    }

    /// The output for whoever waits for a workflow that ended without one. There is none if its error can't be made from a
    /// `CallError`, or it has no error.
    pub(crate) fn for_call_error(&self, error: CallError) -> Option<O> {
        self.says.from_call_error.map(|from_call_error| from_call_error(error))
    }
}

/// How an output is stored.
#[derive(Debug)]
pub struct Stored<T> {
    pub(crate) of: &'static TypeOf,
    pub(crate) slot: fn(&mut Option<T>) -> &mut dyn Slot,
}

/// An output that can be stored.
pub trait StoresOutput<T> {
    /// How.
    fn stored(&self) -> Option<Stored<T>>;
}
impl<T: Persist> StoresOutput<T> for &OutputKind<T> {
    fn stored(&self) -> Option<Stored<T>> {
        Some(Stored { of: TypeOf::of::<T>(), slot: |slot| slot })
    }
}

/// An output that can't: a workflow that is only called by others gives what it likes.
pub trait LosesOutput<T> {
    /// There is no way.
    fn stored(&self) -> Option<Stored<T>> {
        None
    }
}
impl<T> LosesOutput<T> for OutputKind<T> {}

/// An output that can be matched by `no_retry`.
#[diagnostic::on_unimplemented(
    message = "`no_retry` is a pattern over the error of an activity, but this one returns `{Self}`",
    label = "there is no error to match",
    note = "leave `no_retry` out, or return a `Result`",
    note = "see docs/errors/activity-option.md"
)]
pub trait HasError<E> {
    /// The error in this output.
    fn error(&self) -> Option<&E>;
}

impl<T, E> HasError<E> for Result<T, E> {
    fn error(&self) -> Option<&E> {
        self.as_ref().err()
    }
}

/// The error of an output, for `no_retry`.
pub fn fallible<E, O: HasError<E>>(output: &O) -> Option<&E> {
    output.error()
}

/// An error that is asked what it can do.
#[derive(Debug)]
pub struct Probe<'a, E: ?Sized>(pub &'a E);

/// It has a [`RetryHint`].
pub trait HasHint {
    /// Whether it is retryable, and after what delay.
    fn hint(&self) -> (bool, Option<Duration>);
}
impl<E: RetryHint> HasHint for &Probe<'_, E> {
    fn hint(&self) -> (bool, Option<Duration>) {
        (self.0.is_retryable(), self.0.retry_after())
    }
}

/// It has none.
pub trait HasNoHint {
    /// Whether it is retryable, and after what delay.
    fn hint(&self) -> (bool, Option<Duration>) {
        (true, None)
    }
}
impl<E> HasNoHint for Probe<'_, E> {}

/// It can be shown to people.
pub trait ShowsDisplay {
    /// What is shown.
    fn message(&self) -> String;
}
impl<E: fmt::Display> ShowsDisplay for &&Probe<'_, E> {
    /// With `{:#}`, which is the whole chain of a `durable::Error`.
    fn message(&self) -> String {
        format!("{:#}", self.0)
    }
}

/// It can be shown to programmers.
pub trait ShowsDebug {
    /// What is shown.
    fn message(&self) -> String;
}
impl<E: fmt::Debug> ShowsDebug for &Probe<'_, E> {
    fn message(&self) -> String {
        format!("{:?}", self.0)
    }
}

/// It can't be shown.
pub trait ShowsNothing {
    /// What is shown.
    fn message(&self) -> String;
}
impl<E> ShowsNothing for Probe<'_, E> {
    fn message(&self) -> String {
        std::any::type_name::<E>().to_owned()
    }
}
