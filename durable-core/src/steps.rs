//! Loops that hold an await: what a `for` may go over.
//!
//! Something owned keeps its rest in the snapshot ([`IntoSteps`]). Something borrowed is resumed by
//! count ([`Ordered`]): the iterator is made again from the same place, which a snapshot keeps, and
//! the items already taken are skipped. That needs an order that survives a restore, which hash
//! maps do not have, and no closures.

use std::{
    array,
    collections::{
        BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque, binary_heap, btree_map,
        btree_set, hash_map, hash_set, linked_list, vec_deque,
    },
    iter::{
        Chain, Cloned, Copied, Cycle, Enumerate, Flatten, Fuse, Once, Peekable, Rev, Skip, StepBy, Take, Zip,
    },
    ops::{Range, RangeFrom, RangeInclusive},
    option,
    path::{Path, PathBuf},
    slice, str, vec,
};

use serde::{Deserialize, Serialize};

use crate::codec::Persist;

/// Something owned that a `for` with an await in its body goes over.
#[diagnostic::on_unimplemented(
    message = "a `for` loop that awaits can't go over `{Self}`",
    label = "the rest of this can't be stored",
    note = "if it is an iterator: collect it first, `.collect::<Vec<_>>()`, after `.cloned()` if it goes over references",
    note = "if its items can't be stored: `#[derive(serde::Serialize, serde::Deserialize)]` if the type is yours, or make them in the loop's body",
    note = "see docs/errors/for-loop.md"
)]
pub trait IntoSteps {
    /// What the loop binds.
    type Item;
    /// The rest, which is part of the snapshot.
    type Steps: Steps<Item = Self::Item>;

    /// Begins.
    fn into_steps(self) -> Self::Steps;
}

/// What is left of a loop.
pub trait Steps: Persist {
    /// What the loop binds.
    type Item;

    /// The next item.
    fn next_step(&mut self) -> Option<Self::Item>;
}

/// The items that are left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rest<T>(VecDeque<T>);

impl<T: Persist> Steps for Rest<T> {
    type Item = T;

    fn next_step(&mut self) -> Option<T> {
        self.0.pop_front()
    }
}

