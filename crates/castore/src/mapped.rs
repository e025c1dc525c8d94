//! Files in memory. All unsafe code of this crate is here.
//!
//! Files of a store are never made shorter while somebody may have them mapped: the index changes
//! its length under its lock, and segments are deleted, not overwritten.
#![expect(unsafe_code, reason = "a mapping is outside what the language can vouch for")]

use memmap2::{Mmap, MmapOptions, MmapRaw};
use std::{fs::File, io, ptr};

/// A file that others may change: it is copied from, and never lent.
#[derive(Debug)]
pub(crate) struct Window(MmapRaw);

impl Window {
    /// So many bytes of a file.
    pub fn of(file: &File, len: u64) -> Option<Window> {
        let len = usize::try_from(len).ok().filter(|len| *len > 0)?;
        Some(Window(MmapOptions::new().len(len).map_raw_read_only(file).ok()?))
    }

    pub fn len(&self) -> u64 {
        self.0.len() as u64
    }

    /// Fills `bytes` with what lies at an offset. The file must be that long still.
    ///
    /// # Panics
    /// If it lies outside.
    pub fn copy(&self, offset: u64, bytes: &mut [u8]) {
        let end = offset.checked_add(bytes.len() as u64);
        assert!(end.is_some_and(|end| end <= self.len()), "what is copied lies inside");
        // SAFETY: the range is in the mapping (just checked), and `bytes` is memory of our own. No
        // reference to the mapping exists, and any bytes at all will do: a checksum tells whether
        // they are those that were written.
        unsafe {
            let from = self.0.as_ptr().add(offset as usize);
            ptr::copy_nonoverlapping(from, bytes.as_mut_ptr(), bytes.len());
        }
    }
}

/// A part of a file of ours that nobody changes any more, brought into memory at once.
pub(crate) fn map(file: &File, offset: u64, len: usize) -> io::Result<Mmap> {
    let end = offset.saturating_add(len as u64);
    if end > file.metadata()?.len() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    // SAFETY: what is written in a segment is never changed, and its file belongs to the user who
    // runs this process, so nobody who could not change its memory anyway can write there.
    unsafe { MmapOptions::new().offset(offset).len(len).populate().map(file) }
}
