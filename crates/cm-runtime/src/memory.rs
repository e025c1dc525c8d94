//! Memory of objects. Before each is its reference count; that of a static one is negative.

use crate::{c, io};
use core::sync::atomic::{AtomicI64, Ordering};

/// Bytes of the reference count.
pub const COUNT: usize = 8;

/// Zeroed memory of this many bytes, aligned for a word, with a reference count of one before it.
///
/// # Safety
/// None.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cm_alloc(size: u64) -> *mut u8 {
    let Some(total) = (size as usize).checked_add(COUNT) else { out_of_memory() };
    // SAFETY: the block begins with the count.
    unsafe {
        let block: *mut u8 = c::calloc(1, total).cast();
        if block.is_null() {
            out_of_memory();
        }
        *block.cast::<i64>() = 1;
        block.add(COUNT)
    }
}

/// Memory of this many bytes, not cleared.
pub fn allocate(size: usize) -> *mut u8 {
    // SAFETY: any size can be asked for.
    let block: *mut u8 = unsafe { c::malloc(size).cast() };
    if block.is_null() && size > 0 {
        out_of_memory();
    }
    block
}

/// One more reference to a counted object.
///
/// # Safety
/// It is one, or null.
pub unsafe fn retain(object: *const u8) {
    if object.is_null() {
        return;
    }
    // SAFETY: the count is before the object, and all threads use it atomically.
    unsafe {
        let count = &*object.sub(COUNT).cast::<AtomicI64>();
        if count.load(Ordering::Relaxed) >= 0 {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Copies bytes.
///
/// # Safety
/// Both ranges are valid and apart.
pub unsafe fn copy(to: *mut u8, from: *const u8, len: usize) {
    // SAFETY: the caller's.
    unsafe { core::ptr::copy_nonoverlapping(from, to, len) };
}

/// Ends the process.
pub fn out_of_memory() -> ! {
    const MESSAGE: &[u8] = b"out of memory";
    // SAFETY: the message is static.
    unsafe { io::panic(MESSAGE.as_ptr(), MESSAGE.len()) }
}
