//! Writing to what nobody reads any more. The system sends a signal then, which ends the process; a
//! program that asked for a connection wants an error instead.

use crate::c;
use core::{mem::MaybeUninit, ptr::null_mut};

/// Does something, in the course of which such a signal may come and is dropped. The rest of the
/// process goes on as before: no handler is changed, and other threads see nothing.
pub fn quietly<R>(work: impl FnOnce() -> R) -> R {
    let mut old = MaybeUninit::uninit();
    // SAFETY: sets of signals may be written to where they are.
    let pipe = unsafe {
        let mut pipe = MaybeUninit::uninit();
        c::sigemptyset(pipe.as_mut_ptr());
        c::sigaddset(pipe.as_mut_ptr(), c::SIGPIPE);
        pipe.assume_init()
    };
    let waiting = is_pending();
    // SAFETY: both sets are there, and `old` is written if the call succeeds.
    let blocked =
        unsafe { c::pthread_sigmask(c::SIG_BLOCK, &raw const pipe, old.as_mut_ptr()) == 0 };
    let result = work();
    if blocked {
        if !waiting && is_pending() {
            let mut signal = 0;
            // SAFETY: the signal is pending, so that this takes it without waiting.
            unsafe { c::sigwait(&raw const pipe, &raw mut signal) };
        }
        // SAFETY: it was written above.
        unsafe { c::pthread_sigmask(c::SIG_SETMASK, old.as_ptr(), null_mut()) };
    }
    result
}

/// Whether the signal has come and was not delivered.
fn is_pending() -> bool {
    let mut pending = MaybeUninit::uninit();
    // SAFETY: it is written if the call succeeds.
    unsafe {
        c::sigpending(pending.as_mut_ptr()) == 0
            && c::sigismember(pending.as_ptr(), c::SIGPIPE) == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Write, pipe};

    unsafe extern "C" {
        fn signal(number: core::ffi::c_int, action: usize) -> usize;
    }

    #[test]
    fn a_broken_pipe_is_an_error() {
        let (reader, mut writer) = pipe().expect("a pipe");
        drop(reader);
        // SAFETY: 0 is the default action, which ends the process. It is for this test to show that it
        // does not.
        unsafe { signal(c::SIGPIPE, 0) };
        for _ in 0..2 {
            let written = quietly(|| writer.write(b"x"));
            assert_eq!(written.map_err(|error| error.kind()), Err(std::io::ErrorKind::BrokenPipe));
            assert!(!is_pending());
        }
        assert_eq!(quietly(|| 7), 7);
    }
}
