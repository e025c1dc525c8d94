//! Strings: pointers to NUL-terminated bytes, before which are capacity, length and reference count.
//! Static ones have no capacity.

use crate::{
    c,
    memory::{self, COUNT},
};
use core::ptr;

/// A string; null is the empty one.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Str(pub(crate) *const u8);

/// Bytes of length and reference count.
const HEADER: usize = 8 + COUNT;
/// Where the block of a string begins that is not static: with its capacity.
const BLOCK: usize = 8 + HEADER;

impl Str {
    /// The empty string.
    pub const EMPTY: Str = Str(ptr::null());

    /// Number of bytes.
    #[inline]
    pub fn len(self) -> usize {
        // SAFETY: whoever made this value vouched for the header.
        if self.0.is_null() { 0 } else { unsafe { *self.0.sub(HEADER).cast::<usize>() } }
    }

    /// Has no bytes.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The bytes; never null.
    #[inline]
    pub fn bytes(self) -> *const u8 {
        if self.0.is_null() { c"".as_ptr().cast() } else { self.0 }
    }

    /// A new string, to be filled; null if it is empty.
    pub fn with_len(len: usize) -> (Str, *mut u8) {
        if len == 0 {
            return (Str::EMPTY, ptr::null_mut());
        }
        let block = memory::allocate(block_size(len));
        // SAFETY: the block has room for the header, the bytes and NUL.
        unsafe {
            block.cast::<usize>().write(len);
            block.add(BLOCK - COUNT).cast::<i64>().write(1);
            let text = Str(block.add(BLOCK));
            text.set_len(len);
            (text, block.add(BLOCK))
        }
    }

    /// # Safety
    /// It is not static, has this capacity, and is not shared.
    unsafe fn set_len(self, len: usize) {
        // SAFETY: the caller's.
        unsafe {
            self.0.sub(HEADER).cast_mut().cast::<usize>().write(len);
            self.0.add(len).cast_mut().write(0);
        }
    }

    /// Gives the memory back.
    ///
    /// # Safety
    /// It is not static, and nobody uses it any more.
    pub unsafe fn free(self) {
        // SAFETY: the caller's.
        unsafe { c::free(self.0.sub(BLOCK).cast_mut().cast()) };
    }

    /// The same string with room for so many bytes, at least. It may move.
    ///
    /// # Safety
    /// It is not static, and not shared.
    #[inline]
    unsafe fn reserve(self, len: usize) -> Str {
        // SAFETY: the caller's; the block begins with the capacity.
        unsafe {
            let block = self.0.sub(BLOCK).cast_mut();
            let capacity = block.cast::<usize>().read();
            if len <= capacity {
                self
            } else {
                self.grow(Ord::max(len, capacity.saturating_mul(2)))
            }
        }
    }

    /// The same string with room for so many bytes. It may move.
    ///
    /// # Safety
    /// It is not static, and not shared.
    #[cold]
    unsafe fn grow(self, capacity: usize) -> Str {
        // SAFETY: the caller's.
        unsafe {
            let block = self.0.sub(BLOCK).cast_mut();
            let block = memory::reallocate(block, block_size(capacity));
            block.cast::<usize>().write(capacity);
            Str(block.add(BLOCK))
        }
    }

    /// A new string of these bytes.
    ///
    /// # Safety
    /// They can be read.
    pub unsafe fn copy(bytes: *const u8, len: usize) -> Str {
        let (text, to) = Str::with_len(len);
        // SAFETY: a new string has that many bytes.
        unsafe { memory::copy(to, bytes, len) };
        text
    }

    /// Another reference to the same string.
    fn share(self) -> Str {
        // SAFETY: strings are counted.
        unsafe { memory::retain(self.0) };
        self
    }

    /// A new string of a part of this one.
    fn part(self, start: usize, end: usize) -> Str {
        if start == 0 && end == self.len() {
            return self.share();
        }
        // SAFETY: callers give positions inside the string.
        unsafe { Str::copy(self.bytes().add(start), end - start) }
    }

    fn find(self, part: Str) -> Option<usize> {
        // SAFETY: both are strings.
        let found =
            unsafe { c::memmem(self.bytes().cast(), self.len(), part.bytes().cast(), part.len()) };
        (!found.is_null()).then(|| found as usize - self.bytes() as usize)
    }

    fn has_at(self, position: usize, part: Str) -> bool {
        // SAFETY: callers give a position that many bytes before the end.
        unsafe { same(self.bytes().add(position), part.bytes(), part.len()) }
    }

    fn map(self, f: impl Fn(u8) -> u8) -> Str {
        let (text, to) = Str::with_len(self.len());
        for index in 0..self.len() {
            // SAFETY: both strings have this length.
            unsafe { *to.add(index) = f(*self.bytes().add(index)) };
        }
        text
    }
}

