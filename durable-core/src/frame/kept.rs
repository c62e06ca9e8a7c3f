//! What is asked of a type that is stored, in the words of a user whose type can't be.
//!
//! Each function proves that a variable can be stored. They differ in nothing but what rustc says if it can't: the compiler chooses one by
//! how the variable is initialised (`.lock()`, `Instant::now()`, a closure), and a wrong guess refuses nothing, because each trait
//! is implemented for every [`Persist`] type. One without a special look is asked by [`storable`].
//!
//! Deliberately absent: any behaviour.

#![allow(improper_ctypes_definitions, reason = "as for `Storable`")]

use super::{Frame, load::Storable};
use crate::codec::Persist;

/// What is asked for by [`storable`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be kept over an await, because it can't be stored",
    label = "still needed after an await, so it has to be stored",
    note = "if the type is yours: `#[derive(serde::Serialize, serde::Deserialize)]`",
    note = "if it is a reference, or borrows, or is a guard, an iterator or a closure: take out of it what you need before the await (`.clone()`, `.to_owned()`, `.collect::<Vec<_>>()`, a call), and keep that",
    note = "if it is a client, a connection, a file or a channel: use it inside an `#[activity]`, which gets it as `State<T>`",
    note = "if it is an error such as `anyhow::Error`: keep a `durable::Error`, or `error.to_string()`",
    note = "see docs/errors/not-storable.md"
)]
pub trait Keep: Persist {}

#[diagnostic::do_not_recommend]
impl<T: Persist> Keep for T {}

/// Asks for [`Keep`].
#[inline(never)]
pub extern "C" fn storable<T: Keep>(frame: &mut Frame<'_>) -> Storable<T> {
    Storable::new(frame)
}

/// What is asked for by [`storable_guard`].
#[diagnostic::on_unimplemented(
    message = "a lock guard (`{Self}`) can't be kept over an await",
    label = "still needed after an await, so it has to be stored",
    note = "the lock is released when the process stops, and an await may take days: copy out what you need in a block of its own, `let value = {{ let guard = ..; guard.clone() }};`, and await behind it",
    note = "what is to be locked while something else runs belongs into one `#[activity]`",
    note = "see docs/errors/lock-guard.md"
)]
pub trait KeepLockGuard: Persist {}

#[diagnostic::do_not_recommend]
impl<T: Persist> KeepLockGuard for T {}

/// Asks for [`KeepLockGuard`].
pub extern "C" fn storable_guard<T: KeepLockGuard>(frame: &mut Frame<'_>) -> Storable<T> {
    Storable::new(frame)
}

/// What is asked for by [`storable_ref`].
#[diagnostic::on_unimplemented(
    message = "a borrow of a `RefCell` (`{Self}`) can't be kept over an await",
    label = "still needed after an await, so it has to be stored",
    note = "copy out what you need in a block of its own, `let value = {{ cell.borrow().clone() }};`, or keep the value itself in a `let mut`: a workflow shares it with nobody",
    note = "see docs/errors/refcell-borrow.md"
)]
pub trait KeepRefCellBorrow: Persist {}

#[diagnostic::do_not_recommend]
impl<T: Persist> KeepRefCellBorrow for T {}

/// Asks for [`KeepRefCellBorrow`].
pub extern "C" fn storable_ref<T: KeepRefCellBorrow>(frame: &mut Frame<'_>) -> Storable<T> {
    Storable::new(frame)
}

/// What is asked for by [`storable_instant`].
#[diagnostic::on_unimplemented(
    message = "an `Instant` can't be kept over an await: it means nothing after a restart",
    label = "still needed after an await, so it has to be stored",
    note = "take `std::time::SystemTime::now()` and keep that; for a deadline, `sleep_until` takes one",
    note = "see docs/errors/instant.md"
)]
pub trait KeepInstant: Persist {}

#[diagnostic::do_not_recommend]
impl<T: Persist> KeepInstant for T {}

/// Asks for [`KeepInstant`].
pub extern "C" fn storable_instant<T: KeepInstant>(frame: &mut Frame<'_>) -> Storable<T> {
    Storable::new(frame)
}

/// What is asked for by [`storable_dyn`].
#[diagnostic::on_unimplemented(
    message = "a trait object (`{Self}`) can't be kept over an await: what is stored has one known type",
    label = "still needed after an await, so it has to be stored",
    note = "make an enum of the types that it can be, with `#[derive(serde::Serialize, serde::Deserialize)]`, and call the trait's methods on that",
    note = "see docs/errors/dyn-value.md"
)]
pub trait KeepDyn: Persist {}

#[diagnostic::do_not_recommend]
impl<T: Persist> KeepDyn for T {}

/// Asks for [`KeepDyn`].
pub extern "C" fn storable_dyn<T: KeepDyn>(frame: &mut Frame<'_>) -> Storable<T> {
    Storable::new(frame)
}

/// What is asked for by [`storable_handle`].
#[diagnostic::on_unimplemented(
    message = "an open file or connection (`{Self}`) can't be kept over an await: it is closed when the process stops",
    label = "still needed after an await, so it has to be stored",
    note = "keep its path or address, and open it where it is used: inside one `#[activity]`",
    note = "see docs/errors/file-handle.md"
)]
pub trait KeepHandle: Persist {}

