//! Variables as the generated code names them: loaded as tuples, saved as trait objects.
//!
//! All that is asked of a variable's type is asked once, by a function of `kept`, at the user's binding: a type that can't be stored
//! is one error there, however many resume points it crosses.

use crate::codec::{Codec, EncodeError, LayoutId, Persist};

use super::Frame;

/// The proof that a variable can be stored, and how.
#[derive(Debug)]
pub struct Storable<T> {
    load: fn(&mut Frame<'_>) -> Option<T>,
    encode: fn(&T, &Codec, &mut Vec<u8>) -> Result<LayoutId, EncodeError>,
}

impl<T> Clone for Storable<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Storable<T> {}

impl<T: Persist> Storable<T> {
    pub(super) fn new() -> Self {
        Storable { load: |frame| frame.load_one(), encode: |value, codec, out| codec.encode_into(value, out) }
    }
}

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
    fn encode(&self, codec: &Codec, out: &mut Vec<u8>) -> Result<LayoutId, EncodeError>;
}

impl<T> Var for (Storable<T>, &T) {
    fn encode(&self, codec: &Codec, out: &mut Vec<u8>) -> Result<LayoutId, EncodeError> {
        (self.0.encode)(self.1, codec, out)
    }
}
