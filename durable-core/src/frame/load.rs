//! Variables as the generated code names them: loaded as tuples, saved as trait objects.
//!
//! All that is asked of a variable's type is asked once, by [`storable`], at the user's binding: a type that can't be stored
//! is one error there, however many resume points it crosses.

use crate::codec::{Emit, Persist, TypeOf};

use super::Frame;

/// What can be kept in a snapshot: a [`Persist`] type, in the words of a user whose variable is none.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be kept in a snapshot",
    label = "this is still needed after the workflow was suspended, so it must be stored",
    note = "if the type is yours: `#[derive(serde::Serialize, serde::Deserialize)]`",
    note = "if it borrows: keep an owned copy (`.clone()`, `.to_owned()`, `.to_string()`)",
    note = "if it is a connection, a lock or a handle: use it inside an `#[activity]`, which gets it as `State<T>`"
)]
pub trait Keep: Persist {}

#[diagnostic::do_not_recommend]
impl<T: Persist> Keep for T {}

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

/// The proof for a variable; generated code calls it with the span of the user's binding.
pub fn storable<T: Keep>() -> Storable<T> {
    Storable { of: TypeOf::of::<T>(), load: load_one, emit: |value| value }
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
    message = "`{Self}` can't be kept in a snapshot",
    label = "this borrows and is still needed after the workflow was suspended, so it must be stored",
    note = "keep an owned copy: a `String` (`.to_string()`, `.to_owned()`), or a `Vec` of them",
    note = "a `&'static str` is kept without that where it is seen to be a literal: `let text = \"..\";`, or an `if` or `match` between literals"
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
