//! The runtime library that Cm programs link: printing, strings, slices, panics.
//!
//! It is compiled twice. As a crate it is a part of the process that executes programs in memory,
//! which finds its functions through [`symbols`]; as [`OBJECT`] it is linked into executables. For
//! the second it must stand on libc alone: no dependencies, and nothing that can panic in Rust.
//!
//! The functions are called by the platform's C convention with the values that `docs/abi.md`
//! describes; cm-mir's `runtime` module is their table.
#![no_std]
#![expect(unsafe_code, reason = "it is what implements the memory of Cm programs")]

#[cfg(test)]
extern crate std;

mod atomic;
mod c;
mod float;
mod format;
mod io;
mod memory;
mod pipe;
mod release;
mod slice;
mod spec;
mod string;
mod test;
mod tls;

#[cfg(not(cm_object))]
pub use io::flush;
pub use slice::SliceHeader;
pub use string::Str;

/// The library as a relocatable object for the target this crate was built for.
#[cfg(not(cm_object))]
pub const OBJECT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/runtime.o"));

macro_rules! symbols {
    ($($module:ident::$name:ident),* $(,)?) => {
        /// Every function of the library by its linker symbol.
        #[cfg(not(cm_object))]
        pub fn symbols() -> &'static [(&'static str, Symbol)] {
            static SYMBOLS: &[(&str, Symbol)] =
                &[$((stringify!($name), Symbol($module::$name as *const ())),)*];
            SYMBOLS
        }
    };
}

/// The address of a function.
#[cfg(not(cm_object))]
#[derive(Clone, Copy, Debug)]
pub struct Symbol(pub *const ());

// SAFETY: functions can be called from every thread.
#[cfg(not(cm_object))]
unsafe impl Sync for Symbol {}

symbols! {
    io::cm_print, io::cm_println, io::cm_eprint, io::cm_panic,
    memory::cm_alloc, memory::cm_retain, memory::cm_release, memory::cm_release_str,
    memory::cm_release_slice, memory::cm_malloc, memory::cm_realloc,
    string::cm_str_concat, string::cm_str_concat_n, string::cm_str_append, string::cm_str_append_n,
    string::cm_str_eq, string::cm_str_cmp,
    string::cm_str_len, string::cm_str_at, string::cm_str_slice, string::cm_str_index_of,
    string::cm_str_starts_with, string::cm_str_ends_with, string::cm_str_upper,
    string::cm_str_lower, string::cm_str_trim, string::cm_str_repeat, string::cm_str_replace,
    string::cm_str_hash, string::cm_str_from_c, string::cm_str_from_bytes,
    format::cm_fmt_signed, format::cm_fmt_unsigned, format::cm_fmt_bool, format::cm_fmt_char,
    format::cm_fmt_str, float::cm_fmt_float,
    test::cm_test_number,
    atomic::cm_atomic_load_i32, atomic::cm_atomic_store_i32, atomic::cm_atomic_add_i32,
    atomic::cm_atomic_exchange_i32,
    atomic::cm_atomic_load_i64, atomic::cm_atomic_store_i64, atomic::cm_atomic_add_i64,
    atomic::cm_atomic_exchange_i64,
    tls::cm_tls_open, tls::cm_tls_read, tls::cm_tls_write, tls::cm_tls_close,
    slice::cm_slice_new, slice::cm_slice_push, slice::cm_slice_grow, slice::cm_slice_remove,
    slice::cm_slice_sub,
}
