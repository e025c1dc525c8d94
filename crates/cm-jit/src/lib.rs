//! In-memory linking and execution of objects through LLVM's ORC.
#![expect(unsafe_code, reason = "ORC has a C interface only, and what it links is called")]

mod session;

use session::Session;
use std::{fmt, thread};

/// Why a program could not be started.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum JitError {
    /// Nobody defines these symbols.
    Undefined(Vec<String>),
    /// LLVM refused.
    Llvm(String),
}

impl fmt::Display for JitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JitError::Undefined(symbols) => {
                let lines: Vec<_> =
                    symbols.iter().map(|symbol| format!("Undefined symbol '{symbol}'")).collect();
                f.write_str(&lines.join("\n"))
            }
            JitError::Llvm(message) => write!(f, "LLVM: {message}"),
        }
    }
}

impl std::error::Error for JitError {}

/// Stack of a program's main thread. Systems give executables 8 MiB.
const STACK: usize = 64 << 20;

/// Links named objects with the run-time library and this process, calls their `main` and gives its
/// result after flushing C's streams. Nothing was executed if it fails.
///
/// The program's memory is never given back: it may have left threads and exit handlers behind.
pub fn run(objects: &[(&str, &[u8])]) -> Result<i32, JitError> {
    let main = link(objects)?;
    let program = thread::Builder::new().name("main".to_owned()).stack_size(STACK);
    let status = program.spawn(move || main.call()).and_then(|thread| {
        thread.join().map_err(|_| std::io::Error::other("the program's thread was lost"))
    });
    status.map_err(|error| JitError::Llvm(error.to_string()))
}

/// An executable `main` in memory.
#[derive(Clone, Copy)]
pub struct Main(extern "C" fn() -> i32);

impl Main {
    /// Runs it on this thread, and flushes C's streams.
    pub fn call(self) -> i32 {
        let status = (self.0)();
        cm_runtime::flush();
        status
    }
}

/// Links named objects with the run-time library and this process.
pub fn link(objects: &[(&str, &[u8])]) -> Result<Main, JitError> {
    let session = Session::new()?;
    session.define_runtime(cm_runtime::symbols())?;
    session.search_process()?;
    for (name, object) in objects {
        session.add(name, object)?;
    }
    let address = session.look_up(c"main")?;
    // SAFETY: the back end gives `main` this signature, and the session keeps its code for ever.
    Ok(Main(unsafe { std::mem::transmute::<usize, extern "C" fn() -> i32>(address) }))
}
