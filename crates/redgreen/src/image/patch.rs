//! What edits change in an image, in a small file beside it. Most of them change a few results and no
//! dependency; to write all the rest anew, and to have the system free the old file, takes longer than
//! everything else that such an edit needs.

use crate::root_record::{Damaged, encode_checked, read_checked};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    io,
    ops::Range,
    path::{Path, PathBuf},
};

const MAGIC: [u8; 8] = *b"RGPTCH01";

/// A patch that would be larger is a new image instead.
const MOST: usize = 1 << 16;
/// The same, as a part of the image.
const MOST_OF: usize = 8;

/// Bytes in place of those of an image.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Patch {
    /// The checksum of the image.
    base: u64,
    /// By offset in the file.
    pieces: BTreeMap<usize, Vec<u8>>,
}

/// Where the patch of an image is.
pub fn path(image: &Path) -> PathBuf {
    image.with_extension("patch")
}

impl Patch {
    /// Nothing changes in the image with this checksum.
    pub fn of(base: u64) -> Patch {
        Patch { base, pieces: BTreeMap::new() }
    }
    /// The patch of an image with this checksum; that of another one is none.
    pub fn load(image: &Path, base: u64) -> Result<Option<Patch>, Damaged> {
        Ok(read_checked(&path(image), MAGIC)?.filter(|patch: &Patch| patch.base == base))
    }
    /// The bytes of the file; `None`: an image of this length had better be written as a whole.
    pub fn encode(&self, image: usize) -> Option<io::Result<Vec<u8>>> {
        let room = |bytes: &Vec<u8>| bytes.len() + 2 * size_of::<usize>();
        let len = self.pieces.values().map(room).sum::<usize>();
        (len <= MOST.min(image / MOST_OF)).then(|| encode_checked(MAGIC, self, len))
    }

    /// Puts bytes in place of as many at an offset.
    pub fn put(&mut self, at: usize, bytes: Vec<u8>) {
        self.pieces.insert(at, bytes);
    }
    /// Where pieces are, ascending, and what they are.
    pub fn pieces(&self) -> impl Iterator<Item = (usize, &[u8])> {
        self.pieces.iter().map(|(at, bytes)| (*at, &**bytes))
    }
    /// Changes an image where that is allowed. `None`: it is not.
    pub fn apply(&self, image: &mut [u8], allowed: &[Range<usize>]) -> Option<()> {
        let mut next = 0;
        for (at, bytes) in self.pieces() {
            let end = at.checked_add(bytes.len())?;
            let inside = |range: &Range<usize>| range.start <= at && end <= range.end;
            if at < next || !allowed.iter().any(inside) {
                return None;
            }
            image.get_mut(at..end)?.copy_from_slice(bytes);
            next = end;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::Patch;

    /// What `pieces` make of a hundred zeros, of which two parts may be changed.
    fn patched(pieces: &[(usize, usize)]) -> Option<Vec<u8>> {
        let mut patch = Patch::of(1);
        pieces.iter().for_each(|(at, len)| patch.put(*at, vec![7; *len]));
        let mut image = vec![0; 100];
        patch.apply(&mut image, &[10..20, 40..60])?;
        Some(image)
    }

    #[test]
    fn patches_change_what_they_may_and_nothing_else() {
        let good = patched(&[(10, 10), (40, 1), (41, 0), (59, 1)]).unwrap();
        let changed: Vec<usize> = (0..100).filter(|at| good[*at] != 0).collect();
        assert_eq!(changed, [10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 40, 59]);
        for bad in [(9, 1), (10, 11), (19, 30), (20, 1), (60, 1), (100, 1), (usize::MAX, 2)] {
            assert_eq!(patched(&[bad]), None, "{bad:?}");
        }
        assert_eq!(patched(&[(40, 3), (42, 1)]), None, "they overlap");
    }

    #[test]
    fn large_patches_are_none() {
        let patch = |len| {
            let mut patch = Patch::of(1);
            patch.put(0, vec![7; len]);
            patch
        };
        assert!(patch(100).encode(1000).is_some());
        assert!(patch(200).encode(1000).is_none());
        assert!(patch(60_000).encode(1 << 30).is_some());
        assert!(patch(70_000).encode(1 << 30).is_none());
    }
}
