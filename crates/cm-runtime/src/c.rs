//! What is used of the C library.

use core::ffi::{c_char, c_int, c_void};

/// Of `dlopen`: all symbols of the library are looked up at once.
pub const RTLD_NOW: c_int = 2;

/// A write to what nobody reads.
pub const SIGPIPE: c_int = 13;
/// Of `pthread_sigmask`: these signals wait from now on.
pub const SIG_BLOCK: c_int = if cfg!(target_os = "linux") { 0 } else { 1 };
/// Of `pthread_sigmask`: these signals wait, and no others.
pub const SIG_SETMASK: c_int = if cfg!(target_os = "linux") { 2 } else { 3 };

/// `sigset_t`, which takes no more than this anywhere.
#[repr(C, align(8))]
pub struct Signals([u8; 128]);

/// `FILE`.
#[repr(C)]
pub struct File {
    opaque: [u8; 0],
}

unsafe extern "C" {
    #[cfg_attr(target_vendor = "apple", link_name = "__stdoutp")]
    pub static mut stdout: *mut File;
    #[cfg_attr(target_vendor = "apple", link_name = "__stderrp")]
    pub static mut stderr: *mut File;

    pub fn fwrite(data: *const c_void, size: usize, count: usize, file: *mut File) -> usize;
    pub fn fflush(file: *mut File) -> c_int;
    pub fn flockfile(file: *mut File);
    pub fn funlockfile(file: *mut File);
    pub fn putc_unlocked(byte: c_int, file: *mut File) -> c_int;
    pub fn snprintf(buffer: *mut c_char, size: usize, format: *const c_char, ...) -> c_int;
    pub fn _exit(status: c_int) -> !;
    pub fn getenv(name: *const c_char) -> *const c_char;
    pub fn atoi(text: *const c_char) -> c_int;

    pub fn sigemptyset(set: *mut Signals) -> c_int;
    pub fn sigaddset(set: *mut Signals, signal: c_int) -> c_int;
    pub fn sigismember(set: *const Signals, signal: c_int) -> c_int;
    pub fn sigpending(set: *mut Signals) -> c_int;
    pub fn sigwait(set: *const Signals, signal: *mut c_int) -> c_int;
    pub fn pthread_sigmask(how: c_int, set: *const Signals, old: *mut Signals) -> c_int;

    pub fn dlopen(name: *const c_char, flags: c_int) -> *mut c_void;
    pub fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;

    pub fn malloc(size: usize) -> *mut c_void;
    pub fn calloc(count: usize, size: usize) -> *mut c_void;
    pub fn realloc(old: *mut c_void, size: usize) -> *mut c_void;
    pub fn free(old: *mut c_void);
    #[cfg_attr(target_vendor = "apple", link_name = "malloc_size")]
    pub fn malloc_usable_size(block: *mut c_void) -> usize;
    /// Not zero while there was never a second thread (`sys/single_threaded.h`).
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    pub static __libc_single_threaded: c_char;
    pub fn memcmp(a: *const c_void, b: *const c_void, size: usize) -> c_int;
    pub fn strlen(text: *const c_char) -> usize;
    pub fn memmem(
        text: *const c_void,
        text_len: usize,
        part: *const c_void,
        part_len: usize,
    ) -> *mut c_void;
}

/// `pthread_key_t`.
#[cfg(target_vendor = "apple")]
pub type Key = core::ffi::c_ulong;
/// `pthread_key_t`.
#[cfg(not(target_vendor = "apple"))]
pub type Key = core::ffi::c_uint;

unsafe extern "C" {
    pub fn pthread_key_create(
        key: *mut Key,
        destructor: Option<unsafe extern "C" fn(*mut c_void)>,
    ) -> c_int;
    pub fn pthread_key_delete(key: Key) -> c_int;
    pub fn pthread_getspecific(key: Key) -> *mut c_void;
    pub fn pthread_setspecific(key: Key, value: *const c_void) -> c_int;
}

#[cfg(cm_object)]
unsafe extern "C" {
    fn __cxa_atexit(
        function: extern "C" fn(*mut c_void),
        argument: *mut c_void,
        image: *mut c_void,
    ) -> c_int;
}

/// C's own is in a static library that only system linkers know.
///
/// # Safety
/// None.
#[cfg(cm_object)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atexit(function: extern "C" fn()) -> c_int {
    // SAFETY: a function does not mind an argument that it does not have.
    unsafe {
        let function: extern "C" fn(*mut c_void) = core::mem::transmute(function);
        __cxa_atexit(function, core::ptr::null_mut(), core::ptr::null_mut())
    }
}
