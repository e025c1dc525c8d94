//! Slices: pointers to a header in front of which are glue and the reference count. The elements follow the
//! header (then they live as long as it does) or are a block of their own.

use crate::{
    c,
    memory::{self, Glue},
    string::within,
};
use core::ptr;

/// What a slice value points to.
#[repr(C)]
pub struct SliceHeader {
    /// The first element.
    pub data: *mut u8,
    /// Number of elements.
    pub len: u64,
    /// Number of elements there is room for.
    pub capacity: u64,
}

const HEADER: usize = memory::HEADER + size_of::<SliceHeader>();
/// The least room that pushing makes.
const FIRST_CAPACITY: u64 = 4;

/// A header with room for elements behind it; these are not cleared.
fn create(size: u64, len: u64, capacity: u64, glue: Glue) -> *mut SliceHeader {
    let total = bytes(size, capacity).checked_add(HEADER);
    let Some(total) = total else { memory::out_of_memory() };
    let block = memory::allocate(total);
    // SAFETY: the block has room for glue, count, header and elements.
    unsafe {
        block.cast::<Glue>().write(glue);
        block.add(8).cast::<i64>().write(1);
        let header = block.add(memory::HEADER).cast::<SliceHeader>();
        *header = SliceHeader { data: block.add(HEADER), len, capacity };
        header
    }
}

fn bytes(size: u64, count: u64) -> usize {
    let Some(bytes) = (size as usize).checked_mul(count as usize) else { memory::out_of_memory() };
    bytes
}

/// The elements of a slice when they follow its header.
fn behind(header: *const SliceHeader) -> *const u8 {
    header.wrapping_add(1).cast()
}

/// Releases the elements and gives the memory back.
///
/// # Safety
/// It is not static, and nobody uses it any more.
pub unsafe fn free_now(header: *mut SliceHeader) {
    // SAFETY: the caller's; the block begins with the glue.
    unsafe {
        let block = header.cast::<u8>().sub(memory::HEADER);
        let SliceHeader { data, len, .. } = *header;
        if let Some(glue) = block.cast::<Glue>().read() {
            glue(data, len);
        }
        if data.cast_const() != behind(header) {
            c::free(data.cast());
        }
        c::free(block.cast());
    }
}

/// A new slice of zeroed elements.
///
/// # Safety
/// The glue fits the elements.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cm_slice_new(
    size: u64,
    len: u64,
    capacity: u64,
    glue: Glue,
) -> *mut SliceHeader {
    let header = create(size, len, if capacity < len { len } else { capacity }, glue);
    // SAFETY: there is room for that many.
    unsafe { ptr::write_bytes((*header).data, 0, bytes(size, len)) };
    header
}

/// Makes room for one more element and gives its address.
///
/// # Safety
/// The place holds a slice of elements of this size, or null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cm_slice_push(
    place: *mut *mut SliceHeader,
    size: u64,
    glue: Glue,
) -> *mut u8 {
    // SAFETY: the caller's.
    unsafe {
        if (*place).is_null() || (**place).len == (**place).capacity {
            *place = cm_slice_grow(*place, size, glue);
        }
        let header = &mut **place;
        let element = header.data.add(header.len as usize * size as usize);
        header.len += 1;
        element
    }
}

/// Doubles the room; null becomes a new slice.
///
/// # Safety
/// It is a slice of elements of this size, or null.
#[unsafe(no_mangle)]
#[cold]
pub unsafe extern "C" fn cm_slice_grow(
    slice: *mut SliceHeader,
    size: u64,
    glue: Glue,
) -> *mut SliceHeader {
    if slice.is_null() {
        return create(size, 0, FIRST_CAPACITY, glue);
    }
    // SAFETY: the caller's; elements behind the header are no block and are moved out; others are one.
    unsafe {
        let header = &mut *slice;
        let Some(capacity) = header.capacity.checked_mul(2) else { memory::out_of_memory() };
        let capacity = Ord::max(capacity, FIRST_CAPACITY);
        let total = bytes(size, capacity);
        header.data = if header.data.cast_const() == behind(header) {
            let block = memory::allocate(total);
            memory::copy(block, header.data, bytes(size, header.len));
            block
        } else {
            memory::reallocate(header.data, total)
        };
        header.capacity = capacity;
    }
    slice
}

