//! Types that nearly every program stores and whose layout says all that there is to say of their values: numbers, texts, and the standard
//! library's simplest shapes of them. They are read and written here without a look at the layout.
//!
//! What the walk along a layout guards against can't happen with them: this crate knows what their `Serialize` does. So what remains
//! is that the layout was verified as any other, and that it is complete: no value of the type has a shape that it does not know yet.
//!
//! A type of this crate's own that is stored at every step may have such a way too, and names it in its [`TypeOf`](super::TypeOf).
//!
//! Invariant: the same bytes as by the walk, and bytes that are refused here are refused there; a test compares.
//!
//! Deliberately absent: every type of a user's.

use std::any::{Any, TypeId};
use std::ops::Range;

use super::walk::Tail;
use super::wire::{Scalar, put_varint, take_bytes, take_varint};

/// How a type is read and written.
#[derive(Clone, Copy)]
pub(crate) struct Plain {
    /// Reads all of the bytes into an `Option` of the type; false if they are not what it reads.
    pub(crate) read: fn(&mut dyn Any, &[u8]) -> bool,
    /// Appends a value; false if it is none of the type, or one that is rare. Then nothing is appended.
    pub(crate) write: fn(&dyn Any, &mut Vec<u8>) -> bool,
}

impl std::fmt::Debug for Plain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plain").finish_non_exhaustive()
    }
}

impl Plain {
    /// That of a type, if it is in the table.
    pub(super) fn of(id: TypeId) -> Option<Self> {
        TABLE.iter().find(|(of, _)| of() == id).map(|(_, plain)| *plain)
    }

    const fn new<T: Whole + 'static>() -> Self {
        Plain { read: read::<T>, write: write::<T> }
    }
}

fn read<T: Whole + 'static>(slot: &mut dyn Any, mut bytes: &[u8]) -> bool {
    let Some(slot) = slot.downcast_mut::<Option<T>>() else { return false };
    *slot = T::take(&mut bytes);
    slot.is_some() && bytes.is_empty()
}

fn write<T: Whole + 'static>(value: &dyn Any, out: &mut Vec<u8>) -> bool {
    let value = value.downcast_ref::<T>();
    value.inspect(|value| value.put(out)).is_some()
}

macro_rules! table {
    ($($ty:ty),*) => {
        static TABLE: &[(fn() -> TypeId, Plain)] = &[$((TypeId::of::<$ty>, Plain::new::<$ty>())),*];
    };
}
table! {
    u64, u32, u16, u8, usize, i64, i32, i16, i8, isize, bool, f64, f32, char, String, (),
    (u64,), (u32,), (i64,), (i32,), (usize,), (bool,), (String,), (u64, u64), (String, u64), (String, String),
    Range<u64>, Range<u32>, Range<usize>, Range<i64>, Range<i32>,
    Option<u64>, Option<u32>, Option<i64>, Option<i32>, Option<usize>, Option<bool>, Option<f64>, Option<String>,
    Vec<u64>, Vec<u32>, Vec<i64>, Vec<i32>, Vec<usize>, Vec<u8>, Vec<f64>, Vec<String>
}

/// A type of which every value has the same layout, once nothing in that is unknown.
trait Whole: Sized {
    fn put(&self, out: &mut Vec<u8>);
    fn take(rest: &mut &[u8]) -> Option<Self>;
}

const FITS: &str = "a Vec takes every leaf";

macro_rules! scalars {
    ($($ty:ident)*) => {$(
        impl Whole for $ty {
            #[inline]
            fn put(&self, out: &mut Vec<u8>) {
                Scalar::put(*self, &mut postcard::Serializer { output: Tail(out) }).expect(FITS);
            }
            #[inline]
            fn take(rest: &mut &[u8]) -> Option<Self> {
                Scalar::take(rest)
            }
        }
    )*};
}
scalars! { u64 u32 u16 u8 i64 i32 i16 i8 bool f64 f32 char }

macro_rules! sizes {
    ($($ty:ident as $wide:ident)*) => {$(
        impl Whole for $ty {
            #[inline]
            fn put(&self, out: &mut Vec<u8>) {
                Whole::put(&(*self as $wide), out);
            }
            #[inline]
            fn take(rest: &mut &[u8]) -> Option<Self> {
                <$wide as Whole>::take(rest)?.try_into().ok()
            }
        }
    )*};
}
sizes! { usize as u64 isize as i64 }

impl Whole for () {
    fn put(&self, _: &mut Vec<u8>) {}
    fn take(_: &mut &[u8]) -> Option<Self> {
        Some(())
    }
}

impl Whole for String {
    fn put(&self, out: &mut Vec<u8>) {
        put_len(self.len(), out);
        out.extend_from_slice(self.as_bytes());
    }
    fn take(rest: &mut &[u8]) -> Option<Self> {
        Some(std::str::from_utf8(take_bytes(rest)?).ok()?.to_owned())
    }
}

