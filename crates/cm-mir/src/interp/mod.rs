//! The interpreter: the oracle for what MIR means. It knows nothing of LLVM and of the run-time
//! library's code; all memory of the program is numbers in vectors, so that no program can do harm.
//!
//! Functions are expected to have passed the verifier; of others nothing is promised but that they
//! end in a trap at worst.

mod asm;
mod code;
mod count;
mod exec;
mod files;
pub(crate) mod fold;
mod foreign;
pub mod format;
mod link;
mod memory;
mod num;
mod printf;
mod rt;

use crate::{
    mir::{Function, Global},
    ty::Ty,
};
use cm_base::Name;
use rustc_hash::FxHashMap;
use std::collections::VecDeque;

/// What a program's outside is.
pub trait Host {
    /// Takes bytes of standard output.
    fn stdout(&mut self, bytes: &[u8]);
    /// Takes bytes of standard error.
    fn stderr(&mut self, bytes: &[u8]);
    /// The next byte of standard input.
    fn stdin(&mut self) -> Option<u8>;
    /// A call of the file system, with C's meaning and result; a host may have none.
    fn file(&mut self, call: FileCall<'_>) -> i64 {
        let _ = call;
        -1
    }

    /// Is told, when `main` has returned, how many counted objects are left that no global refers
    /// to.
    fn leaked(&mut self, _objects: u64) {}
}

/// A call of the file system.
#[derive(Debug)]
pub enum FileCall<'a> {
    /// `open`: path, flags and mode.
    Open(&'a [u8], i32, u32),
    /// `read`.
    Read(i32, &'a mut [u8]),
    /// `write`.
    Write(i32, &'a [u8]),
    /// `lseek`: offset, and whence.
    Seek(i32, i64, i32),
    /// `close`.
    Close(i32),
    /// `access`, to see whether it is there.
    Exists(&'a [u8]),
    /// `unlink`.
    Remove(&'a [u8]),
}

/// A host that keeps what is written, for tests.
#[derive(Default, Debug)]
pub struct Captured {
    /// Standard output so far.
    pub stdout: Vec<u8>,
    /// Standard error so far.
    pub stderr: Vec<u8>,
    /// What is left of standard input.
    pub stdin: VecDeque<u8>,
    /// Counted objects that were left.
    pub leaked: u64,
}

impl Host for Captured {
    fn stdout(&mut self, bytes: &[u8]) {
        self.stdout.extend_from_slice(bytes);
    }
    fn stderr(&mut self, bytes: &[u8]) {
        self.stderr.extend_from_slice(bytes);
    }
    fn stdin(&mut self) -> Option<u8> {
        self.stdin.pop_front()
    }
    fn leaked(&mut self, objects: u64) {
        self.leaked = objects;
    }
}

/// How a run ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// `main` returned, or `exit` was called, with this status.
    Exit(u8),
    /// The program panicked (status 101); the message went to standard error.
    Panic,
    /// It did what is undefined, went beyond a [`Limits`], or used what the interpreter cannot do.
    Trap(String),
}

impl Outcome {
    /// The exit status, if the program came to a defined end.
    pub fn status(&self) -> Option<u8> {
        match self {
            Outcome::Exit(status) => Some(*status),
            Outcome::Panic => Some(101),
            Outcome::Trap(_) => None,
        }
    }
}

/// Where a run is given up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Statements and terminators executed.
    pub steps: u64,
    /// Bytes of stack.
    pub stack: u64,
    /// Bytes of static data and heap.
    pub memory: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { steps: u64::MAX, stack: 16 << 20, memory: 1 << 30 }
    }
}

/// A linked program.
pub struct Program {
    functions: Vec<code::Function>,
    /// Index of every function and foreign function (these come after the others) by symbol.
    symbols: FxHashMap<Name, usize>,
    /// Symbols of the foreign functions.
    foreign: Vec<Name>,
    /// Static data, as memory begins.
    image: Vec<u8>,
    /// The types whose contents are released through glue.
    glue: Vec<Ty>,
    /// Where the globals are that hold references.
    globals: Vec<(u64, Ty)>,
    /// Why it cannot run.
    broken: Option<String>,
}

impl Program {
    /// Links functions and globals by their symbols; of two with the same symbol the first counts.
    /// What is missing is reported by the run that needs it.
    pub fn new<'a>(
        functions: impl IntoIterator<Item = &'a Function>,
        globals: impl IntoIterator<Item = &'a Global>,
    ) -> Program {
        let functions: Vec<_> = functions.into_iter().collect();
        let globals: Vec<_> = globals.into_iter().collect();
        link::link(&functions, &globals)
    }
}

/// Runs a program from this function, which takes no parameters and returns an integer or nothing.
pub fn run(program: &Program, entry: &str, host: &mut dyn Host) -> Outcome {
    run_within(program, entry, host, Limits::default())
}

/// The same within other limits.
pub fn run_within(program: &Program, entry: &str, host: &mut dyn Host, limits: Limits) -> Outcome {
    exec::run(program, entry, host, limits)
}

/// Why a run ends early. Boxed, since results are everywhere.
enum Stop {
    Trap(String),
    Exit(u8),
    Panic,
}

type Run<T = ()> = Result<T, Box<Stop>>;

fn trap<T>(message: impl Into<String>) -> Run<T> {
    Err(Box::new(Stop::Trap(message.into())))
}
