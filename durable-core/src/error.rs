//! The errors that a workflow sees and stores.
//!
//! [`CallError`] is how a call ends without a value of the called function: the time ran out, the
//! attempt panicked, somebody cancelled. [`Error`] is the error type for those who need no type of
//! their own: to serializable errors what `anyhow::Error` is to errors.
//!
//! An [`Error`] crosses a crash, so it holds no live error, only the messages of the whole chain
//! and what the retry policy has to know. Deliberately absent: downcasts and backtraces.

use std::{error::Error as StdError, fmt, time::Duration};

use serde::{Deserialize, Serialize};

use crate::activity::RetryHint;

/// A `Result` whose error is an [`Error`] unless it is given another, as `anyhow::Result` is.
///
/// ```
/// fn half(n: u64) -> durable_core::Result<u64> {
///     durable_core::ensure!(n.is_multiple_of(2), "{n} is odd");
///     Ok(n / 2)
/// }
/// assert_eq!(half(3).unwrap_err().to_string(), "3 is odd");
/// ```
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// How a call ended when the called function gave no value.
///
/// The error type of an activity is made from it: write `impl From<CallError>` for yours, give it
/// a variant (`Call(#[from] durable::CallError)` with `thiserror`), or use [`Error`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// A time-out passed.
    #[error("timed out: {what} of {after:?} passed")]
    TimedOut {
        /// Which one.
        what: Timeout,
        /// Its length.
        after: Duration,
    },
    /// The attempt was silent for longer than its `heartbeat`.
    #[error("heartbeat lost: silent for longer than {after:?}")]
    HeartbeatLost {
        /// The longest silence allowed.
        after: Duration,
    },
    /// The called function panicked.
    #[error("panicked: {message}")]
    Panicked {
        /// What it panicked with.
        message: String,
    },
    /// The call was cancelled.
    #[error("cancelled: {reason}")]
    Cancelled {
        /// What whoever cancelled it gave as the reason.
        reason: String,
    },
    /// The child instance was terminated.
    #[error("terminated: {reason}")]
    Terminated {
        /// What whoever terminated it gave as the reason.
        reason: String,
    },
    /// The child instance was still running when its deadline passed.
    #[error("the deadline of the instance passed")]
    DeadlineExceeded,
    /// Another instance already has the id of the child.
    #[error("the id `{id}` is in use by another instance: give the child an id of its own")]
    IdInUse {
        /// The id.
        id: String,
    },
    /// The id of the child is empty or too long.
    #[error("an id has 1 to {max} bytes, and the one of the child has {len}", max = crate::MAX_ID_BYTES)]
    BadId {
        /// How long it is.
        len: usize,
    },
    /// There is no instance of this id to wait for.
    #[error("there is no instance `{id}` to wait for")]
    NotFound {
        /// The id.
        id: String,
    },
}

/// A time-out of an activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Timeout {
    /// The time of one attempt.
    StartToClose,
    /// The time of all attempts together, and of the waiting between them.
    ScheduleToClose,
}

impl fmt::Display for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Timeout::StartToClose => "start-to-close",
            Timeout::ScheduleToClose => "schedule-to-close",
        })
    }
}

/// An error that can be stored: a chain of messages, and what the retry policy has to know.
///
/// Every `std::error::Error` becomes one by `?`, with its sources. It does not implement
/// `std::error::Error` itself (as in `anyhow`, that is what makes the conversion possible).
///
/// ```
/// use durable_core::{Error, ErrorContext};
///
/// fn port(text: &str) -> Result<u16, Error> {
///     text.parse().with_context(|| format!("`{text}` is not a port"))
/// }
///
/// let error = port("http").unwrap_err();
/// assert_eq!(error.to_string(), "`http` is not a port");
/// assert_eq!(format!("{error:#}"), "`http` is not a port: invalid digit found in string");
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Error {
    // Boxed: a `Result` of it stays small.
    stored: Box<Stored>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename = "Error")]
