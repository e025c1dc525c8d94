//! Memory of the process that becomes executable.

use std::{io, ptr};

/// Pages of this process, zeroed and writable at first. They are never given back.
pub struct Pages {
    start: *mut u8,
    len: usize,
}

/// What may be done with pages beside reading.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    Nothing,
    Execute,
}

/// Size of a page; no system that we run on has larger ones.
pub const PAGE: usize = 1 << 16;

impl Pages {
    /// Maps pages for this many bytes.
    pub fn map(len: usize) -> io::Result<Pages> {
        let len = len.max(1).next_multiple_of(PAGE);
        let (protection, flags) =
            (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: a new mapping disturbs nobody.
        let start = unsafe { libc::mmap(ptr::null_mut(), len, protection, flags, -1, 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Pages { start: start.cast(), len })
    }

    /// Address of the first byte.
    pub fn address(&self) -> u64 {
        self.start.addr() as u64
    }

    /// The bytes, before any of them is protected.
    pub fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: the mapping has this length, and this value alone refers to it.
        unsafe { std::slice::from_raw_parts_mut(self.start, self.len) }
    }

    /// Has the first bytes backed by memory at once, since to fault for each page when it is written
    /// costs several times as much.
    pub fn populate(&mut self, len: usize) {
        // SAFETY: the range is inside the mapping, and what it contains stays. Linux before 5.14 refuses,
        // and does it page by page.
        unsafe { libc::madvise(self.start.cast(), len.min(self.len), libc::MADV_POPULATE_WRITE) };
    }

    /// Takes the right to write to a range of whole pages, and may give that to execute.
    pub fn protect(&self, start: usize, end: usize, access: Access) -> io::Result<()> {
        if start == end {
            return Ok(());
        }
        let protection = match access {
            Access::Nothing => libc::PROT_READ,
            Access::Execute => libc::PROT_READ | libc::PROT_EXEC,
        };
        #[cfg(target_arch = "aarch64")]
        // SAFETY: the range is inside the mapping.
        unsafe {
            __clear_cache(self.start.add(start).cast(), self.start.add(end).cast());
        }
        // SAFETY: the range is inside the mapping, and nobody has a reference to its bytes.
        let done = unsafe { libc::mprotect(self.start.add(start).cast(), end - start, protection) };
        if done != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    }
}

#[cfg(target_arch = "aarch64")]
unsafe extern "C" {
    /// Of the compiler's run-time library: makes new code visible to the processor.
    fn __clear_cache(start: *mut libc::c_void, end: *mut libc::c_void);
}

/// Makes a library a part of this process.
pub fn load(path: &std::path::Path) -> Result<(), String> {
    let name =
        std::ffi::CString::new(path.as_os_str().as_encoded_bytes()).map_err(|e| e.to_string())?;
    // SAFETY: its initializers run, as they would at the start of an executable.
    let library = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL) };
    if !library.is_null() {
        return Ok(());
    }
    // SAFETY: a call failed, so there is a message.
    let message = unsafe { std::ffi::CStr::from_ptr(libc::dlerror()) };
    Err(message.to_string_lossy().into_owned())
}

/// The address of a symbol in the libraries of this process.
pub fn process_symbol(name: &[u8]) -> Option<u64> {
    // The C library has no dynamic symbol for it.
    if name == b"atexit" {
        return Some(libc::atexit as *const () as u64);
    }
    let name = std::ffi::CString::new(name).ok()?;
    // SAFETY: the math library's initializers do no harm; it is not always a part of the process.
    unsafe {
        let find = || libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr());
        let mut address = find();
        if address.is_null() {
            libc::dlopen(c"libm.so.6".as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL);
            address = find();
        }
        (!address.is_null()).then(|| address.addr() as u64)
    }
}
