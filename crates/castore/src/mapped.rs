//! Files in memory. All unsafe code of this crate is here.
//!
//! Files of a store are never made shorter while somebody may have them mapped: the index changes
//! its length under its lock, and segments are deleted, not overwritten.
#![expect(unsafe_code, reason = "a mapping is outside what the language can vouch for")]

use memmap2::{Advice, MmapOptions, MmapRaw};
use std::{fs::File, ops::Deref, ptr, slice, sync::Arc};

/// A file that others may change: it is copied from, and only parts that nobody changes any more
/// are lent.
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
        assert!(self.covers(offset, bytes.len() as u64), "what is copied lies inside");
        // SAFETY: the range is in the mapping (just checked), and `bytes` is memory of our own. No
        // reference to this part of the mapping exists that others may change, and any bytes at all
        // will do: a checksum tells whether they are those that were written.
        unsafe {
            let from = self.0.as_ptr().add(offset as usize);
            ptr::copy_nonoverlapping(from, bytes.as_mut_ptr(), bytes.len());
        }
    }

    /// Brings what lies at an offset into memory, all at once. `false`: that cannot be, since the file
    /// has been cut off, or the disk cannot be read, or the system is old: touching it might end the
    /// process.
    pub fn bring(&self, offset: u64, len: u64) -> bool {
        self.covers(offset, len)
            && self.0.advise_range(Advice::PopulateRead, offset as usize, len as usize).is_ok()
    }

    /// Whether so many bytes at an offset lie inside.
    pub fn covers(&self, offset: u64, len: u64) -> bool {
        offset.checked_add(len).is_some_and(|end| end <= self.len())
    }
}

/// A part of a file of ours that nobody changes any more.
#[derive(Clone)]
pub(crate) struct Lent {
    window: Arc<Window>,
    offset: usize,
    len: usize,
}

impl Lent {
    /// What lies at an offset; `None`: not all of that is in the window. It must be an entry of a
    /// segment that belongs to the user who runs this process.
    pub fn of(window: &Arc<Window>, offset: u64, len: u64) -> Option<Lent> {
        let window = window.covers(offset, len).then(|| window.clone())?;
        Some(Lent { window, offset: offset as usize, len: len as usize })
    }
}

impl Deref for Lent {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        // SAFETY: the range is in the mapping (`Lent::of` saw to it), which lives as long as this.
        // What is written there is never changed, and the file belongs to the user who runs this process,
        // so nobody who could not change its memory anyway can write there.
        unsafe { slice::from_raw_parts(self.window.0.as_ptr().add(self.offset), self.len) }
    }
}
