//! Hashers for what the engine looks up at every step, by keys that nobody chooses to do harm: the program's own names, dense numbers,
//! addresses, and hashes of content. What users name is looked up with the standard library's hasher.

use std::hash::{BuildHasherDefault, Hasher};

use xxhash_rust::xxh3::xxh3_64;

/// Of one of the program's names.
pub(crate) type ByName = BuildHasherDefault<NameHasher>;
/// Of one or a few numbers.
pub(crate) type ByNumber = BuildHasherDefault<NumberHasher>;

#[derive(Debug, Default)]
pub(crate) struct NameHasher(u64);

impl Hasher for NameHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = self.0.rotate_left(5) ^ xxh3_64(bytes);
    }

    fn write_u8(&mut self, _: u8) {
        // The end of a string, which says nothing where there is one string.
    }
}

/// Spreads numbers, which may be dense.
#[derive(Debug, Default)]
pub(crate) struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, n: u64) {
        // The table takes its bucket from the low bits and its tag from the high ones.
        self.0 = (self.0 ^ n).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(32);
    }

    fn write_u32(&mut self, n: u32) {
        self.write_u64(u64::from(n));
    }

    fn write_usize(&mut self, n: usize) {
        self.write_u64(n as u64);
    }
}