impl<T: Whole> Whole for Range<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.start.put(out);
        self.end.put(out);
    }
    fn take(rest: &mut &[u8]) -> Option<Self> {
        Some(T::take(rest)?..T::take(rest)?)
    }
}

impl<T: Whole> Whole for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        Whole::put(&self.is_some(), out);
        if let Some(value) = self {
            value.put(out);
        }
    }
    fn take(rest: &mut &[u8]) -> Option<Self> {
        Some(if <bool as Whole>::take(rest)? { Some(T::take(rest)?) } else { None })
    }
}

impl<T: Whole> Whole for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        put_len(self.len(), out);
        self.iter().for_each(|value| value.put(out));
    }
    fn take(rest: &mut &[u8]) -> Option<Self> {
        let len = usize::try_from(take_varint::<64>(rest)?).ok()?;
        // Each has a byte at least, and no more is reserved than there is: the length may be damaged.
        if len > rest.len() {
            return None;
        }
        (0..len).map(|_| T::take(rest)).collect()
    }
}

macro_rules! tuples {
    ($(($($part:ident)+))*) => {$(
        impl<$($part: Whole),+> Whole for ($($part,)+) {
            #[inline]
            #[allow(non_snake_case)]
            fn put(&self, out: &mut Vec<u8>) {
                let ($($part,)+) = self;
                $($part.put(out);)+
            }
            #[inline]
            fn take(rest: &mut &[u8]) -> Option<Self> {
                Some(($($part::take(rest)?,)+))
            }
        }
    )*};
}
tuples! { (A) (A B) }

fn put_len(len: usize, out: &mut Vec<u8>) {
    put_number(len as u64, out);
}

/// A number of up to 64 bits, as it stands in a value.
#[inline]
pub(crate) fn put_number(n: u64, out: &mut Vec<u8>) {
    put_varint(&mut Tail(out), n).expect(FITS);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{Codec, Persist};
    use crate::random::Random;

    /// Such values as the walk writes them, and what both make of them when they are damaged.
    fn is_walked<T: Persist + PartialEq + std::fmt::Debug>(mut make: impl FnMut(&Random) -> T) {
        let plain = Plain::of(TypeId::of::<T>()).expect("it is in the table");
        let random = Random::seeded(5);
        let codec = Codec::new();
        for _ in 0..200 {
            let value = make(&random);
            let walked = codec.encode(&value).expect("it is written");
            let mut written = vec![9];
            assert!((plain.write)(&value, &mut written));
            assert_eq!(written[1..], *walked.bytes, "{value:?}");
            let mut back: Option<T> = None;
            assert!((plain.read)(&mut back, &walked.bytes), "{value:?}");
            assert_eq!(back.as_ref(), Some(&value));
            let mut damaged = walked.bytes.to_vec();
            match random.bits() % 3 {
                0 => damaged.push(0),
                1 => drop(damaged.pop()),
                _ => damaged.iter_mut().take(3).for_each(|byte| *byte ^= random.bits() as u8),
            }
            let theirs: Option<T> = codec.decode(walked.layout, &damaged).ok();
            let ours = (plain.read)(&mut back, &damaged).then(|| back.take()).flatten();
            assert_eq!(format!("{ours:?}"), format!("{theirs:?}"), "{damaged:?}");
        }
    }

    fn text(random: &Random) -> String {
        (0..random.bits() % 200).map(|_| ['a', 'é', '漢'][(random.bits() % 3) as usize]).collect()
    }

    fn number(random: &Random) -> u64 {
        random.bits() as u64 >> (random.bits() % 64)
    }

    #[test]
    fn what_is_written_without_its_layout_is_what_the_walk_writes() {
        is_walked(number);
        is_walked(|random| number(random) as u32);
        is_walked(|random| number(random) as u16);
        is_walked(|random| number(random) as u8);
        is_walked(|random| number(random) as usize);
        is_walked(|random| number(random).cast_signed());
        is_walked(|random| number(random) as i32);
        is_walked(|random| number(random) as i16);
        is_walked(|random| number(random) as i8);
        is_walked(|random| number(random).cast_signed() as isize);
        is_walked(|random| number(random).is_multiple_of(2));
        is_walked(|random| number(random) as f64 / 3.0);
        is_walked(|random| number(random) as f32 / 3.0);
        is_walked(|random| text(random).chars().next().unwrap_or('x'));
        is_walked(text);
        is_walked(|_| ());
        is_walked(|random| (number(random),));
        is_walked(|random| (text(random), number(random)));
        is_walked(|random| number(random)..number(random));
        is_walked(|random| number(random) as i32..number(random) as i32);
        is_walked(|random| (number(random).is_multiple_of(2)).then(|| text(random)));
        is_walked(|random| (number(random).is_multiple_of(2)).then(|| number(random)));
        is_walked(|random| (0..number(random) % 50).collect::<Vec<u64>>());
        is_walked(|random| text(random).into_bytes());
        is_walked(|random| (0..number(random) % 9).map(|_| text(random)).collect::<Vec<_>>());
    }
}
