//! Stamps of inputs.

use serde::{Deserialize, Serialize};

/// What tells whether an input may have changed without reading it: size and times of a file, say.
/// Only equality counts.
///
/// A stamp must not be given out while it could hide a change: a file modified so recently that
/// another modification may leave its times as they are has [`Stamp::UNKNOWN`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Stamp(pub [u64; 4]);

impl Stamp {
    /// Nothing is known: the input is read at every opening and its fingerprint compared.
    pub const UNKNOWN: Stamp = Stamp([0; 4]);

    /// The length of [`Stamp::to_bytes`].
    pub(crate) const BYTES: usize = 32;

    /// Whether an input that had the stamp `self` and now has `now` is surely unchanged.
    pub fn vouches_for(self, now: Stamp) -> bool {
        self == now && self != Stamp::UNKNOWN
    }

    pub(crate) fn to_bytes(self) -> [u8; Stamp::BYTES] {
        let mut bytes = [0; Stamp::BYTES];
        for (chunk, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(self.0) {
            *chunk = word.to_le_bytes();
        }
        bytes
    }
    pub(crate) fn from_bytes(bytes: &[u8]) -> Stamp {
        let mut words = [0; 4];
        for (word, chunk) in words.iter_mut().zip(bytes.as_chunks::<8>().0) {
            *word = u64::from_le_bytes(*chunk);
        }
        Stamp(words)
    }
}