#[diagnostic::do_not_recommend]
impl<T: Persist> KeepHandle for T {}

/// Asks for [`KeepHandle`].
pub extern "C" fn storable_handle<T: KeepHandle>(frame: &mut Frame<'_>) -> Storable<T> {
    Storable::new(frame)
}

/// What is asked for by [`storable_channel`].
#[diagnostic::on_unimplemented(
    message = "an end of a channel (`{Self}`) can't be kept over an await: the channel is gone when the process stops",
    label = "still needed after an await, so it has to be stored",
    note = "let an `#[activity]` that has the channel as `State<T>` send or receive, and await its call",
    note = "see docs/errors/channel.md"
)]
pub trait KeepChannel: Persist {}

#[diagnostic::do_not_recommend]
impl<T: Persist> KeepChannel for T {}

/// Asks for [`KeepChannel`].
pub extern "C" fn storable_channel<T: KeepChannel>(frame: &mut Frame<'_>) -> Storable<T> {
    Storable::new(frame)
}

/// What is asked for by [`storable_closure`].
#[diagnostic::on_unimplemented(
    message = "a closure can't be kept over an await: code can't be stored",
    label = "still needed after an await, so it has to be stored",
    note = "make it a `fn`, or write the closure again behind the await; what it captures is kept by itself",
    note = "see docs/errors/closure.md"
)]
pub trait KeepClosure: Persist {}

#[diagnostic::do_not_recommend]
impl<T: Persist> KeepClosure for T {}

/// Asks for [`KeepClosure`].
pub extern "C" fn storable_closure<T: KeepClosure>(frame: &mut Frame<'_>) -> Storable<T> {
    Storable::new(frame)
}

/// What is asked for by [`storable_iterator`].
#[diagnostic::on_unimplemented(
    message = "an iterator can't be kept over an await: it borrows, or holds a closure",
    label = "still needed after an await, so it has to be stored",
    note = "collect it first: `.collect::<Vec<_>>()`; a `for` loop over a `Vec` may await in its body",
    note = "see docs/errors/iterator.md"
)]
pub trait KeepIterator: Persist {}

#[diagnostic::do_not_recommend]
impl<T: Persist> KeepIterator for T {}

/// Asks for [`KeepIterator`].
pub extern "C" fn storable_iterator<T: KeepIterator>(frame: &mut Frame<'_>) -> Storable<T> {
    Storable::new(frame)
}

/// What is asked for by [`storable_future`].
#[diagnostic::on_unimplemented(
    message = "a future can't be kept over an await: only what is durable can be stored",
    label = "still needed after an await, so it has to be stored",
    note = "call it where it is awaited, from inside an `#[activity]`",
    note = "see docs/errors/future-kept.md"
)]
pub trait KeepFuture: Persist {}

#[diagnostic::do_not_recommend]
impl<T: Persist> KeepFuture for T {}

/// Asks for [`KeepFuture`].
pub extern "C" fn storable_future<T: KeepFuture>(frame: &mut Frame<'_>) -> Storable<T> {
    Storable::new(frame)
}

/// What is asked for by [`storable_pointer`].
#[diagnostic::on_unimplemented(
    message = "a raw pointer (`{Self}`) can't be kept over an await: it points nowhere after a restart",
    label = "still needed after an await, so it has to be stored",
    note = "keep the value itself, or an index into a collection that you keep",
    note = "see docs/errors/raw-pointer.md"
)]
pub trait KeepPointer: Persist {}

#[diagnostic::do_not_recommend]
impl<T: Persist> KeepPointer for T {}

/// Asks for [`KeepPointer`].
pub extern "C" fn storable_pointer<T: KeepPointer>(frame: &mut Frame<'_>) -> Storable<T> {
    Storable::new(frame)
}

/// What is asked for by [`storable_join_handle`].
#[diagnostic::on_unimplemented(
    message = "the handle of a thread or task (`{Self}`) can't be kept over an await: the thread is gone when the process stops",
    label = "still needed after an await, so it has to be stored",
    note = "do the work in an `#[activity]`, and await its call",
    note = "see docs/errors/join-handle.md"
)]
pub trait KeepJoinHandle: Persist {}

#[diagnostic::do_not_recommend]
impl<T: Persist> KeepJoinHandle for T {}

/// Asks for [`KeepJoinHandle`].
pub extern "C" fn storable_join_handle<T: KeepJoinHandle>(frame: &mut Frame<'_>) -> Storable<T> {
    Storable::new(frame)
}

/// What is asked for by [`storable_error`].
#[diagnostic::on_unimplemented(
    message = "an error without a type of its own (`{Self}`) can't be kept over an await",
    label = "still needed after an await, so it has to be stored",
    note = "keep a `durable::Error`, which holds the messages of the whole chain and can be stored: `durable::Error::from(error)`, `?` and `.context(..)` make one",
    note = "see docs/errors/any-error.md"
)]
pub trait KeepError: Persist {}

#[diagnostic::do_not_recommend]
impl<T: Persist> KeepError for T {}

/// Asks for [`KeepError`].
pub extern "C" fn storable_error<T: KeepError>(frame: &mut Frame<'_>) -> Storable<T> {
    Storable::new(frame)
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
