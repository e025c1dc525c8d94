//! Output and the end of the process. Everything goes through C's streams, so that it keeps its order
//! with what foreign functions write there.

use crate::{c, memory, string::Str};

/// Writes a string to standard output.
///
/// # Safety
/// Its argument is a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cm_print(text: Str) {
    // SAFETY: the bytes are those of the string, and the stream is open.
    unsafe { c::fwrite(text.bytes().cast(), 1, text.len(), c::stdout) };
}

/// Writes a string and a newline to standard output, in one piece.
///
/// # Safety
/// Its argument is a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cm_println(text: Str) {
    // SAFETY: the stream is locked meanwhile, and locks may be nested.
    unsafe {
        let stdout = c::stdout;
        c::flockfile(stdout);
        c::fwrite(text.bytes().cast(), 1, text.len(), stdout);
        c::putc_unlocked(b'\n'.into(), stdout);
        c::funlockfile(stdout);
    }
}

/// Writes a string to standard error.
///
/// # Safety
/// Its argument is a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cm_eprint(text: Str) {
    // SAFETY: the bytes are those of the string, and the stream is open.
    unsafe { c::fwrite(text.bytes().cast(), 1, text.len(), c::stderr) };
}

/// Flushes the streams, writes the message to standard error, and ends the process with status 101.
///
/// # Safety
/// Its argument is a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cm_panic(message: Str) -> ! {
    // SAFETY: the bytes are those of the string.
    unsafe { panic(message.bytes(), message.len()) }
}

/// The same with bytes that need not be a string.
///
/// # Safety
/// The bytes can be read.
pub unsafe fn panic(message: *const u8, len: usize) -> ! {
    const PREFIX: &[u8] = b"panic: ";
    // SAFETY: the buffer has room for the three parts; without one they are written one by one.
    unsafe {
        c::fflush(core::ptr::null_mut());
        let total = PREFIX.len() + len + 1;
        let buffer: *mut u8 = c::malloc(total).cast();
        if buffer.is_null() {
            c::fwrite(PREFIX.as_ptr().cast(), 1, PREFIX.len(), c::stderr);
            c::fwrite(message.cast(), 1, len, c::stderr);
            c::fwrite(b"\n".as_ptr().cast(), 1, 1, c::stderr);
        } else {
            memory::copy(buffer, PREFIX.as_ptr(), PREFIX.len());
            memory::copy(buffer.add(PREFIX.len()), message, len);
            *buffer.add(total - 1) = b'\n';
            c::fwrite(buffer.cast(), 1, total, c::stderr);
            c::free(buffer.cast());
        }
        c::_exit(101)
    }
}

/// Flushes C's streams.
#[cfg(not(cm_object))]
pub fn flush() {
    // SAFETY: null means all of them.
    unsafe { c::fflush(core::ptr::null_mut()) };
}