macro_rules! collected {
    ($($(#[$_doc:meta])* [$($generics:tt)*] $from:ty => $item:ty;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<$($generics)*> IntoSteps for $from
        where
            $item: Persist,
        {
            type Item = $item;
            type Steps = Rest<$item>;

            fn into_steps(self) -> Rest<$item> {
                Rest(self.into_iter().collect())
            }
        }
    )*};
}
collected! {
    [T] Vec<T> => T;
    [T] VecDeque<T> => T;
    [T] LinkedList<T> => T;
    [T] BTreeSet<T> => T;
    [T] BinaryHeap<T> => T;
    [T] Option<T> => T;
    [T] Box<[T]> => T;
    [T, const N: usize] [T; N] => T;
    [T, S] HashSet<T, S> => T;
    [K, V] BTreeMap<K, V> => (K, V);
    [K, V, S] HashMap<K, V, S> => (K, V);
}

/// An iterator of the standard library over something owned: it ends, and has no effect, so that it may be collected when its
/// loop begins.
pub trait Eager: Iterator {}

#[diagnostic::do_not_recommend]
impl<I: Eager> IntoSteps for I
where
    I::Item: Persist,
{
    type Item = I::Item;
    type Steps = Rest<I::Item>;

    fn into_steps(self) -> Rest<I::Item> {
        Rest(self.collect())
    }
}

macro_rules! eager {
    ($([$($generics:tt)*] $iter:ty $(where [$($bounds:tt)+])?;)*) => {
        $(impl<$($generics)*> Eager for $iter $(where $($bounds)+)? {})*
    };
}
eager! {
    [T] vec::IntoIter<T>;
    [T, const N: usize] array::IntoIter<T, N>;
    [T] option::IntoIter<T>;
    [T] vec_deque::IntoIter<T>;
    [T] linked_list::IntoIter<T>;
    [T] binary_heap::IntoIter<T>;
    [T] btree_set::IntoIter<T>;
    [T] hash_set::IntoIter<T>;
    [K, V] btree_map::IntoIter<K, V>;
    [K, V] btree_map::IntoKeys<K, V>;
    [K, V] btree_map::IntoValues<K, V>;
    [K, V] hash_map::IntoIter<K, V>;
    [K, V] hash_map::IntoKeys<K, V>;
    [K, V] hash_map::IntoValues<K, V>;
    ['a, T] vec::Drain<'a, T>;
    ['a, T] vec_deque::Drain<'a, T>;
    ['a, T] binary_heap::Drain<'a, T>;
    ['a, T] hash_set::Drain<'a, T>;
    ['a, K, V] hash_map::Drain<'a, K, V>;
    [T] Once<T>;
    [I: Eager] Enumerate<I>;
    [I: Eager] Skip<I>;
    [I: Eager] Take<I>;
    [I: Eager] StepBy<I>;
    [I: Eager] Fuse<I>;
    [I: Eager] Peekable<I>;
    [I: Eager + DoubleEndedIterator] Rev<I>;
    [I: Eager<Item: IntoIterator<IntoIter: Eager>>] Flatten<I>;
    [A: Eager, B: Eager] Zip<A, B>;
    [A: Eager, T] Zip<A, RangeFrom<T>> where [RangeFrom<T>: Iterator];
    [A: Eager, T] Zip<A, Range<T>> where [Range<T>: Iterator];
    [A: Eager, B: Eager<Item = <A as Iterator>::Item>] Chain<A, B>;
}

#[diagnostic::do_not_recommend]
impl<T> IntoSteps for Range<T>
where
    Range<T>: Iterator<Item = T> + Persist,
{
    type Item = T;
    type Steps = Self;

    fn into_steps(self) -> Self {
        self
    }
}

impl<T> Steps for Range<T>
where
    Range<T>: Iterator<Item = T> + Persist,
{
    type Item = T;

    fn next_step(&mut self) -> Option<T> {
        self.next()
    }
}

#[diagnostic::do_not_recommend]
impl<T> IntoSteps for RangeFrom<T>
where
    RangeFrom<T>: Iterator<Item = T> + Persist,
{
    type Item = T;
    type Steps = Self;

    fn into_steps(self) -> Self {
        self
    }
}

impl<T> Steps for RangeFrom<T>
where
    RangeFrom<T>: Iterator<Item = T> + Persist,
{
    type Item = T;

    fn next_step(&mut self) -> Option<T> {
        self.next()
    }
}

/// An inclusive range, or nothing once it is used up: serde does not keep whether it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inclusive<T>(Option<(T, T)>);

#[diagnostic::do_not_recommend]
impl<T> IntoSteps for RangeInclusive<T>
where
    RangeInclusive<T>: Iterator<Item = T>,
    T: Persist + PartialOrd + Clone,
{
    type Item = T;
    type Steps = Inclusive<T>;

    fn into_steps(self) -> Inclusive<T> {
        Inclusive((!self.is_empty()).then(|| self.into_inner()))
    }
}

impl<T> Steps for Inclusive<T>
where
    RangeInclusive<T>: Iterator<Item = T>,
    T: Persist + PartialOrd + Clone,
{
    type Item = T;

    fn next_step(&mut self) -> Option<T> {
        let (start, end) = self.0.take()?;
        let mut range = start..=end.clone();
        let item = range.next();
        self.0 = (!range.is_empty()).then(|| (range.start().clone(), end));
        item
    }
}

/// A reversed range: its first and its last item, or nothing once it is used up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backward<T>(Option<(T, T)>);

macro_rules! reversed {
    ($($range:ident)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<T> IntoSteps for Rev<$range<T>>
        where
            $range<T>: DoubleEndedIterator<Item = T> + Clone,
            RangeInclusive<T>: DoubleEndedIterator<Item = T>,
            T: Persist + PartialOrd + Clone,
        {
            type Item = T;
            type Steps = Backward<T>;

            fn into_steps(mut self) -> Backward<T> {
                let first = self.clone().next_back();
                Backward(first.zip(self.next()))
            }
        }
    )*};
}
reversed! { Range RangeInclusive }

impl<T> Steps for Backward<T>
where
    RangeInclusive<T>: DoubleEndedIterator<Item = T>,
    T: Persist + PartialOrd + Clone,
{
    type Item = T;

    fn next_step(&mut self) -> Option<T> {
        let (first, last) = self.0.take()?;
        let mut range = first.clone()..=last;
        let item = range.next_back();
        self.0 = (!range.is_empty()).then(|| (first, range.end().clone()));
        item
    }
}

/// Something borrowed whose items come in the same order after a restore.
#[diagnostic::on_unimplemented(
    message = "a `for` loop that awaits can't go over `{Self}`",
    label = "it may come in another order after a restart, or holds a closure",
    note = "if it is an iterator: collect it first, `.collect::<Vec<_>>()`, after `.cloned()` if it goes over references",
    note = "if it is a hash map or a hash set: take a `BTreeMap` or a `BTreeSet`, or go over its keys, `for key in map.keys().cloned().collect::<Vec<_>>()`",
    note = "see docs/errors/for-loop.md"
)]
pub trait Ordered: IntoIterator {}

macro_rules! ordered {
    ($([$($generics:tt)*] $iter:ty $(where [$($bounds:tt)+])?;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<$($generics)*> Ordered for $iter $(where $($bounds)+)? {}
    )*};
}
ordered! {
    ['a, T] &'a Vec<T>;
    ['a, T] &'a mut Vec<T>;
    ['a, T] &'a [T];
    ['a, T] &'a mut [T];
    ['a, T] &'a VecDeque<T>;
    ['a, T] &'a mut VecDeque<T>;
    ['a, T] &'a BTreeSet<T>;
    ['a, K, V] &'a BTreeMap<K, V>;
    ['a, K, V] &'a mut BTreeMap<K, V>;
    ['a, T] &'a Option<T>;
    ['a, T] &'a mut Option<T>;
    ['a, T, const N: usize] &'a [T; N];
    ['a, T, const N: usize] &'a mut [T; N];
    ['a, T] slice::Iter<'a, T>;
    ['a, T] slice::IterMut<'a, T>;
    ['a, T] slice::Chunks<'a, T>;
    ['a, T] slice::ChunksExact<'a, T>;
    ['a, T] slice::ChunksMut<'a, T>;
    ['a, T] slice::ChunksExactMut<'a, T>;
    ['a, T] slice::RChunks<'a, T>;
    ['a, T] slice::Windows<'a, T>;
    ['a, T] vec_deque::Iter<'a, T>;
    ['a, T] vec_deque::IterMut<'a, T>;
    ['a, T] btree_set::Iter<'a, T>;
    ['a, K, V] btree_map::Iter<'a, K, V>;
    ['a, K, V] btree_map::IterMut<'a, K, V>;
    ['a, K, V] btree_map::Range<'a, K, V>;
    ['a, K, V] btree_map::RangeMut<'a, K, V>;
    ['a, T] btree_set::Range<'a, T>;
    ['a, T] &'a LinkedList<T>;
    ['a, T] &'a mut LinkedList<T>;
    ['a, T] linked_list::Iter<'a, T>;
    ['a, T] linked_list::IterMut<'a, T>;
    ['a, T] &'a Box<[T]>;
    ['a, K, V] btree_map::Keys<'a, K, V>;
    ['a, K, V] btree_map::Values<'a, K, V>;
    ['a, K, V] btree_map::ValuesMut<'a, K, V>;
    ['a, T] std::option::Iter<'a, T>;
    ['a, T] std::option::IterMut<'a, T>;
    ['a] str::Chars<'a>;
    ['a] str::CharIndices<'a>;
    ['a] str::Bytes<'a>;
    ['a] str::Lines<'a>;
    ['a] str::SplitWhitespace<'a>;
    ['a] str::SplitAsciiWhitespace<'a>;
    ['a] str::Split<'a, char>;
    ['a, 'p] str::Split<'a, &'p str>;
    ['a] str::RSplit<'a, char>;
    ['a, 'p] str::RSplit<'a, &'p str>;
    ['a] str::SplitN<'a, char>;
    ['a, 'p] str::SplitN<'a, &'p str>;
    ['a] str::RSplitN<'a, char>;
    ['a, 'p] str::RSplitN<'a, &'p str>;
    ['a] str::SplitTerminator<'a, char>;
    ['a, 'p] str::SplitTerminator<'a, &'p str>;
    ['a] str::SplitInclusive<'a, char>;
    ['a, 'p] str::SplitInclusive<'a, &'p str>;
    [T] Range<T> where [Range<T>: Iterator];
    [T] RangeInclusive<T> where [RangeInclusive<T>: Iterator];
    [T] RangeFrom<T> where [RangeFrom<T>: Iterator];
    [I: Ordered + Iterator] Enumerate<I>;
    [I: Ordered + DoubleEndedIterator] Rev<I>;
    [I: Ordered + Iterator] Skip<I>;
    [I: Ordered + Iterator] Take<I>;
    [I: Ordered + Iterator] StepBy<I>;
    [I: Ordered + Iterator] Fuse<I>;
    [I: Ordered + Iterator<Item: Ordered>] Flatten<I>;
    [T] Once<T>;
    [T] Option<T>;
    [T] option::IntoIter<T>;
    [T, const N: usize] array::IntoIter<T, N>;
    [I: Ordered + Iterator] Peekable<I>;
    [I: Ordered + Iterator + Clone] Cycle<I>;
    ['a, I: Ordered + Iterator<Item = &'a T>, T: Clone + 'a] Cloned<I>;
    ['a, I: Ordered + Iterator<Item = &'a T>, T: Copy + 'a] Copied<I>;
    [A: Ordered + Iterator, B: Ordered + Iterator] Zip<A, B>;
    [A: Ordered + Iterator, B: Ordered + Iterator<Item = <A as Iterator>::Item>] Chain<A, B>;
}

/// A reference or a constant that a `for` goes over: it is evaluated again, so that it may be iterated by value.
#[diagnostic::on_unimplemented(
    message = "a `for` loop that awaits can't go over `{Self}`",
    label = "it may come in another order after a restart, or holds a closure",
    note = "if it is an iterator: collect it first, `.collect::<Vec<_>>()`, after `.cloned()` if it goes over references",
    note = "if it is a hash map or a hash set: take a `BTreeMap` or a `BTreeSet`, or go over its keys, `for key in map.keys().cloned().collect::<Vec<_>>()`",
    note = "see docs/errors/for-loop.md"
)]
pub trait Listed: IntoIterator {}

#[diagnostic::do_not_recommend]
impl<I: Ordered> Listed for I {}
#[diagnostic::do_not_recommend]
impl<T, const N: usize> Listed for [T; N] {}
#[diagnostic::do_not_recommend]
impl<T> Listed for Vec<T> {}

/// A type of the standard library, in which a look-up (`first`, `get`, `trim`, ...) finds the same as long as it is borrowed.
#[diagnostic::on_unimplemented(
    message = "what this call gives is needed after an await and can't be kept: it may be another value when `{Self}` is asked again",
    label = "of this type only the methods of the standard library are known",
    note = "if the call gives a value of its own, write its type: `let name: Type = ..`",
    note = "if it borrows, keep an owned copy (`.clone()`, `.to_owned()`), or call it again after the await",
    note = "see docs/errors/borrow.md"
)]
pub trait Viewed {}

macro_rules! viewed {
    ($([$($generics:tt)*] $ty:ty;)*) => {$(#[diagnostic::do_not_recommend] impl<$($generics)*> Viewed for $ty {})*};
}
viewed! {
    ['a, T: Viewed + ?Sized] &'a T;
    ['a, T: Viewed + ?Sized] &'a mut T;
    [T: Viewed + ?Sized] Box<T>;
    [T: Viewed + ?Sized] std::rc::Rc<T>;
    [T: Viewed + ?Sized] std::sync::Arc<T>;
    ['a, T: Viewed + ToOwned + ?Sized] std::borrow::Cow<'a, T>;
    [] str;
    [] String;
    [] Path;
    [] PathBuf;
    [T] [T];
    [T, const N: usize] [T; N];
    [T] Vec<T>;
    [T] VecDeque<T>;
    [T] LinkedList<T>;
    [T] BinaryHeap<T>;
    [T] BTreeSet<T>;
    [T, S] HashSet<T, S>;
    [K, V] BTreeMap<K, V>;
    [K, V, S] HashMap<K, V, S>;
    [T] Option<T>;
    [T, E] Result<T, E>;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goes over `from`, storing and restoring the rest before every item.
    fn restored<S: IntoSteps>(from: S) -> Vec<S::Item> {
        let mut steps = from.into_steps();
        let mut items = Vec::new();
        loop {
            let bytes = postcard::to_stdvec(&steps).expect("it is stored");
            steps = postcard::from_bytes(&bytes).expect("it is restored");
            match steps.next_step() {
                Some(item) => items.push(item),
                None => return items,
            }
        }
    }

    #[test]
    fn the_rest_of_a_loop_survives_a_restore_before_every_item() {
        assert_eq!(restored(vec![3, 1, 2]), [3, 1, 2]);
        assert_eq!(restored(0..4), [0, 1, 2, 3]);
        assert!(restored(5..5).is_empty());
        assert_eq!(restored(Some("a".to_string())), ["a"]);
        assert_eq!(restored([(1, 'a'), (2, 'b')]), [(1, 'a'), (2, 'b')]);
        assert_eq!(restored(BTreeMap::from([(2, 'b'), (1, 'a')])), [(1, 'a'), (2, 'b')]);
        let mut set = restored(HashSet::from([1, 2, 3]));
        set.sort_unstable();
        assert_eq!(set, [1, 2, 3]);
    }

    #[test]
    fn a_reversed_range_gives_every_item_once() {
        assert_eq!(restored((0..3).rev()), [2, 1, 0]);
        assert_eq!(restored((0..=2u8).rev()), [2, 1, 0]);
        assert_eq!(restored((255..=255u8).rev()), [255]);
        assert!(restored((3..3).rev()).is_empty());
    }

    #[test]
    fn an_inclusive_range_gives_its_last_item_once() {
        assert_eq!(restored(1..=3), [1, 2, 3]);
        assert_eq!(restored(254..=255u8), [254, 255]);
        assert!(restored(RangeInclusive::new(3, 2)).is_empty());
    }
}
