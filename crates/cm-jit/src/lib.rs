//! In-memory linking and execution of objects.
//!
//! cm-link makes all objects one image in the memory of this process. That is some ten times faster
//! than LLVM's linker, which keeps what it needs to link lazily and to take things back, and it needs
//! no LLVM: a program whose objects are cached runs without loading the back end.
#![expect(unsafe_code, reason = "it makes memory executable and calls it")]

mod image;
mod memory;

use cm_link::LinkError;
use std::{fmt, thread};

/// Why a program could not be started.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum JitError {
    /// Its objects cannot be linked.
    Link(LinkError),
    /// The system refused.
    System(String),
}

impl fmt::Display for JitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JitError::Link(error) => error.fmt(f),
            JitError::System(what) => write!(f, "cannot execute: {what}"),
        }
    }
}

impl std::error::Error for JitError {}

impl From<LinkError> for JitError {
    fn from(error: LinkError) -> Self {
        JitError::Link(error)
    }
}

/// Stack of a program's main thread. Systems give executables 8 MiB.
const STACK: usize = 64 << 20;

/// Links named objects with the run-time library and the libraries of this process, calls their
/// `main` and gives its result after flushing C's streams. Nothing was executed if it fails.
///
/// The program's memory is never given back: it may leave threads and exit handlers behind.
pub fn run(objects: &[(&str, &[u8])]) -> Result<i32, JitError> {
    start(link(objects)?)
}

/// Lets a write to a pipe that nobody reads end this process, as programs in C have it. Rust's
/// run-time library has switched that off.
pub fn end_on_broken_pipes() {
    #[cfg(unix)]
    // SAFETY: it sets the default action; no handler of ours is in place.
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
    }
}

/// Runs a program on a thread of its own, and gives its result. Signals are as a program finds them
/// that is started by a shell.
pub fn start(main: Main) -> Result<i32, JitError> {
    end_on_broken_pipes();
    let program = thread::Builder::new().name("main".to_owned()).stack_size(STACK);
    let status = program.spawn(move || main.call()).and_then(|thread| {
        thread.join().map_err(|_| std::io::Error::other("the program's thread was lost"))
    });
    status.map_err(|error| JitError::System(error.to_string()))
}

/// Makes a shared library a part of this process, so that programs find its symbols.
pub fn load(library: &std::path::Path) -> Result<(), JitError> {
    memory::load(library).map_err(JitError::System)
}

/// A program in memory.
#[derive(Clone, Copy, Debug)]
pub struct Main(extern "C" fn() -> i32);

impl Main {
    /// Runs it on this thread, and flushes C's streams.
    pub fn call(self) -> i32 {
        let status = (self.0)();
        cm_runtime::flush();
        status
    }
}

/// Links named objects with the run-time library and the libraries of this process.
pub fn link(objects: &[(&str, &[u8])]) -> Result<Main, JitError> {
    let main = image::link(objects, "main")?;
    // SAFETY: the back end gives `main` this type, and the image is never unmapped.
    Ok(Main(unsafe { std::mem::transmute::<usize, extern "C" fn() -> i32>(main) }))
}
