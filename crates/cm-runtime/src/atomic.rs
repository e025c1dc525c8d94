//! Numbers in the program's memory that several threads change: what `native::sync::atomic` stands on.

use core::sync::atomic::{AtomicI32, AtomicI64, Ordering::SeqCst};

macro_rules! atomics {
    ($int:ident, $atomic:ident, $load:ident, $store:ident, $add:ident, $exchange:ident) => {
        /// The number.
        ///
        /// # Safety
        /// The pointer is aligned and to a number that lives.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $load(at: *mut $int) -> $int {
            // SAFETY: the caller's.
            unsafe { $atomic::from_ptr(at) }.load(SeqCst)
        }

        /// Replaces the number.
        ///
        /// # Safety
        /// The pointer is aligned and to a number that lives.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $store(at: *mut $int, value: $int) {
            // SAFETY: the caller's.
            unsafe { $atomic::from_ptr(at) }.store(value, SeqCst);
        }

        /// Adds, wrapping around, and gives the number before.
        ///
        /// # Safety
        /// The pointer is aligned and to a number that lives.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $add(at: *mut $int, value: $int) -> $int {
            // SAFETY: the caller's.
            unsafe { $atomic::from_ptr(at) }.fetch_add(value, SeqCst)
        }

        /// Replaces the number if it is `*expected`; else `*expected` becomes what it is.
        ///
        /// # Safety
        /// The pointers are aligned and to numbers that live; nobody else uses the second.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $exchange(
            at: *mut $int,
            expected: *mut $int,
            desired: $int,
        ) -> bool {
            // SAFETY: the caller's.
            let (number, expected) = unsafe { ($atomic::from_ptr(at), &mut *expected) };
            match number.compare_exchange(*expected, desired, SeqCst, SeqCst) {
                Ok(_) => true,
                Err(found) => {
                    *expected = found;
                    false
                }
            }
        }
    };
}

atomics!(
    i32,
    AtomicI32,
    cm_atomic_load_i32,
    cm_atomic_store_i32,
    cm_atomic_add_i32,
    cm_atomic_exchange_i32
);
atomics!(
    i64,
    AtomicI64,
    cm_atomic_load_i64,
    cm_atomic_store_i64,
    cm_atomic_add_i64,
    cm_atomic_exchange_i64
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exchange_tells_what_it_found() {
        let (mut number, mut expected) = (5, 4);
        // SAFETY: both are local variables.
        unsafe {
            assert!(!cm_atomic_exchange_i32(&raw mut number, &raw mut expected, 9));
            assert_eq!((number, expected), (5, 5));
            assert!(cm_atomic_exchange_i32(&raw mut number, &raw mut expected, 9));
            assert_eq!((number, expected), (9, 5));
        }
    }

    #[test]
    fn sums_wrap_around() {
        let mut number = i64::MAX;
        // SAFETY: it is a local variable.
        unsafe {
            assert_eq!(cm_atomic_add_i64(&raw mut number, 1), i64::MAX);
            assert_eq!(cm_atomic_load_i64(&raw mut number), i64::MIN);
        }
    }
}
