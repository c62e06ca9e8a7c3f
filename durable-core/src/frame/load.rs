//! Variables as the generated code names them.
//!
//! All that is asked of a variable's type is asked once, by a function of `kept`, at the user's binding: a type that can't be stored
//! is one error there, however many resume points it crosses.

use std::task::Poll;

use super::Frame;
use crate::{
    codec::{Persist, TypeOf},
    future::DurableFuture,
};

/// The proof that a variable can be stored, and how the next variable is loaded, if it is of this type.
///
/// It was read when the proof was asked for, so that a load can't fail. What generated code calls has an ABI that does not unwind: so it is a
/// call, and nothing that rustc has to prove, to branch on or to clean up behind, at each of what may be hundreds of places.
#[derive(Debug)]
#[allow(
    improper_ctypes_definitions,
    reason = "nothing foreign is called; the ABI says that it does not unwind"
)]
pub struct Storable<T>(pub extern "C" fn(&mut Frame<'_>) -> T);

impl<T> Clone for Storable<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Storable<T> {}

impl<T: Persist> Storable<T> {
    /// The frame gets to know the type, so that a variable can be saved as an `&dyn Any`: of all ways to give it away, that is the
    /// least code at each resume point.
    pub(super) fn new(frame: &mut Frame<'_>) -> Self {
        frame.prove(const { TypeOf::of::<T>() });
        Self(load)
    }
}

/// No code of the user's runs here: only a fault of the generated code could panic, and that ends the process.
#[inline(never)]
#[allow(improper_ctypes_definitions, reason = "as for `Storable`")]
extern "C" fn load<T: Persist>(frame: &mut Frame<'_>) -> T {
    let slot = frame.load_next().and_then(|slot| slot.downcast_mut::<Option<T>>());
    let value = slot.and_then(Option::take);
    value.expect("generated code loads what a point saves, in its order, and nothing once a variable could not be read")
}

/// Types of text and bytes, whose references serde reads only from what outlives them: that is no trait bound but a lifetime
/// error, which no message of ours would reach. So these references are asked for by method resolution.
pub trait Text {}
impl Text for str {}
impl Text for [u8] {}
impl Text for std::path::Path {}

/// What a reference to text never is.
#[diagnostic::on_unimplemented(
    message = "a reference to text (`{Self}`) can't be kept over an await",
    label = "still needed after an await, so it has to be stored",
    note = "keep an owned copy: a `String` (`.to_string()`, `.to_owned()`), or a `Vec` of them",
    note = "a `&'static str` is kept without that where it is seen to be a literal: `let text = \"..\";`, or an `if` or `match` between literals",
    note = "see docs/errors/borrow.md"
)]
pub trait Owned {}

macro_rules! is_text {
    ($([$($generics:tt)*] $ty:ty;)*) => {$(
        impl<'a, T: Text + ?Sized, $($generics)*> Storable<$ty> {
            /// Asked of a variable that holds references to text: an error.
            pub fn is_no_text(&self)
            where
                $ty: Owned,
            {
            }
        }
    )*};
}
is_text! {
    [] &'a T;
    [] Option<&'a T>;
    [] Vec<&'a T>;
    [const N: usize] [&'a T; N];
    [U] (&'a T, U);
}

/// Asked of any other variable.
pub trait NoText {
    #[doc(hidden)]
    fn is_no_text(&self) {}
}

impl<T> NoText for Storable<T> {}

impl Frame<'_> {
    /// Polls the future that the workflow awaits at a resume point: this one, or after a resume the one that was stored. What is not ready
    /// is kept for [`save`](Self::save), and so is the point; what can't be read is never ready.
    #[inline(never)]
    #[allow(improper_ctypes_definitions, reason = "as for `Storable`")]
    pub extern "C" fn poll<F: DurableFuture>(&mut self, future: Option<F>, point: u32) -> Poll<F::Output> {
        self.polled = point;
        let (mut future, mut polled) = (future, Poll::Pending);
        self.guard(&mut |frame| polled = frame.poll_awaited(future.take()));
        polled
    }

    fn poll_awaited<F: DurableFuture>(&mut self, future: Option<F>) -> Poll<F::Output> {
        let future = match future {
            Some(future) => Some(future),
            None => F::restore(self),
        };
        let (Some(mut future), Some(mut cx)) = (future, self.context()) else {
            return Poll::Pending;
        };
        let polled = if cx.step.dry.is_some() || cx.step.learning.is_some() {
            future.inspect(&mut cx);
            Poll::Pending
        } else {
            future.poll(&mut cx)
        };
        if polled.is_pending() {
            future.keep(self);
        } else {
            self.receive();
        }
        polled
    }

    /// The future that was awaited, by its type.
    pub(crate) fn restore<F: Persist>(&mut self) -> Option<F> {
        self.restore_as(const { TypeOf::of::<F>() })
    }

    pub(crate) fn restore_as<F: Persist>(&mut self, of: &TypeOf) -> Option<F> {
        let mut slot = None;
        self.load_awaited(of, &mut slot);
        slot
    }
}