/// # Safety
/// Both ranges can be read.
unsafe fn same(a: *const u8, b: *const u8, len: usize) -> bool {
    // SAFETY: the caller's.
    unsafe { c::memcmp(a.cast(), b.cast(), len) == 0 }
}

/// The block of a string with room for so many bytes.
fn block_size(len: usize) -> usize {
    match len.checked_add(BLOCK + 1) {
        Some(size) => size,
        None => memory::out_of_memory(),
    }
}

/// Both strings in a new one.
#[unsafe(no_mangle)]
pub extern "C" fn cm_str_concat(a: Str, b: Str) -> Str {
    if b.is_empty() {
        return a.share();
    }
    if a.is_empty() {
        return b.share();
    }
    let (text, to) = Str::with_len(a.len().saturating_add(b.len()));
    // SAFETY: the new string is as long as both.
    unsafe {
        memory::copy(to, a.bytes(), a.len());
        memory::copy(to.add(a.len()), b.bytes(), b.len());
    }
    text
}

/// All strings of an array in a new one.
///
/// # Safety
/// The first argument points to that many strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cm_str_concat_n(parts: *const Str, count: u64) -> Str {
    // SAFETY: the caller's.
    let part = |index: u64| unsafe { *parts.add(index as usize) };
    let len = (0..count).fold(0usize, |len, index| len.saturating_add(part(index).len()));
    let (text, mut to) = Str::with_len(len);
    for index in 0..count {
        let part = part(index);
        // SAFETY: the new string is as long as all parts.
        unsafe {
            memory::copy(to, part.bytes(), part.len());
            to = to.add(part.len());
        }
    }
    text
}

/// Both strings in one that takes over the reference to the first.
///
/// # Safety
/// The reference is the caller's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cm_str_append(a: Str, b: Str) -> Str {
    // SAFETY: the caller's; a string that is not null is one that is not freed.
    unsafe {
        if a.0.is_null() || b.is_empty() || a.0 == b.0 || !memory::is_unique(a.0) {
            return cm_str_append_n([a, b].as_ptr(), 2);
        }
        let (old_len, added) = (a.len(), b.len());
        let result = a.reserve(old_len.saturating_add(added));
        memory::copy(result.0.cast_mut().add(old_len), b.0, added);
        result.set_len(old_len + added);
        result
    }
}

/// All strings of an array in one that takes over the reference to the first.
///
/// # Safety
/// The first argument points to that many strings, one at least; the reference is the caller's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cm_str_append_n(parts: *const Str, count: u64) -> Str {
    // SAFETY: the caller's.
    let part = |index: u64| unsafe { *parts.add(index as usize) };
    let (first, old_len) = (part(0), part(0).len());
    // SAFETY: a string that is not null is one that is not freed. Parts that are the first string
    // move with it, and their bytes stay as they are.
    unsafe {
        if first.0.is_null() || !memory::is_unique(first.0) {
            let joined = match (count, first.is_empty()) {
                (2, true) => part(1).share(),
                _ => cm_str_concat_n(parts, count),
            };
            memory::cm_release_str(first);
            return joined;
        }
        let len = (1..count).fold(old_len, |len, index| len.saturating_add(part(index).len()));
        if len == old_len {
            return first;
        }
        let result = first.reserve(len);
        let mut end = old_len;
        for index in 1..count {
            let (bytes, added) = match part(index) {
                same if same.0 == first.0 => (result.0, old_len),
                other => (other.bytes(), other.len()),
            };
            memory::copy(result.0.cast_mut().add(end), bytes, added);
            end += added;
        }
        result.set_len(len);
        result
    }
}

/// Same bytes.
#[unsafe(no_mangle)]
pub extern "C" fn cm_str_eq(a: Str, b: Str) -> bool {
    // SAFETY: both have this length.
    a.0 == b.0 || a.len() == b.len() && unsafe { same(a.bytes(), b.bytes(), a.len()) }
}

/// Negative, zero or positive, by unsigned bytes.
#[unsafe(no_mangle)]
pub extern "C" fn cm_str_cmp(a: Str, b: Str) -> i32 {
    let (a_len, b_len) = (a.len(), b.len());
    // SAFETY: both have at least this length.
    let order =
        unsafe { c::memcmp(a.bytes().cast(), b.bytes().cast(), core::cmp::min(a_len, b_len)) };
    if order != 0 { order.signum() } else { i32::from(a_len > b_len) - i32::from(a_len < b_len) }
}

/// Length in bytes.
#[unsafe(no_mangle)]
pub extern "C" fn cm_str_len(text: Str) -> u64 {
    text.len() as u64
}

/// The byte at an index; 0 if out of range.
#[unsafe(no_mangle)]
pub extern "C" fn cm_str_at(text: Str, index: i64) -> u8 {
    // SAFETY: the index is in range; a negative one is a huge unsigned one.
    if (index as u64) < text.len() as u64 { unsafe { *text.0.add(index as usize) } } else { 0 }
}

