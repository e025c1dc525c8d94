//! Frees objects that refer to others: one after the other, not one inside the other. So it takes no stack,
//! however long a list is.

use crate::{
    c,
    memory::{self, COUNT, is_alone},
    slice,
};
use core::{
    ptr,
    sync::atomic::{AtomicPtr, AtomicU64, Ordering},
};

/// What an object is.
#[derive(Clone, Copy)]
pub enum Kind {
    /// It is from `cm_alloc`.
    Plain,
    /// It is the header of a slice.
    Slice,
}

/// What a thread that frees an object has to free after it: a list through the counts, which nobody needs
/// any more. The lowest bit of an address is set if that is a slice's.
struct Work {
    pending: *mut u8,
}

/// The work of the only thread; null while it frees nothing.
static ALONE: AtomicPtr<Work> = AtomicPtr::new(ptr::null_mut());

/// One more than the key by which other threads find theirs; 0 if there is none yet.
static KEY: AtomicU64 = AtomicU64::new(0);

/// Releases what an object refers to and frees it: now, or after the object that referred to it.
///
/// # Safety
/// The last reference to it is dropped, and its glue is not null.
pub unsafe fn free(object: *mut u8, kind: Kind) {
    // SAFETY: the caller's. The work belongs to a call of this function that waits for this one.
    unsafe {
        let outer = current();
        if !outer.is_null() {
            next(object).write((*outer).pending);
            (*outer).pending = object.map_addr(|address| address | kind as usize);
            return;
        }
        let mut work = Work { pending: ptr::null_mut() };
        // From here on by the pointer alone, as inner calls do.
        let work = &raw mut work;
        set_current(work);
        free_one(object, kind);
        while !(*work).pending.is_null() {
            let last = (*work).pending;
            let kind = if last.addr() & 1 == 0 { Kind::Plain } else { Kind::Slice };
            let object = last.map_addr(|address| address & !1);
            (*work).pending = next(object).read();
            free_one(object, kind);
        }
        set_current(ptr::null_mut());
    }
}

/// # Safety
/// As of [`free`].
unsafe fn free_one(object: *mut u8, kind: Kind) {
    // SAFETY: the caller's.
    unsafe {
        match kind {
            Kind::Plain => memory::free_now(object),
            Kind::Slice => slice::free_now(object.cast()),
        }
    }
}

/// Where the next object of a list is.
fn next(object: *mut u8) -> *mut *mut u8 {
    object.wrapping_sub(COUNT).cast()
}

fn current() -> *mut Work {
    if is_alone() {
        return ALONE.load(Ordering::Relaxed);
    }
    match KEY.load(Ordering::Acquire) {
        0 => ptr::null_mut(),
        // SAFETY: it is a key.
        key => unsafe { c::pthread_getspecific((key - 1) as c::Key).cast() },
    }
}

fn set_current(work: *mut Work) {
    if is_alone() {
        ALONE.store(work, Ordering::Relaxed);
    } else if let Some(key) = key() {
        // SAFETY: it is a key. Where there is no memory for the value, objects are freed inside others.
        unsafe { c::pthread_setspecific(key, work.cast()) };
    }
}

/// The key, made when it is first needed.
fn key() -> Option<c::Key> {
    let known = KEY.load(Ordering::Acquire);
    if known > 0 {
        return Some((known - 1) as c::Key);
    }
    let mut made: c::Key = 0;
    // SAFETY: the key is written to.
    if unsafe { c::pthread_key_create(&mut made, None) } != 0 {
        return None;
    }
    let new = u64::from(made) + 1;
    match KEY.compare_exchange(0, new, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => Some(made),
        Err(other) => {
            // SAFETY: nobody has seen this key.
            unsafe { c::pthread_key_delete(made) };
            Some((other - 1) as c::Key)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static FREED: AtomicU64 = AtomicU64::new(0);

    /// The objects refer to one another by their first word.
    unsafe extern "C" fn glue(first: *mut u8, _: u64) {
        FREED.fetch_add(1, Ordering::Relaxed);
        // SAFETY: it is such an object, or a slice of one.
        unsafe { memory::cm_release(first.cast::<*mut u8>().read()) };
    }

    #[test]
    fn long_lists_are_freed() {
        const LENGTH: u64 = 300_000;
        let release = || {
            let mut list = ptr::null_mut();
            for _ in 0..LENGTH {
                // SAFETY: the object has one word, which refers to the one before.
                unsafe {
                    let object = memory::cm_alloc(8, Some(glue));
                    object.cast::<*mut u8>().write(list);
                    list = object;
                }
            }
            // SAFETY: it is the only reference.
            unsafe { memory::cm_release(list) };
        };
        std::thread::scope(|scope| (0..2).for_each(|_| drop(scope.spawn(release))));
        assert_eq!(FREED.load(Ordering::Relaxed), 2 * LENGTH);
    }
}
