//! What is nearly always empty, and then takes up a word and no memory of its own.
//!
//! A step moves what it has come to from hand to hand. Most of what a transition *can* have it does not have: in place it would be copied
//! and dropped all the same, each time.

use std::ops::{Deref, DerefMut};

/// A value that is nearly always its type's [`EMPTY`](Empty::EMPTY). It takes memory when it is first changed.
#[derive(Clone, Debug)]
pub(crate) struct Seldom<T>(Option<Box<T>>);

/// A type with a value that stands for nothing.
pub(crate) trait Empty: Default + 'static {
    const EMPTY: &'static Self;
}

impl<T> Seldom<T> {
    /// The value, to be changed, if there may be something in it.
    pub(crate) fn touched(&mut self) -> Option<&mut T> {
        self.0.as_deref_mut()
    }

    /// Takes the value out, if there may be something in it.
    pub(crate) fn take(&mut self) -> Option<Box<T>> {
        self.0.take()
    }
}

impl<T> Default for Seldom<T> {
    fn default() -> Self {
        Seldom(None)
    }
}

impl<T: Empty> From<T> for Seldom<T> {
    fn from(value: T) -> Self {
        Seldom(Some(Box::new(value)))
    }
}

impl<T: Empty> Deref for Seldom<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_deref().unwrap_or(T::EMPTY)
    }
}

impl<T: Empty> DerefMut for Seldom<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.get_or_insert_default()
    }
}

impl<T: Empty + PartialEq> PartialEq for Seldom<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Empty for Vec<u8> {
        const EMPTY: &'static Self = &Vec::new();
    }

    #[test]
    fn it_is_empty_until_it_is_changed_and_one_that_is_empty_again_is_like_one_that_always_was() {
        let mut seldom = Seldom::<Vec<u8>>::default();
        assert!(seldom.is_empty() && seldom.touched().is_none());
        seldom.push(1);
        assert_eq!(**seldom.touched().unwrap(), [1]);
        seldom.clear();
        assert_eq!(seldom, Seldom::default());
        assert_eq!(seldom.take().as_deref(), Some(&vec![]));
        assert!(seldom.take().is_none());
    }
}
