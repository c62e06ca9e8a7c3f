//! The bytes of a stored value, of which a copy costs next to nothing.
//!
//! A step runs on copies of what its instance's record holds, so that a failure leaves the record as it was, and an end keeps the record
//! before it until it is sure. For a payload of megabytes each of these would be one more time its size.
//!
//! Invariant: they never change.

use std::{fmt, ops::Deref, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// From so many bytes on they are shared; fewer are copied, which costs no more than to count who shares them.
const SHARED: usize = 4096;

/// The bytes of a stored value.
#[derive(Clone)]
pub struct Bytes(Kept);

#[derive(Clone)]
enum Kept {
    Own(Vec<u8>),
    Shared(Arc<Vec<u8>>),
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes(if bytes.len() < SHARED { Kept::Own(bytes) } else { Kept::Shared(Arc::new(bytes)) })
    }
}

impl Deref for Bytes {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match &self.0 {
            Kept::Own(bytes) => bytes,
            Kept::Shared(bytes) => bytes,
        }
    }
}

impl Default for Bytes {
    /// None.
    fn default() -> Self {
        Bytes(Kept::Own(Vec::new()))
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
        durable_store::bytes::deserialize(deserializer).map(Bytes::from)
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
    fn they_are_written_as_any_run_of_bytes() {
        for len in [0, 1, SHARED - 1, SHARED, 100_000] {
            let bytes = vec![5; len];
            let written = postcard::to_stdvec(&Bytes::from(bytes.clone())).expect("bytes always encode");
            assert_eq!(written[written.len() - len..], bytes);
            assert_eq!(*postcard::from_bytes::<Bytes>(&written).expect("they are read"), bytes[..]);
        }
    }
}
