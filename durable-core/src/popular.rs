//! The types that most workflows use, compiled here and not once more in every user's crate.
//!
//! What the library does with a value of a type is compiled in the crate that uses the type: how it is written and read, kept,
//! passed and returned. rustc does not do it again if the same instance is in a crate before, and that crate exports it: in debug
//! builds always, in release builds only if the function is `#[inline(never)]`. Everything that a user's crate names with a type is;
//! the table below asks for the instances.
//!
//! Deliberately absent: everything that is a user's own. It costs what it costs, once per type and not once per use.

use std::{
    future::Future,
    pin::Pin,
    task::Poll,
    time::{Duration, SystemTime},
};

use crate::{
    activity::{PopularCall, PopularEntry},
    codec::{Persist, TypeOf},
    error::Error,
    frame::{Frame, Storable, kept::storable},
    private::poll_pinned,
    registry,
};

/// A type's instances.
#[allow(dead_code, improper_ctypes_definitions, reason = "they are there to be compiled")]
struct Popular<T> {
    of: &'static TypeOf,
    storable: extern "C" fn(&mut Frame<'_>) -> Storable<T>,
    poll: fn(Pin<&mut dyn Future<Output = T>>) -> Poll<T>,
    workflow: registry::Popular<T>,
    activity: PopularEntry<T>,
    call: PopularCall<T>,
}

impl<T: Persist + Send> Popular<T> {
    const fn new() -> Self {
        Popular {
            of: TypeOf::of::<T>(),
            storable: storable::<T>,
            poll: poll_pinned::<T>,
            workflow: registry::Popular::new(),
            activity: PopularEntry::new(),
            call: PopularCall::new(),
        }
    }
}

macro_rules! popular {
    ($($ty:ty),*) => {
        #[allow(dead_code)]
        static POPULAR: ($(Popular<$ty>,)*) = ($(Popular::<$ty>::new(),)*);
    };
}
popular! {
    String, u64, u32, usize, i64, i32, bool, f64, Duration, SystemTime,
    Option<String>, Option<u64>, Vec<String>, Vec<u8>,
    Result<(), Error>, Result<bool, Error>, Result<u64, Error>, Result<String, Error>,
    // Arguments are a tuple.
    (), (String,), (u64,), (u32,), (i64,), (bool,), (Vec<String>,),
    (String, String), (String, u64), (String, u32), (u64, u64), (String, String, u64)
}
