//! Leaves as postcard writes them, without its machinery: nearly all that is stored is a number or a text, or is made of them, and each
//! step reads and writes several.
//!
//! Invariant: they are postcard's own bytes, and what postcard refuses is refused. What is rare is left to it.

use postcard::ser_flavors::Flavor;
use serde::Serialize;

/// Where leaves are written to.
pub(super) trait Output: Flavor<Output = ()> {}

/// A number of up to 64 bits, seven of them to a byte, the low ones first.
#[inline]
pub(super) fn put_varint(out: &mut impl Output, mut n: u64) -> postcard::Result<()> {
    while n >= 0x80 {
        out.try_push(n as u8 | 0x80)?;
        n >>= 7;
    }
    out.try_push(n as u8)
}

/// The number of so many bits that `rest` begins with.
#[inline]
pub(crate) fn take_varint<const BITS: u32>(rest: &mut &[u8]) -> Option<u64> {
    match *rest {
        [byte, after @ ..] if *byte < 0x80 => {
            *rest = after;
            Some(u64::from(*byte))
        }
        _ => take_long_varint(rest, BITS),
    }
}

fn take_long_varint(rest: &mut &[u8], bits: u32) -> Option<u64> {
    let (mut n, mut shift) = (0, 0);
    loop {
        let (byte, after) = rest.split_first()?;
        n |= u64::from(byte & 0x7f) << shift;
        if *byte < 0x80 {
            // The last byte has room for no more than what is left of the number.
            let left = bits - shift;
            if left < 7 && u32::from(*byte) >= 1 << left {
                return None;
            }
            *rest = after;
            return Some(n);
        }
        shift += 7;
        if shift >= bits {
            return None;
        }
        *rest = after;
    }
}

/// The bytes behind their length.
#[inline]
pub(crate) fn take_bytes<'b>(rest: &mut &'b [u8]) -> Option<&'b [u8]> {
    let len = usize::try_from(take_varint::<64>(rest)?).ok()?;
    let (bytes, after) = rest.split_at_checked(len)?;
    *rest = after;
    Some(bytes)
}

/// A value without parts.
pub(super) trait Scalar: Sized {
    fn put<O: Output>(self, out: &mut postcard::Serializer<O>) -> postcard::Result<()>;
    fn take(rest: &mut &[u8]) -> Option<Self>;
}

macro_rules! unsigned {
    ($($ty:ident)*) => {$(
        impl Scalar for $ty {
            #[inline]
            fn put<O: Output>(self, out: &mut postcard::Serializer<O>) -> postcard::Result<()> {
                put_varint(&mut out.output, self.into())
            }
            #[inline]
            fn take(rest: &mut &[u8]) -> Option<Self> {
                Some(take_varint::<{ $ty::BITS }>(rest)? as $ty)
            }
        }
    )*};
}
unsigned! { u16 u32 u64 }

/// The low bit is the sign, so that small numbers are short on either side of zero.
macro_rules! signed {
    ($($ty:ident as $bits:ident)*) => {$(
        impl Scalar for $ty {
            #[inline]
            fn put<O: Output>(self, out: &mut postcard::Serializer<O>) -> postcard::Result<()> {
                ((self << 1) ^ (self >> ($ty::BITS - 1))).cast_unsigned().put(out)
            }
            #[inline]
            fn take(rest: &mut &[u8]) -> Option<Self> {
                let bits = $bits::take(rest)?;
                Some((bits >> 1).cast_signed() ^ -(bits & 1).cast_signed())
            }
        }
    )*};
}
signed! { i16 as u16 i32 as u32 i64 as u64 }

impl Scalar for u8 {
    #[inline]
    fn put<O: Output>(self, out: &mut postcard::Serializer<O>) -> postcard::Result<()> {
        out.output.try_push(self)
    }
    #[inline]
    fn take(rest: &mut &[u8]) -> Option<Self> {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        Some(*byte)
    }
}

impl Scalar for bool {
    #[inline]
    fn put<O: Output>(self, out: &mut postcard::Serializer<O>) -> postcard::Result<()> {
        out.output.try_push(self.into())
    }
    #[inline]
    fn take(rest: &mut &[u8]) -> Option<Self> {
        match u8::take(rest)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

macro_rules! rare {
    ($($ty:ident)*) => {$(
        impl Scalar for $ty {
            fn put<O: Output>(self, out: &mut postcard::Serializer<O>) -> postcard::Result<()> {
                self.serialize(out)
            }
            fn take(rest: &mut &[u8]) -> Option<Self> {
                let (value, after) = postcard::take_from_bytes(rest).ok()?;
                *rest = after;
                Some(value)
            }
        }
    )*};
}
rare! { i8 i128 u128 f32 f64 char }

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;

    use super::{super::walk::Tail, *};
    use crate::random::Random;

    fn is_postcards<T: Scalar + Copy + Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: T) {
        let mut written = Vec::new();
        value.put(&mut postcard::Serializer { output: Tail(&mut written) }).expect("a Vec takes it");
        assert_eq!(written, postcard::to_stdvec(&value).expect("a leaf is written"), "{value:?}");
        let mut rest = &written[..];
        assert_eq!((T::take(&mut rest), rest), (Some(value), &[][..]));
    }

    fn reads_as_postcard<T: Scalar + DeserializeOwned + PartialEq + std::fmt::Debug>(bytes: &[u8]) {
        let theirs = postcard::take_from_bytes::<T>(bytes).ok();
        let mut rest = bytes;
        let ours = T::take(&mut rest).map(|value| (value, rest));
        assert_eq!(ours, theirs, "{bytes:?} as {}", std::any::type_name::<T>());
    }

    #[test]
    fn leaves_are_written_as_postcard_writes_them() {
        let random = Random::seeded(7);
        let edges = (0..64).flat_map(|bit| [1_u64 << bit, (1 << bit) - 1]).chain([u64::MAX]);
        for n in edges.chain((0..2000).map(|_| random.bits() as u64 >> (random.bits() % 64))) {
            is_postcards(n);
            is_postcards(n as u32);
            is_postcards(n as u16);
            is_postcards(n as u8);
            is_postcards(n.cast_signed());
            is_postcards(-n.cast_signed().max(i64::MIN + 1));
            is_postcards(n as i32);
            is_postcards(n as i16);
            is_postcards(n & 1 == 1);
        }
    }

    #[test]
    fn what_postcard_refuses_is_refused() {
        let random = Random::seeded(8);
        for _ in 0..20_000 {
            // Most bytes say that the number goes on, so that it comes to its end or beyond.
            let bytes: Vec<u8> = (0..random.bits() % 13)
                .map(|_| random.bits() as u8 | if random.bits().is_multiple_of(6) { 0 } else { 0x80 })
                .collect();
            reads_as_postcard::<u64>(&bytes);
            reads_as_postcard::<u32>(&bytes);
            reads_as_postcard::<u16>(&bytes);
            reads_as_postcard::<u8>(&bytes);
            reads_as_postcard::<i64>(&bytes);
            reads_as_postcard::<i32>(&bytes);
            reads_as_postcard::<i16>(&bytes);
            reads_as_postcard::<bool>(&bytes);
            let theirs = postcard::take_from_bytes::<&str>(&bytes).ok();
            let mut rest = &bytes[..];
            let ours = take_bytes(&mut rest).and_then(|text| std::str::from_utf8(text).ok());
            assert_eq!(ours.map(|text| (text, rest)), theirs);
        }
    }
}
