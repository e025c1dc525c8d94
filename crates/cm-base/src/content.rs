//! Hashes of contents, the same in every process and on every machine.

use crate::{Scratch, scratch};
use std::{
    hash::{Hash, Hasher},
    mem,
};
use xxhash_rust::xxh3::xxh3_128;

/// A hash of what `derive(Hash)` writes of a value.
pub(crate) fn hash<T: Hash + ?Sized>(value: &T) -> u128 {
    thread_local! { static BUFFER: Scratch<Vec<u8>> = const { scratch(Vec::new()) }; }
    BUFFER.with(|buffer| {
        // Taken, not borrowed: what is hashed may hold what has a hash of its own.
        let mut bytes = Bytes(mem::take(&mut **buffer.borrow_mut()));
        bytes.0.clear();
        value.hash(&mut bytes);
        let hash = xxh3_128(&bytes.0);
        **buffer.borrow_mut() = bytes.0;
        hash
    })
}

/// Collects what is hashed, integers in little-endian order. Lengths and numbers of variants, which are small
/// as a rule, are one byte then.
struct Bytes(Vec<u8>);

impl Hasher for Bytes {
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
        match u8::try_from(n) {
            Ok(small) if small < u8::MAX => self.0.push(small),
            _ => {
                self.0.push(u8::MAX);
                self.write_u64(n as u64);
            }
        }
    }
    #[inline]
    fn write_isize(&mut self, n: isize) {
        // Of a negative number as many bytes wherever it is.
        self.write_usize(n as i64 as usize);
    }
    fn finish(&self) -> u64 {
        unreachable!("invariant: the bytes are hashed, not the hasher asked")
    }
}

#[cfg(test)]
mod tests {
    use super::hash;
    use std::hash::{Hash, Hasher};
    use xxhash_rust::xxh3::xxh3_128;

    #[test]
    fn what_is_hashed_is_the_same_everywhere_and_nests() {
        assert_eq!(hash(&0x0102_u16), xxh3_128(&[2, 1]));
        assert_eq!(hash(&254usize), xxh3_128(&[254]));
        assert_eq!(hash(&511usize), xxh3_128(&[255, 255, 1, 0, 0, 0, 0, 0, 0]));
        assert_eq!(hash(&-2isize), xxh3_128(&[255, 254, 255, 255, 255, 255, 255, 255, 255]));
        assert_eq!(hash("ab"), xxh3_128(b"ab\xFF"));
        struct Nested(&'static str);
        impl Hash for Nested {
            fn hash<H: Hasher>(&self, state: &mut H) {
                state.write_u128(hash(self.0));
            }
        }
        let outer = [vec![7], hash("a").to_le_bytes().to_vec()].concat();
        assert_eq!(hash(&(7u8, Nested("a"))), xxh3_128(&outer));
        assert_ne!(hash(&["ab", "c"]), hash(&["a", "bc"]));
    }
}
