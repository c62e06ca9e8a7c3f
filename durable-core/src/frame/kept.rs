//! What is asked of a type that is stored, in the words of a user whose type can't be.
//!
//! Each function proves that a variable can be stored. They differ in nothing but what rustc says if it can't: the compiler chooses one by
//! how the variable is initialised (`.lock()`, `Instant::now()`, a closure), and a wrong guess refuses nothing, because each trait
//! is implemented for every [`Persist`] type. One without a special look is asked by [`storable`].
//!
//! Deliberately absent: any behaviour.

use super::load::Storable;
use crate::codec::Persist;

/// A trait that every storable type has, its message, and the function that asks for it.
macro_rules! kept {
    ($($name:ident by $function:ident: $message:literal, $label:literal, $($note:literal),*;)*) => {$(
        #[doc = concat!("What is asked for by [`", stringify!($function), "`].")]
        #[diagnostic::on_unimplemented(message = $message, label = $label, $(note = $note),*)]
        pub trait $name: Persist {}

        #[diagnostic::do_not_recommend]
        impl<T: Persist> $name for T {}

        #[doc = concat!("Asks for [`", stringify!($name), "`].")]
        pub fn $function<T: $name>() -> Storable<T> {
            Storable::new()
        }
    )*};
}

kept! {
    Keep by storable: "`{Self}` can't be kept over an await, because it can't be stored", "still needed after an await, so it has to be stored",
        "if the type is yours: `#[derive(serde::Serialize, serde::Deserialize)]`",
        "if it borrows, or is a guard, an iterator or a closure: take out of it what you need before the await (`.clone()`, `.collect::<Vec<_>>()`, a call), and keep that",
        "if it is a client, a connection, a file or a channel: use it inside an `#[activity]`, which gets it as `State<T>`",
        "if it is an error such as `anyhow::Error`: keep a `durable::Error`, or `error.to_string()`",
        "see docs/errors/not-storable.md";
    KeepLockGuard by storable_guard: "a lock guard (`{Self}`) can't be kept over an await", "still needed after an await, so it has to be stored",
        "the lock is released when the process stops, and an await may take days: copy out what you need in a block of its own, `let value = {{ let guard = ..; guard.clone() }};`, and await behind it",
        "what is to be locked while something else runs belongs into one `#[activity]`",
        "see docs/errors/lock-guard.md";
    KeepRefCellBorrow by storable_ref: "a borrow of a `RefCell` (`{Self}`) can't be kept over an await", "still needed after an await, so it has to be stored",
        "copy out what you need in a block of its own, `let value = {{ cell.borrow().clone() }};`, or keep the value itself in a `let mut`: a workflow shares it with nobody",
        "see docs/errors/refcell-borrow.md";
    KeepInstant by storable_instant: "an `Instant` can't be kept over an await: it means nothing after a restart", "still needed after an await, so it has to be stored",
        "take `std::time::SystemTime::now()` and keep that; for a deadline, `sleep_until` takes one",
        "see docs/errors/instant.md";
    KeepDyn by storable_dyn: "a trait object (`{Self}`) can't be kept over an await: what is stored has one known type", "still needed after an await, so it has to be stored",
        "make an enum of the types that it can be, with `#[derive(serde::Serialize, serde::Deserialize)]`, and call the trait's methods on that",
        "see docs/errors/dyn-value.md";
    KeepHandle by storable_handle: "an open file or connection (`{Self}`) can't be kept over an await: it is closed when the process stops", "still needed after an await, so it has to be stored",
        "keep its path or address, and open it where it is used: inside one `#[activity]`",
        "see docs/errors/file-handle.md";
    KeepChannel by storable_channel: "an end of a channel (`{Self}`) can't be kept over an await: the channel is gone when the process stops", "still needed after an await, so it has to be stored",
        "let an `#[activity]` that has the channel as `State<T>` send or receive, and await its call",
        "see docs/errors/channel.md";
    KeepClosure by storable_closure: "a closure can't be kept over an await: code can't be stored", "still needed after an await, so it has to be stored",
        "make it a `fn`, or write the closure again behind the await; what it captures is kept by itself",
        "see docs/errors/closure.md";
    KeepIterator by storable_iterator: "an iterator (`{Self}`) can't be kept over an await: it borrows, or holds a closure", "still needed after an await, so it has to be stored",
        "collect it first: `.collect::<Vec<_>>()`; a `for` loop over a `Vec` may await in its body",
        "see docs/errors/iterator.md";
    KeepFuture by storable_future: "a future (`{Self}`) can't be kept over an await: only what is durable can be stored", "still needed after an await, so it has to be stored",
        "call it where it is awaited, from inside an `#[activity]`",
        "see docs/errors/future-kept.md";
    KeepPointer by storable_pointer: "a raw pointer (`{Self}`) can't be kept over an await: it points nowhere after a restart", "still needed after an await, so it has to be stored",
        "keep the value itself, or an index into a collection that you keep",
        "see docs/errors/raw-pointer.md";
    KeepJoinHandle by storable_join_handle: "the handle of a thread or task (`{Self}`) can't be kept over an await: the thread is gone when the process stops", "still needed after an await, so it has to be stored",
        "do the work in an `#[activity]`, and await its call",
        "see docs/errors/join-handle.md";
    KeepError by storable_error: "an error without a type of its own (`{Self}`) can't be kept over an await", "still needed after an await, so it has to be stored",
        "keep a `durable::Error`, which holds the messages of the whole chain and can be stored: `durable::Error::from(error)`, `?` and `.context(..)` make one",
        "see docs/errors/any-error.md";
}

