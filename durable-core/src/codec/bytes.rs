//! The bytes of a stored value, of which a copy costs next to nothing.
//!
//! A step runs on copies of what its instance's record holds, so that a failure leaves the record as it was, and an end keeps the record
//! before it until it is sure. For a payload of megabytes each of these would be one more time its size.
//!
//! Invariant: they never change.

use std::{fmt, ops::Deref, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Visitor};

/// From so many bytes on they are shared; fewer are copied, which costs no more than to count who shares them.
const SHARED: usize = 4096;

/// The bytes of a stored value.
#[derive(Clone)]
pub struct Bytes(Kept);

/// So many stand in the value itself, without memory of their own: those of a number, a short text, a call that was started.
const FEW: usize = 15;

#[derive(Clone)]
enum Kept {
    Few { len: u8, bytes: [u8; FEW] },
    Own(Vec<u8>),
    Shared(Arc<Vec<u8>>),
}

impl Bytes {
    fn few(from: &[u8]) -> Option<Self> {
        let mut bytes = [0; FEW];
        bytes.get_mut(..from.len())?.copy_from_slice(from);
        Some(Bytes(Kept::Few { len: from.len() as u8, bytes }))
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::few(&bytes).unwrap_or_else(|| {
            Bytes(if bytes.len() < SHARED { Kept::Own(bytes) } else { Kept::Shared(Arc::new(bytes)) })
        })
    }
}

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Self {
        Bytes::few(bytes).unwrap_or_else(|| bytes.to_vec().into())
    }
}

impl Deref for Bytes {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match &self.0 {
            Kept::Few { len, bytes } => &bytes[..usize::from(*len)],
            Kept::Own(bytes) => bytes,
            Kept::Shared(bytes) => bytes,
        }
    }
}

impl Default for Bytes {
    /// None.
    fn default() -> Self {
        Bytes(Kept::Few { len: 0, bytes: [0; FEW] })
    }
}

impl PartialEq for Bytes {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Bytes {}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.deref().fmt(f)
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        durable_store::bytes::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Run;
        impl Visitor<'_> for Run {
            type Value = Bytes;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(bytes.into())
            }
            fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Bytes, E> {
                Ok(bytes.into())
            }
        }
        deserializer.deserialize_byte_buf(Run)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_of_many_bytes_is_the_same_memory() {
        let many = Bytes::from(vec![7; SHARED]);
        assert_eq!(many.as_ptr(), many.clone().as_ptr());
        assert_eq!(many, Bytes::from(vec![7; SHARED]));
        let few = Bytes::from(vec![7; SHARED - 1]);
        assert_ne!(few.as_ptr(), few.clone().as_ptr());
        assert_ne!(few, many);
    }

    #[test]
    fn a_few_take_no_memory_of_their_own() {
        assert_eq!(size_of::<Bytes>(), size_of::<Vec<u8>>());
        let few = Bytes::from(vec![7; FEW]);
        let within = std::ptr::from_ref(&few).addr()..std::ptr::from_ref(&few).addr() + size_of::<Bytes>();
        assert!(within.contains(&few.as_ptr().addr()));
    }

    #[test]
    fn they_are_written_as_any_run_of_bytes() {
        for len in [0, 1, FEW, FEW + 1, SHARED - 1, SHARED, 100_000] {
            let bytes = vec![5; len];
            let written = postcard::to_stdvec(&Bytes::from(bytes.clone())).expect("bytes always encode");
            assert_eq!(written[written.len() - len..], bytes);
            assert_eq!(Bytes::from(&bytes[..]), Bytes::from(bytes.clone()));
            assert_eq!(*postcard::from_bytes::<Bytes>(&written).expect("they are read"), bytes[..]);
        }
    }
}
