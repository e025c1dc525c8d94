//! Mapped files, seen as slices of plain numbers. All unsafe code of this crate is here.
#![expect(unsafe_code, reason = "a mapping is outside what the language can vouch for")]

use crate::Damaged;
use bytemuck::AnyBitPattern;
use memmap2::{Mmap, MmapOptions};
use std::{fs::File, ops::Range, path::Path};

/// A file in memory.
pub(super) struct Mapped(Mmap);

impl Mapped {
    /// Maps a file; `None` if it is not there, or cannot be read.
    pub fn open(path: &Path) -> Result<Option<Mapped>, Damaged> {
        // Nobody waits for a pipe.
        if !path.is_file() {
            return Ok(None);
        }
        let Ok(file) = File::open(path) else { return Ok(None) };
        if file.metadata().is_ok_and(|meta| meta.len() == 0) {
            return Err(Damaged);
        }
        // SAFETY: the mapping is read only and private. Images are replaced by renaming and never
        // written in place, so nobody who keeps to this crate changes the bytes under us.
        let map = unsafe { MmapOptions::new().populate().map_copy_read_only(&file) };
        Ok(map.ok().map(Mapped))
    }
    /// The same with changed bytes, in this process alone.
    pub fn changed(self, change: impl FnOnce(&mut [u8]) -> Option<()>) -> Result<Mapped, Damaged> {
        let mut map = self.0.make_mut().map_err(|_| Damaged)?;
        change(&mut map).ok_or(Damaged)?;
        Ok(Mapped(map.make_read_only().map_err(|_| Damaged)?))
    }
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
    /// A part of the file as a slice.
    ///
    /// # Panics
    /// If the range is not in the file, not aligned for `T`, or not a whole number of `T`s.
    pub fn slice<T: AnyBitPattern>(&self, range: Range<usize>) -> &[T] {
        bytemuck::cast_slice(&self.0[range])
    }
}
