//! Variables as the generated code names them: loaded as tuples, saved as trait objects.

use crate::codec::{Codec, EncodeError, LayoutId, Persist};

use super::Frame;

/// A tuple of variables that is loaded at once.
#[diagnostic::on_unimplemented(
    message = "a variable of this workflow can't be kept in a snapshot",
    label = "the other error says which"
)]
pub trait Load: Sized {
    #[doc(hidden)]
    fn load(frame: &mut Frame<'_>) -> Option<Self>;
}

macro_rules! load_tuples {
    ($($name:ident)*) => { load_tuples!(@ [] $($name)*); };
    (@ [$($done:ident)*] $next:ident $($rest:ident)*) => {
        #[diagnostic::do_not_recommend]
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
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be kept in a snapshot",
    label = "this is still needed after the workflow was suspended, so it must be stored",
    note = "if the type is yours: `#[derive(serde::Serialize, serde::Deserialize)]`",
    note = "if it borrows: keep an owned copy (`.clone()`, `.to_owned()`, `.to_string()`)",
    note = "if it is a connection, a lock or a handle: use it inside an `#[activity]`, which gets it as `State<T>`"
)]
pub trait Var {
    #[doc(hidden)]
    fn encode(&self, codec: &Codec, out: &mut Vec<u8>) -> Result<LayoutId, EncodeError>;
}

#[diagnostic::do_not_recommend]
impl<T: Persist> Var for T {
    fn encode(&self, codec: &Codec, out: &mut Vec<u8>) -> Result<LayoutId, EncodeError> {
        codec.encode_into(self, out)
    }
}

/// A variable that is kept over a resume point.
pub fn var<T: Persist>(value: &T) -> &dyn Var {
    value
}