struct Stored {
    /// The newest message first. Never empty.
    chain: Vec<String>,
    call: Option<CallError>,
    retryable: bool,
    retry_after: Option<Duration>,
}

impl Error {
    /// An error with this message.
    pub fn msg(message: impl fmt::Display) -> Self {
        Error::from_chain(vec![message.to_string()], None)
    }

    fn from_chain(chain: Vec<String>, call: Option<CallError>) -> Self {
        Error { stored: Box::new(Stored { chain, call, retryable: true, retry_after: None }) }
    }

    /// Puts a message in front of the chain.
    #[must_use]
    pub fn context(mut self, context: impl fmt::Display) -> Self {
        self.stored.chain.insert(0, context.to_string());
        self
    }

    /// Says that another attempt would fail too: the activity is not retried.
    #[must_use]
    pub fn non_retryable(mut self) -> Self {
        self.stored.retryable = false;
        self
    }

    /// Sets the delay before the next attempt, in place of the one of the retry policy.
    #[must_use]
    pub fn retry_after(mut self, delay: Duration) -> Self {
        self.stored.retry_after = Some(delay);
        self
    }

    /// Whether another attempt makes sense. Default: it does.
    pub fn is_retryable(&self) -> bool {
        self.stored.retryable
    }

    /// The messages, the newest first.
    pub fn chain(&self) -> impl ExactSizeIterator<Item = &str> {
        self.stored.chain.iter().map(String::as_str)
    }

    /// The oldest message: where it began.
    pub fn root_cause(&self) -> &str {
        self.stored.chain.last().map_or("", String::as_str)
    }

    /// How the call ended, when this error came from a call that gave no value of its own.
    pub fn call_error(&self) -> Option<&CallError> {
        self.stored.call.as_ref()
    }
}

impl<E: StdError + 'static> From<E> for Error {
    fn from(error: E) -> Self {
        let mut chain = Vec::new();
        let mut call = None;
        let mut next: Option<&(dyn StdError + 'static)> = Some(&error);
        while let Some(link) = next {
            let message = link.to_string();
            // A transparent error repeats its source word for word.
            if chain.last() != Some(&message) {
                chain.push(message);
            }
            call = call.or_else(|| link.downcast_ref::<CallError>().cloned());
            next = link.source();
        }
        Error::from_chain(chain, call)
    }
}

impl RetryHint for Error {
    fn is_retryable(&self) -> bool {
        self.stored.retryable
    }

    fn retry_after(&self) -> Option<Duration> {
        self.stored.retry_after
    }
}

impl fmt::Display for Error {
    /// The newest message; with `{:#}` the whole chain.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut chain = self.chain();
        f.write_str(chain.next().unwrap_or_default())?;
        if f.alternate() {
            chain.try_for_each(|cause| write!(f, ": {cause}"))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    /// For people, because this is what `fn main() -> Result<(), Error>` prints; with `{:#?}` the fields.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            return f
                .debug_struct("Error")
                .field("chain", &self.stored.chain)
                .field("call", &self.stored.call)
                .field("retryable", &self.stored.retryable)
                .field("retry_after", &self.stored.retry_after)
                .finish();
        }
        write!(f, "{self}")?;
        let causes = self.chain().skip(1);
        match causes.len() {
            0 => Ok(()),
            1 => write!(f, "\n\nCaused by:\n    {}", self.root_cause()),
            _ => {
                f.write_str("\n\nCaused by:")?;
                causes.enumerate().try_for_each(|(n, cause)| write!(f, "\n    {n}: {cause}"))
            }
        }
    }
}

/// What an [`Error`] becomes where a `std::error::Error` is wanted.
struct Boxed(Error, Option<Box<Boxed>>);

