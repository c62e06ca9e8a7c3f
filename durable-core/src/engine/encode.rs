//! The engine's own records, as bytes. A step writes one, field by field: most fields are a byte.

use postcard::ser_flavors::Flavor;
use serde::Serialize;

/// Appends a record.
pub(crate) fn append<T: Serialize>(record: &T, bytes: &mut Vec<u8>) {
    postcard::serialize_with_flavor(record, End(bytes)).expect("the engine's own records always encode");
}

/// The end of a vector.
struct End<'a>(&'a mut Vec<u8>);

impl Flavor for End<'_> {
    type Output = ();

    #[inline]
    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    #[inline]
    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        match bytes {
            // A number as a rule, for which a copy of any length is dear.
            [one] => self.0.push(*one),
            [one, two] => self.0.extend_from_slice(&[*one, *two]),
            bytes => self.0.extend_from_slice(bytes),
        }
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_appended_is_what_postcard_writes() {
        let record = (1u8, 200u64, "a name".to_owned(), vec![70_000u32, 0], Some(-3i64), u64::MAX);
        let mut bytes = vec![7];
        append(&record, &mut bytes);
        assert_eq!(bytes[1..], postcard::to_stdvec(&record).unwrap());
        assert_eq!(bytes[0], 7);
    }
}
