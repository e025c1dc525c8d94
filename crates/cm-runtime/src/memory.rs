//! Memory of objects, and their reference counts (`docs/abi.md`).

use crate::{
    c, io,
    release::{self, Kind},
    slice::{self, SliceHeader},
    string::Str,
};
use core::sync::atomic::{AtomicI64, Ordering, fence};

/// Bytes of the reference count.
pub const COUNT: usize = 8;
/// Bytes before the objects of [`cm_alloc`] and slices: what releases their contents, and the count.
pub const HEADER: usize = 8 + COUNT;

/// Releases so many values, the first of which is at the address.
pub type Glue = Option<unsafe extern "C" fn(*mut u8, u64)>;

/// Zeroed memory of this many bytes, with glue and a reference count of one before it.
///
/// # Safety
/// The glue fits what the memory is used for.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cm_alloc(size: u64, glue: Glue) -> *mut u8 {
    let Some(total) = (size as usize).checked_add(HEADER) else { out_of_memory() };
    // SAFETY: the block begins with the header.
    unsafe {
        let block: *mut u8 = c::calloc(1, total).cast();
        if block.is_null() {
            out_of_memory();
        }
        block.cast::<Glue>().write(glue);
        block.add(8).cast::<i64>().write(1);
        block.add(HEADER)
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

/// Makes a block larger or smaller.
///
/// # Safety
/// It is a block of the C library.
pub unsafe fn reallocate(block: *mut u8, size: usize) -> *mut u8 {
    // SAFETY: the caller's.
    let block: *mut u8 = unsafe { c::realloc(block.cast(), size).cast() };
    if block.is_null() {
        out_of_memory();
    }
    block
}

/// There is only one thread, so counts need no atomic instructions.
pub fn is_alone() -> bool {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: a byte of the C library; whoever starts a thread has cleared it before.
    return unsafe { core::ptr::addr_of!(c::__libc_single_threaded).read() != 0 };
    #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
    return false;
}

/// # Safety
/// It is an object that is not freed.
unsafe fn count<'a>(object: *const u8) -> &'a AtomicI64 {
    // SAFETY: the count is before the object, and aligned.
    unsafe { &*object.sub(COUNT).cast::<AtomicI64>() }
}

/// There is no other reference to a counted object.
///
/// # Safety
/// It is an object that is not freed.
pub unsafe fn is_unique(object: *const u8) -> bool {
    // SAFETY: the caller's. What others did with the object before they let go happened before.
    unsafe { count(object).load(Ordering::Acquire) == 1 }
}

/// One more reference to a counted object.
///
/// # Safety
/// It is one that is not freed, or null.
#[inline]
pub unsafe fn retain(object: *const u8) {
    if object.is_null() {
        return;
    }
    // SAFETY: the caller's.
    let count = unsafe { count(object) };
    let references = count.load(Ordering::Relaxed);
    if references < 0 {
        return;
    }
    if is_alone() {
        count.store(references + 1, Ordering::Relaxed);
    } else {
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// One reference less to a counted object; whether it was the last.
///
/// # Safety
/// It is one that is not freed, or null, and the reference is the caller's.
#[inline]
unsafe fn drop_reference(object: *const u8) -> bool {
    if object.is_null() {
        return false;
    }
    // SAFETY: the caller's.
    let count = unsafe { count(object) };
    let references = count.load(Ordering::Acquire);
    if references <= 1 {
        return references == 1;
    }
    if is_alone() {
        count.store(references - 1, Ordering::Relaxed);
        return false;
    }
    let last = count.fetch_sub(1, Ordering::Release) == 1;
    if last {
        fence(Ordering::Acquire);
    }
    last
}

/// One more reference.
///
/// # Safety
/// It is a counted object, or null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cm_retain(object: *const u8) {
    // SAFETY: the caller's.
    unsafe { retain(object) };
}

/// One reference less to a string.
///
/// # Safety
/// The reference is the caller's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cm_release_str(text: Str) {
    // SAFETY: the caller's.
    unsafe {
        if drop_reference(text.0) {
            text.free();
        }
    }
}

/// One reference less to a slice.
///
/// # Safety
/// The reference is the caller's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cm_release_slice(header: *mut SliceHeader) {
    // SAFETY: the caller's; the block begins with the glue.
    unsafe {
        if drop_reference(header.cast()) {
            match header.cast::<u8>().sub(HEADER).cast::<Glue>().read() {
                None => slice::free_now(header),
                Some(_) => release::free(header.cast(), Kind::Slice),
            }
        }
    }
}

/// One reference less to an object of [`cm_alloc`].
///
/// # Safety
/// The reference is the caller's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cm_release(object: *mut u8) {
    // SAFETY: the caller's; the block begins with the glue.
    unsafe {
        if drop_reference(object) {
            match object.sub(HEADER).cast::<Glue>().read() {
                None => free_now(object),
                Some(_) => release::free(object, Kind::Plain),
            }
        }
    }
}

/// Releases what an object of [`cm_alloc`] refers to, and gives its memory back.
///
/// # Safety
/// Nobody uses it any more.
pub unsafe fn free_now(object: *mut u8) {
    // SAFETY: the caller's; the block begins with the glue.
    unsafe {
        let block = object.sub(HEADER);
        if let Some(glue) = block.cast::<Glue>().read() {
            glue(object, 1);
        }
        c::free(block.cast());
    }
}

/// `malloc` for memory that may be used for values at once: all of it is zero.
///
/// # Safety
/// None.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cm_malloc(size: u64) -> *mut u8 {
    // SAFETY: what the C library gives beyond the size is cleared too, for `cm_realloc`.
    unsafe {
        let block: *mut u8 = c::calloc(1, size as usize).cast();
        clear(block, size as usize, usable(block));
        block
    }
}

/// `realloc` for such memory: what is new is zero.
///
/// # Safety
/// The block is null or one of the C library.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cm_realloc(old: *mut u8, size: u64) -> *mut u8 {
    // SAFETY: the caller's.
    unsafe {
        let kept = Ord::min(usable(old), size as usize);
        let block: *mut u8 = c::realloc(old.cast(), size as usize).cast();
        clear(block, kept, usable(block));
        block
    }
}

/// How many bytes a block has.
///
/// # Safety
/// It is null or one of the C library.
unsafe fn usable(block: *mut u8) -> usize {
    // SAFETY: the caller's.
    if block.is_null() { 0 } else { unsafe { c::malloc_usable_size(block.cast()) } }
}

/// # Safety
/// The block has that many bytes.
unsafe fn clear(block: *mut u8, start: usize, end: usize) {
    if start < end {
        // SAFETY: the caller's.
        unsafe { core::ptr::write_bytes(block.add(start), 0, end - start) };
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