impl Boxed {
    fn new(error: Error) -> Self {
        let mut rest = error.clone();
        rest.stored.chain.remove(0);
        let source = (!rest.stored.chain.is_empty()).then(|| Box::new(Boxed::new(rest)));
        Boxed(error, source)
    }
}

impl fmt::Display for Boxed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Boxed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl StdError for Boxed {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.1.as_deref().map(|source| source as _)
    }
}

impl From<Error> for Box<dyn StdError + Send + Sync> {
    fn from(error: Error) -> Self {
        Box::new(Boxed::new(error))
    }
}

impl From<Error> for Box<dyn StdError> {
    fn from(error: Error) -> Self {
        Box::new(Boxed::new(error))
    }
}

/// Adds a message to an error, or makes one of a `None`.
pub trait ErrorContext<T>: Sized {
    /// Puts a message in front of the chain.
    fn context(self, context: impl fmt::Display) -> Result<T, Error>;

    /// Puts a message in front of the chain; it is only made when there is an error.
    fn with_context<C: fmt::Display>(self, context: impl FnOnce() -> C) -> Result<T, Error>;
}

impl<T, E: Into<Error>> ErrorContext<T> for Result<T, E> {
    fn context(self, context: impl fmt::Display) -> Result<T, Error> {
        self.map_err(|error| error.into().context(context))
    }

    fn with_context<C: fmt::Display>(self, context: impl FnOnce() -> C) -> Result<T, Error> {
        self.map_err(|error| error.into().context(context()))
    }
}

impl<T> ErrorContext<T> for Option<T> {
    fn context(self, context: impl fmt::Display) -> Result<T, Error> {
        self.ok_or_else(|| Error::msg(context))
    }

    fn with_context<C: fmt::Display>(self, context: impl FnOnce() -> C) -> Result<T, Error> {
        self.ok_or_else(|| Error::msg(context()))
    }
}

/// Makes an [`Error`] from a format string, or from a value: an error keeps its chain.
#[macro_export]
macro_rules! error {
    ($format:literal $($args:tt)*) => {
        $crate::Error::msg(::std::format_args!($format $($args)*))
    };
    ($error:expr $(,)?) => {
        match $error {
            error => {
                #[allow(unused_imports)]
                use $crate::__private::{AdhocError as _, ChainError as _};
                (&error).durable_error_kind().make(error)
            }
        }
    };
}

/// Returns early with an [`Error`]; takes what [`error!`] takes.
#[macro_export]
macro_rules! bail {
    ($($error:tt)+) => {
        return ::core::result::Result::Err($crate::error!($($error)+))
    };
}

/// Returns early with an [`Error`] if a condition does not hold.
#[macro_export]
macro_rules! ensure {
    ($condition:expr $(,)?) => {
        if !$condition {
            return ::core::result::Result::Err($crate::Error::msg(::core::concat!(
                "condition failed: `",
                ::core::stringify!($condition),
                "`"
            )));
        }
    };
    ($condition:expr, $($error:tt)+) => {
        if !$condition {
            $crate::bail!($($error)+);
        }
    };
}

/// Behind `error!(value)`: which of the two ways makes an [`Error`] of it, chosen by its type.
pub mod kind {
    use std::fmt::Display;

    use super::Error;

    /// A message.
    #[derive(Debug)]
    pub struct Adhoc;
    /// An error with a chain.
    #[derive(Debug)]
    pub struct Chain;

    /// Taken when [`ChainError`] does not apply: one more reference away.
    pub trait AdhocError: Sized {
        /// The way.
        fn durable_error_kind(&self) -> Adhoc {
            Adhoc
        }
    }
    impl<T: Display> AdhocError for &T {}

    /// What an error or an [`Error`] is.
    pub trait ChainError: Sized {
        /// The way.
        fn durable_error_kind(&self) -> Chain {
            Chain
        }
    }
    impl<T: Into<Error>> ChainError for T {}

    impl Adhoc {
        /// Makes it.
        pub fn make(self, message: impl Display) -> Error {
            Error::msg(message)
        }
    }