/// `s[a:b]`: a negative start means `len + a`, a negative end `len + 1 + b`; then both are clamped.
#[unsafe(no_mangle)]
pub extern "C" fn cm_str_slice(text: Str, start: i64, end: i64) -> Str {
    let len = text.len() as i64;
    let start = if start < 0 { len.saturating_add(start) } else { start };
    let end = if end < 0 { len.saturating_add(1).saturating_add(end) } else { end };
    let (start, end) = (within(start, len), within(end, len));
    if start >= end { Str::EMPTY } else { text.part(start, end) }
}

/// The number, or the nearest bound of `0 ..= len`.
pub fn within(position: i64, len: i64) -> usize {
    (if position < 0 {
        0
    } else if position > len {
        len
    } else {
        position
    }) as usize
}

/// First position, or -1.
#[unsafe(no_mangle)]
pub extern "C" fn cm_str_index_of(text: Str, part: Str) -> i64 {
    text.find(part).map_or(-1, |position| position as i64)
}

/// Begins with.
#[unsafe(no_mangle)]
pub extern "C" fn cm_str_starts_with(text: Str, part: Str) -> bool {
    part.len() <= text.len() && text.has_at(0, part)
}

/// Ends with.
#[unsafe(no_mangle)]
pub extern "C" fn cm_str_ends_with(text: Str, part: Str) -> bool {
    part.len() <= text.len() && text.has_at(text.len() - part.len(), part)
}

/// ASCII upper case.
#[unsafe(no_mangle)]
pub extern "C" fn cm_str_upper(text: Str) -> Str {
    text.map(|byte| byte.to_ascii_uppercase())
}

/// ASCII lower case.
#[unsafe(no_mangle)]
pub extern "C" fn cm_str_lower(text: Str) -> Str {
    text.map(|byte| byte.to_ascii_lowercase())
}

/// Without blanks at the ends.
#[unsafe(no_mangle)]
pub extern "C" fn cm_str_trim(text: Str) -> Str {
    let (mut start, mut end) = (0, text.len());
    // SAFETY: positions stay inside the string.
    let blank =
        |position| matches!(unsafe { *text.bytes().add(position) }, b' ' | b'\t' | b'\n' | b'\r');
    while start < end && blank(start) {
        start += 1;
    }
    while end > start && blank(end - 1) {
        end -= 1;
    }
    text.part(start, end)
}

/// n copies.
#[unsafe(no_mangle)]
pub extern "C" fn cm_str_repeat(text: Str, count: i64) -> Str {
    if count <= 0 || text.is_empty() {
        return Str::EMPTY;
    }
    let (text_len, count) = (text.len(), count as usize);
    let Some(len) = text_len.checked_mul(count) else { memory::out_of_memory() };
    let (result, to) = Str::with_len(len);
    for index in 0..count {
        // SAFETY: the new string has room for all copies.
        unsafe { memory::copy(to.add(index * text_len), text.bytes(), text_len) };
    }
    result
}

/// First occurrence of the second replaced by the third.
#[unsafe(no_mangle)]
pub extern "C" fn cm_str_replace(text: Str, part: Str, by: Str) -> Str {
    let Some(start) = text.find(part) else { return text.share() };
    let end = start + part.len();
    let (result, to) = Str::with_len((text.len() - part.len()).saturating_add(by.len()));
    // SAFETY: the new string is as long as the three pieces.
    unsafe {
        memory::copy(to, text.bytes(), start);
        memory::copy(to.add(start), by.bytes(), by.len());
        memory::copy(to.add(start + by.len()), text.bytes().add(end), text.len() - end);
    }
    result
}

/// FNV-1a.
#[unsafe(no_mangle)]
pub extern "C" fn cm_str_hash(text: Str) -> i32 {
    let mut hash = 0x811c_9dc5_u32;
    for index in 0..text.len() {
        // SAFETY: inside the string.
        hash = (hash ^ u32::from(unsafe { *text.bytes().add(index) })).wrapping_mul(0x0100_0193);
    }
    hash as i32
}

/// A copy of foreign bytes up to the NUL; null gives "".
///
/// # Safety
/// The argument is null or points to NUL-terminated bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cm_str_from_c(bytes: *const u8) -> Str {
    if bytes.is_null() {
        return Str::EMPTY;
    }
    // SAFETY: the caller's.
    unsafe { Str::copy(bytes, c::strlen(bytes.cast())) }
}

/// A copy of this many bytes.
///
/// # Safety
/// They can be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cm_str_from_bytes(bytes: *const u8, len: usize) -> Str {
    // SAFETY: the caller's.
    unsafe { Str::copy(bytes, len) }
}

#[cfg(test)]
#[path = "string_tests.rs"]
mod tests;