/// What a workflow can be called with.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be an argument of a workflow, because it can't be stored",
    label = "the arguments of a workflow are stored",
    note = "if the type is yours: `#[derive(serde::Serialize, serde::Deserialize)]`",
    note = "if it is a client, a connection, a channel or shared state: let the activities that need it take it as `State<T>`",
    note = "see docs/errors/not-storable.md"
)]
pub trait Argument: Persist {}

#[diagnostic::do_not_recommend]
impl<T: Persist> Argument for T {}

/// Asks for [`Argument`]; evaluated in the type of the arguments.
pub const fn argument<T: Argument>() -> usize {
    0
}

/// What a workflow can return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be the result of a workflow, because it can't be stored",
    label = "the result of a workflow is stored",
    note = "if the type is yours: `#[derive(serde::Serialize, serde::Deserialize)]`",
    note = "if its error is `anyhow::Error` or `Box<dyn Error>`: return `durable::Error`, which `?` makes of either's sources",
    note = "see docs/errors/not-storable.md"
)]
pub trait Outcome: Persist {}

#[diagnostic::do_not_recommend]
impl<T: Persist> Outcome for T {}

/// Asks for [`Outcome`].
pub const fn outcome<T: Outcome>() -> usize {
    0
}

/// What a workflow can return, if its error looks like one without a type of its own.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be the result of a workflow: its error can't be stored",
    label = "the result of a workflow is stored",
    note = "return `durable::Error` in its place: `?`, `bail!`, `ensure!` and `.context(..)` work with it as with `anyhow::Error`",
    note = "see docs/errors/any-error.md"
)]
pub trait OutcomeError: Persist {}

#[diagnostic::do_not_recommend]
impl<T: Persist> OutcomeError for T {}

/// Asks for [`OutcomeError`].
pub const fn outcome_error<T: OutcomeError>() -> usize {
    0
}

/// What an activity can be called with.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be an argument of an activity, because it can't be stored",
    label = "the arguments of a call are stored",
    note = "if the type is yours: `#[derive(serde::Serialize, serde::Deserialize)]`",
    note = "if it is a client, a connection or a pool: take it as `State<T>`, and give it to the engine with `.state(..)`",
    note = "see docs/errors/activity-argument.md"
)]
pub trait ActivityArgument: Persist + Send {}

#[diagnostic::do_not_recommend]
impl<T: Persist + Send> ActivityArgument for T {}

/// Asks for [`ActivityArgument`].
pub const fn activity_argument<T: ActivityArgument>() -> usize {
    0
}

/// What an activity can return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be the result of an activity, because it can't be stored",
    label = "the result of a call is stored",
    note = "if the type is yours: `#[derive(serde::Serialize, serde::Deserialize)]`",
    note = "if its error is `anyhow::Error` or `Box<dyn Error>`: return `durable::Error`; `?`, `bail!` and `.context(..)` work with it",
    note = "if it is a client or a connection: give it to the engine with `.state(..)`, and take it as `State<T>` where it is used",
    note = "see docs/errors/activity-result.md"
)]
pub trait ActivityResult: Persist + Send {}

#[diagnostic::do_not_recommend]
impl<T: Persist + Send> ActivityResult for T {}

/// Asks for [`ActivityResult`].
pub const fn activity_result<T: ActivityResult>() -> usize {
    0
}

/// A type again, computed from a constant: if the constant does not compile, the type is an error about which rustc says nothing more.
pub trait Checked<const CHECK: usize> {
    /// It.
    type Same: ?Sized;
}

impl<T: ?Sized, const CHECK: usize> Checked<CHECK> for T {
    type Same = T;
}
