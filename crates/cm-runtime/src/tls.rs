//! TLS for `native::http`, by the OpenSSL of the machine. It is loaded when a program first asks for it:
//! one that never does needs no such library. OpenSSL writes to connections that may be gone: [`quietly`].

use crate::{c, pipe::quietly};
use core::{
    ffi::{CStr, c_char, c_int, c_long, c_void},
    mem::transmute_copy,
    ptr::null_mut,
};

/// What a [`cm_tls_open`] without result reports.
const NO_LIBRARY: c_int = 1;
const NOT_TRUSTED: c_int = 2;
const NO_AGREEMENT: c_int = 3;

const VERIFY_PEER: c_int = 1;
const SET_HOST_NAME: c_int = 55;
const NAME_IS_HOST: c_long = 0;

type Context = *mut c_void;
type Session = *mut c_void;

/// The function of OpenSSL with a name. `None`: there is no OpenSSL, or it has no such function.
fn find<F: Copy>(name: &CStr) -> Option<F> {
    const { assert!(size_of::<F>() == size_of::<*mut c_void>()) }
    let versions = [c"libssl.so.3", c"libssl.so.1.1"];
    // SAFETY: the initializers of OpenSSL do no harm. A library that is loaded again stays one.
    let library = versions.iter().find_map(|version| unsafe {
        let library = c::dlopen(version.as_ptr(), c::RTLD_NOW);
        (!library.is_null()).then_some(library)
    })?;
    // SAFETY: the library is there, and `F` is the type of a function with this name.
    unsafe {
        let function = c::dlsym(library, name.as_ptr());
        (!function.is_null()).then(|| transmute_copy(&function))
    }
}

/// A context that trusts those whom the machine trusts (or `SSL_CERT_FILE` and `SSL_CERT_DIR` say).
fn context() -> Option<Context> {
    let method: extern "C" fn() -> *const c_void = find(c"TLS_client_method")?;
    let new: extern "C" fn(*const c_void) -> Context = find(c"SSL_CTX_new")?;
    let trust: extern "C" fn(Context) -> c_int = find(c"SSL_CTX_set_default_verify_paths")?;
    let verify: extern "C" fn(Context, c_int, *const c_void) = find(c"SSL_CTX_set_verify")?;
    let context = new(method());
    if context.is_null() || trust(context) != 1 {
        return None;
    }
    verify(context, VERIFY_PEER, null_mut());
    Some(context)
}

fn session(fd: c_int, host: *const c_char) -> Option<Session> {
    let new: extern "C" fn(Context) -> Session = find(c"SSL_new")?;
    let free: extern "C" fn(Context) = find(c"SSL_CTX_free")?;
    let control: extern "C" fn(Session, c_int, c_long, *const c_char) -> c_long =
        find(c"SSL_ctrl")?;
    let expect_host: extern "C" fn(Session, *const c_char) -> c_int = find(c"SSL_set1_host")?;
    let use_socket: extern "C" fn(Session, c_int) -> c_int = find(c"SSL_set_fd")?;
    let context = context()?;
    let session = new(context);
    // The session keeps it.
    free(context);
    if session.is_null() {
        return None;
    }
    control(session, SET_HOST_NAME, NAME_IS_HOST, host);
    (expect_host(session, host) == 1 && use_socket(session, fd) == 1).then_some(session)
}

/// Begins TLS on a connection with a host, whose certificate must be good. Null: it did not begin, and
/// `problem` says why.
///
/// # Safety
/// `host` ends in a zero byte, and `problem` can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cm_tls_open(
    fd: c_int,
    host: *const c_char,
    problem: *mut c_int,
) -> *mut c_void {
    let begun = session(fd, host).ok_or(NO_LIBRARY).and_then(|session| {
        let connect: extern "C" fn(Session) -> c_int = find(c"SSL_connect").ok_or(NO_LIBRARY)?;
        let verified: extern "C" fn(Session) -> c_long =
            find(c"SSL_get_verify_result").ok_or(NO_LIBRARY)?;
        if quietly(|| connect(session)) == 1 {
            return Ok(session);
        }
        let trusted = verified(session) == 0;
        free(session);
        Err(if trusted { NO_AGREEMENT } else { NOT_TRUSTED })
    });
    begun.unwrap_or_else(|code| {
        // SAFETY: the caller's.
        unsafe { problem.write(code) };
        null_mut()
    })
}

/// Reads some bytes. How many came; 0 or less at the end.
///
/// # Safety
/// The session is open, and the buffer has `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cm_tls_read(
    session: *mut c_void,
    buffer: *mut c_void,
    size: c_int,
) -> c_int {
    let read: Option<extern "C" fn(Session, *mut c_void, c_int) -> c_int> = find(c"SSL_read");
    read.map_or(-1, |read| quietly(|| read(session, buffer, size)))
}

/// Writes bytes. How many were taken; 0 or less if none could be.
///
/// # Safety
/// The session is open, and there are `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cm_tls_write(
    session: *mut c_void,
    bytes: *const c_void,
    size: c_int,
) -> c_int {
    let write: Option<extern "C" fn(Session, *const c_void, c_int) -> c_int> = find(c"SSL_write");
    write.map_or(-1, |write| quietly(|| write(session, bytes, size)))
}

/// Ends a session; the connection stays open.
///
/// # Safety
/// The session is open, and is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cm_tls_close(session: *mut c_void) {
    let shutdown: Option<extern "C" fn(Session) -> c_int> = find(c"SSL_shutdown");
    if let Some(shutdown) = shutdown {
        quietly(|| shutdown(session));
    }
    free(session);
}

fn free(session: Session) {
    let free: Option<extern "C" fn(Session)> = find(c"SSL_free");
    if let Some(free) = free {
        free(session);
    }
}