/// Removes an element, shifting the rest; nothing if out of range.
///
/// # Safety
/// It is a slice of elements of this size, or null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cm_slice_remove(slice: *mut SliceHeader, size: u64, index: i64) {
    // SAFETY: the caller's; the moved elements are inside the slice.
    unsafe {
        if slice.is_null() || (index as u64) >= (*slice).len {
            return;
        }
        let header = &mut *slice;
        header.len -= 1;
        let hole = header.data.add(index as usize * size as usize);
        ptr::copy(hole.add(size as usize), hole, bytes(size, header.len - index as u64));
    }
}

/// A new slice of copies of the elements a … b-1: negative bounds count from the end, then both are
/// clamped. References in them are not counted.
///
/// # Safety
/// The first argument points to that many elements of this size.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cm_slice_sub(
    data: *const u8,
    len: u64,
    size: u64,
    start: i64,
    end: i64,
    glue: Glue,
) -> *mut SliceHeader {
    let len = len as i64;
    let from_end = |bound: i64| if bound < 0 { len.saturating_add(bound) } else { bound };
    let (start, end) = (within(from_end(start), len), within(from_end(end), len));
    let count = end.saturating_sub(start) as u64;
    let header = create(size, count, count, glue);
    // SAFETY: the bounds are inside the elements.
    unsafe {
        memory::copy((*header).data, data.add(start * size as usize), bytes(size, count));
    }
    header
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    /// # Safety
    /// It is a slice of such elements.
    unsafe fn elements(slice: *const SliceHeader) -> Vec<u32> {
        // SAFETY: the caller's.
        unsafe {
            let header = &*slice;
            (0..header.len as usize).map(|i| *header.data.cast::<u32>().add(i)).collect()
        }
    }

    #[test]
    fn elements_are_pushed_removed_and_copied() {
        // SAFETY: all are slices of 32-bit elements.
        unsafe {
            let mut slice = ptr::null_mut();
            for value in 0..9u32 {
                *cm_slice_push(&mut slice, 4, None).cast::<u32>() = value;
            }
            assert_eq!(((*slice).len, (*slice).capacity), (9, 16));
            for index in [0, 3, -1, 7, 100] {
                cm_slice_remove(slice, 4, index);
            }
            assert_eq!(elements(slice), [1, 2, 3, 5, 6, 7, 8]);
            let sub = |a, b| elements(cm_slice_sub((*slice).data, (*slice).len, 4, a, b, None));
            assert_eq!(sub(1, 3), [2, 3]);
            assert_eq!(sub(-2, i64::MAX), [7, 8]);
            assert_eq!(sub(i64::MIN, -5), [1, 2]);
            assert_eq!(sub(5, 2), []);
            cm_slice_remove(ptr::null_mut(), 4, 0);
        }
    }

    #[test]
    fn a_new_slice_is_zeroed_and_grows() {
        // SAFETY: it is a slice of 32-bit elements.
        unsafe {
            let mut slice = cm_slice_new(4, 3, 3, None);
            *cm_slice_push(&mut slice, 4, None).cast::<u32>() = 7;
            assert_eq!(elements(slice), [0, 0, 0, 7]);
            assert_eq!((*slice).capacity, 6);
        }
    }

    static RELEASED: core::sync::atomic::AtomicU64 = core::sync::atomic::AtomicU64::new(0);

    unsafe extern "C" fn glue(_: *mut u8, count: u64) {
        RELEASED.fetch_add(count, core::sync::atomic::Ordering::Relaxed);
    }

    #[test]
    fn the_last_reference_releases_the_elements() {
        let released = || RELEASED.load(core::sync::atomic::Ordering::Relaxed);
        // SAFETY: it is a slice of 8-byte elements, and there are two references.
        unsafe {
            let mut slice = cm_slice_new(8, 3, 3, Some(glue));
            cm_slice_push(&mut slice, 8, Some(glue));
            memory::cm_retain(slice.cast());
            memory::cm_release_slice(slice);
            assert_eq!(((*slice).len, released()), (4, 0));
            memory::cm_release_slice(slice);
            memory::cm_release_slice(ptr::null_mut());
            assert_eq!(released(), 4);
            let object = memory::cm_alloc(16, Some(glue));
            memory::cm_release(object);
            assert_eq!(released(), 5);
        }
    }
}