    impl Chain {
        /// Makes it.
        pub fn make(self, error: impl Into<Error>) -> Error {
            error.into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("can't reach the bank")]
    struct Unreachable(#[source] std::num::ParseIntError);

    fn unreachable() -> Unreachable {
        Unreachable("x".parse::<u8>().unwrap_err())
    }

    #[test]
    fn question_mark_keeps_the_chain_of_any_error() {
        fn pay() -> Result<(), Error> {
            Err(unreachable())?
        }
        let error = pay().context("order 7").unwrap_err();
        let chain: Vec<&str> = error.chain().collect();
        assert_eq!(chain, ["order 7", "can't reach the bank", "invalid digit found in string"]);
        assert_eq!(error.to_string(), "order 7");
        assert_eq!(format!("{error:#}"), "order 7: can't reach the bank: invalid digit found in string");
        assert_eq!(
            format!("{error:?}"),
            "order 7\n\nCaused by:\n    0: can't reach the bank\n    1: invalid digit found in string"
        );
        assert_eq!(error.root_cause(), "invalid digit found in string");
    }

    #[test]
    fn a_call_error_stays_typed_through_conversion_context_and_storage() {
        #[derive(Debug, thiserror::Error)]
        enum Wrapped {
            #[error("charging")]
            Call(#[from] CallError),
        }
        let call = CallError::TimedOut { what: Timeout::StartToClose, after: Duration::from_secs(30) };
        for error in [Error::from(call.clone()), Error::from(Wrapped::from(call.clone()))] {
            let error = error.context("order 7").retry_after(Duration::from_millis(1500));
            let bytes = postcard::to_stdvec(&error).unwrap();
            let read: Error = postcard::from_bytes(&bytes).unwrap();
            assert_eq!(read, error);
            assert_eq!(read.call_error(), Some(&call));
            assert_eq!(RetryHint::retry_after(&read), Some(Duration::from_millis(1500)));
        }
        assert_eq!(call.to_string(), "timed out: start-to-close of 30s passed");
    }

    #[test]
    fn the_macros_take_formats_messages_and_errors() {
        fn check(n: u32) -> Result<u32, Error> {
            crate::ensure!(n != 1);
            crate::ensure!(n != 2, "{n} is two, not {}", 3);
            if n == 3 {
                crate::bail!(unreachable());
            }
            if n == 4 {
                crate::bail!(String::from("four"));
            }
            crate::ensure!(n != 5, unreachable());
            Ok(n)
        }
        assert_eq!(check(0), Ok(0));
        assert_eq!(check(1).unwrap_err().to_string(), "condition failed: `n != 1`");
        assert_eq!(check(2).unwrap_err().to_string(), "2 is two, not 3");
        assert_eq!(check(3).unwrap_err().chain().len(), 2);
        assert_eq!(check(4).unwrap_err().to_string(), "four");
        assert_eq!(check(5).unwrap_err().chain().len(), 2);
        assert_eq!(crate::error!(Error::msg("kept").non_retryable()), Error::msg("kept").non_retryable());
    }

    #[test]
    fn none_becomes_an_error_and_context_is_only_made_for_one() {
        let none: Option<u8> = None;
        assert_eq!(none.context("no stock").unwrap_err().to_string(), "no stock");
        assert_eq!(Some(3).with_context(|| -> String { unreachable!() }).unwrap(), 3);
        let error = Err::<u8, _>(Error::msg("a").non_retryable()).context("b").unwrap_err();
        assert!(!error.is_retryable());
    }

    #[test]
    fn as_a_boxed_error_it_has_its_sources() {
        let boxed: Box<dyn StdError + Send + Sync> = Error::msg("inner").context("outer").into();
        assert_eq!(boxed.to_string(), "outer");
        assert_eq!(boxed.source().map(ToString::to_string).as_deref(), Some("inner"));
    }
}
