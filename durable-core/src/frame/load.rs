//! Variables as the generated code names them: loaded as tuples, saved as trait objects.
//!
//! All that is asked of a variable's type is asked once, by a function of `kept`, at the user's binding: a type that can't be stored
//! is one error there, however many resume points it crosses.

use crate::codec::{Emit, Persist, TypeOf};

use super::Frame;

/// The proof that a variable can be stored, and how.
#[derive(Debug)]
pub struct Storable<T> {
    of: &'static TypeOf,
    load: fn(&mut Frame<'_>) -> Option<T>,
    emit: fn(&T) -> &dyn Emit,
}

impl<T> Clone for Storable<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Storable<T> {}

impl<T: Persist> Storable<T> {
    pub(super) fn new() -> Self {
        Storable { of: TypeOf::of::<T>(), load: load_one, emit: |value| value }
    }
}

fn load_one<T: Persist>(frame: &mut Frame<'_>) -> Option<T> {
    let mut slot = None;
    frame.load_one(TypeOf::of::<T>(), &mut slot);
    slot
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

/// Proofs for a tuple of variables, which is loaded at once.
pub trait Load {
    /// The variables.
    type Values;
    #[doc(hidden)]
    fn load(self, frame: &mut Frame<'_>) -> Option<Self::Values>;
}

macro_rules! load_tuples {
    ($($name:ident)*) => { load_tuples!(@ [] $($name)*); };
    (@ [$($done:ident)*] $next:ident $($rest:ident)*) => {
        #[allow(non_snake_case)]
        impl<$($done,)* $next> Load for ($(Storable<$done>,)* Storable<$next>,) {
            type Values = ($($done,)* $next,);
            fn load(self, frame: &mut Frame<'_>) -> Option<Self::Values> {
                let ($($done,)* $next,) = self;
                Some(($(($done.load)(frame)?,)* ($next.load)(frame)?,))
            }
        }
        load_tuples!(@ [$($done)* $next] $($rest)*);
    };
    (@ [$($done:ident)*]) => {};
}
load_tuples!(A B C D E F G H);

/// A variable to be saved.
///
/// A trait object, so that saving costs code per type and not per resume point.
pub trait Var {
    #[doc(hidden)]
    fn parts(&self) -> (&'static TypeOf, &dyn Emit);
}

impl<T> Var for (Storable<T>, &T) {
    fn parts(&self) -> (&'static TypeOf, &dyn Emit) {
        (self.0.of, (self.0.emit)(self.1))
    }
}
