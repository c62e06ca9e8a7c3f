//! Reading records of which it is not known that this engine wrote them: nesting must not use up the stack.

use std::cell::Cell;

use serde::{Deserialize, Deserializer, de::Error as _};

/// The most levels of what contains itself. Waits are nested about as deep as workflows call each other, which has a limit too.
const MOST_LEVELS: u32 = 400;

thread_local! {
    /// How many levels are left; nothing where all are.
    static LEFT: Cell<Option<u32>> = const { Cell::new(None) };
}

/// Reads something with a limit of nesting.
pub(crate) fn bounded_depth<T>(read: impl FnOnce() -> T) -> T {
    let before = LEFT.replace(Some(MOST_LEVELS));
    let read = read();
    LEFT.set(before);
    read
}

/// A part of what contains itself.
pub(super) fn deeper<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let left = LEFT.get();
    if left == Some(0) {
        return Err(D::Error::custom("it is nested too deep"));
    }
    LEFT.set(left.map(|left| left - 1));
    let read = T::deserialize(deserializer);
    LEFT.set(left);
    read
}
