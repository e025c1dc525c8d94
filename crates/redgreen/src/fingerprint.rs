//! Fingerprints of results.

use crate::buffer;
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    hash::{Hash, Hasher},
    mem,
};
use xxhash_rust::xxh3::xxh3_128;

/// 128 bits that stand for a value. Local: they never leave the machine, and nothing is looked
/// for in a shared store by them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Fingerprint(pub u128);

impl Fingerprint {
    /// The fingerprint of what `value` feeds to a hasher.
    pub fn of<T: Hash + ?Sized>(value: &T) -> Fingerprint {
        buffer::with(|bytes| {
            let mut hasher = StableHasher(mem::take(bytes));
            value.hash(&mut hasher);
            *bytes = hasher.0;
            Fingerprint::of_bytes(bytes)
        })
    }
    /// The fingerprint of bytes.
    pub fn of_bytes(bytes: &[u8]) -> Fingerprint {
        Fingerprint(xxh3_128(bytes))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// Collects the many small writes of `derive(Hash)`, to hash them at once. Integers are written in
/// little-endian order, so that equal values give equal bytes everywhere; `usize` and `isize`, which
/// are lengths and numbers of variants, as one byte if they are small, else as nine.
#[derive(Default)]
pub struct StableHasher(Vec<u8>);

impl StableHasher {
    #[cold]
    fn write_large(&mut self, n: u64) {
        self.0.push(u8::MAX);
        self.0.extend_from_slice(&n.to_le_bytes());
    }
}

impl Hasher for StableHasher {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
    #[inline]
    fn write_u8(&mut self, n: u8) {
        self.0.push(n);
    }
    #[inline]
    fn write_u16(&mut self, n: u16) {
        self.write(&n.to_le_bytes());
    }
    #[inline]
    fn write_u32(&mut self, n: u32) {
        self.write(&n.to_le_bytes());
    }
    #[inline]
    fn write_u64(&mut self, n: u64) {
        self.write(&n.to_le_bytes());
    }
    #[inline]
    fn write_u128(&mut self, n: u128) {
        self.write(&n.to_le_bytes());
    }
    #[inline]
    fn write_usize(&mut self, n: usize) {
        match n as u64 {
            n if n < u64::from(u8::MAX) => self.0.push(n as u8),
            n => self.write_large(n),
        }
    }
    #[inline]
    fn write_isize(&mut self, n: isize) {
        self.write_usize(n as i64 as usize);
    }
    fn finish(&self) -> u64 {
        xxh3_128(&self.0) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::Fingerprint;

    #[test]
    fn fingerprints_tell_values_apart_and_nest() {
        struct Nested(u32);
        impl std::hash::Hash for Nested {
            fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
                Fingerprint::of(&self.0).hash(state);
            }
        }
        let of = |parts: &[&str]| Fingerprint::of(parts);
        assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
        assert_eq!(Fingerprint::of(&(7u8, Nested(1))), Fingerprint::of(&(7u8, Nested(1))));
        assert_ne!(Fingerprint::of(&Nested(1)), Fingerprint::of(&Nested(2)));
        // The bytes are a format: images of earlier processes hold them.
        assert_eq!(Fingerprint::of(&254usize), Fingerprint::of_bytes(&[254]));
        let large = [255, 255, 1, 0, 0, 0, 0, 0, 0];
        assert_eq!(Fingerprint::of(&511usize), Fingerprint::of_bytes(&large));
        let negative = [255, 254, 255, 255, 255, 255, 255, 255, 255];
        assert_eq!(Fingerprint::of(&-2isize), Fingerprint::of_bytes(&negative));
    }
}
