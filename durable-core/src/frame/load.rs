//! Variables as the generated code names them: loaded as tuples, saved as trait objects.

use crate::codec::{Codec, EncodeError, LayoutId, Persist};

use super::Frame;

/// A tuple of variables that is loaded at once.
pub trait Load: Sized {
    #[doc(hidden)]
    fn load(frame: &mut Frame<'_>) -> Option<Self>;
}

macro_rules! load_tuples {
    ($($name:ident)*) => { load_tuples!(@ [] $($name)*); };
    (@ [$($done:ident)*] $next:ident $($rest:ident)*) => {
        impl<$($done: Persist,)* $next: Persist> Load for ($($done,)* $next,) {
            fn load(frame: &mut Frame<'_>) -> Option<Self> {
                Some(($(frame.load_one::<$done>()?,)* frame.load_one::<$next>()?,))
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

impl<T: Persist> Var for T {
    fn encode(&self, codec: &Codec, out: &mut Vec<u8>) -> Result<LayoutId, EncodeError> {
        codec.encode_into(self, out)
    }
}

/// A variable that is kept over a resume point.
pub fn var<T: Persist>(value: &T) -> &dyn Var {
    value
}
