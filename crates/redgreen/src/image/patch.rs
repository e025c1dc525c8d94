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
