//! Executing a program with the interpreter, with this process as its outside.

use crate::Error;
use cm_mir::{
    interp::{self, FileCall},
    unit::Unit,
};
use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::{ffi::OsStrExt, fs::OpenOptionsExt},
    path::Path,
};

/// Executes units with the interpreter and gives the exit status.
///
/// # Errors
/// If the program does what is undefined, or what the interpreter cannot do.
pub fn interpret(units: &[Unit]) -> Result<i32, Error> {
    let functions = units.iter().flat_map(|unit| &unit.functions);
    let globals = units.iter().flat_map(|unit| &unit.globals);
    let program = interp::Program::new(functions, globals);
    let mut host = Process { stdout: BufWriter::new(io::stdout()), files: BTreeMap::new() };
    let outcome = interp::run(&program, "main", &mut host);
    let flushed = host.stdout.flush();
    match outcome {
        interp::Outcome::Trap(message) => Err(message.into()),
        _ if flushed.is_err() => Err("cannot write to standard output".to_owned().into()),
        outcome => Ok(outcome.status().map_or(1, i32::from)),
    }
}

/// The streams of this process, and files. Output that cannot be written shows at the final flush.
struct Process {
    stdout: BufWriter<io::Stdout>,
    /// By file descriptor.
    files: BTreeMap<i32, File>,
}

impl interp::Host for Process {
    fn stdout(&mut self, bytes: &[u8]) {
        let _ = self.stdout.write_all(bytes);
    }
    fn stderr(&mut self, bytes: &[u8]) {
        let _ = self.stdout.flush();
        let _ = io::stderr().write_all(bytes);
    }
    fn stdin(&mut self) -> Option<u8> {
        let mut byte = [0];
        io::stdin().read_exact(&mut byte).ok().map(|()| byte[0])
    }
    fn file(&mut self, call: FileCall<'_>) -> i64 {
        self.call(call).unwrap_or(-1)
    }
}

impl Process {
    /// `None`: it failed.
    fn call(&mut self, call: FileCall<'_>) -> Option<i64> {
        let path = |bytes| Path::new(OsStr::from_bytes(bytes));
        match call {
            FileCall::Open(name, flags, mode) => {
                let (reads, writes) = (flags & 3 != 1, flags & 3 != 0);
                let mut options = OpenOptions::new();
                options.read(reads).write(writes).mode(mode).custom_flags(flags);
                let file = options.open(path(name)).ok()?;
                let fd = self.files.keys().next_back().map_or(3, |last| last + 1);
                self.files.insert(fd, file);
                Some(fd.into())
            }
            FileCall::Read(fd, bytes) => self.files.get(&fd)?.read(bytes).ok()?.try_into().ok(),
            FileCall::Write(fd, bytes) => self.files.get(&fd)?.write(bytes).ok()?.try_into().ok(),
            FileCall::Seek(fd, offset, whence) => {
                let to = match whence {
                    0 => SeekFrom::Start(offset.try_into().ok()?),
                    1 => SeekFrom::Current(offset),
                    _ => SeekFrom::End(offset),
                };
                self.files.get(&fd)?.seek(to).ok()?.try_into().ok()
            }
            FileCall::Close(fd) => self.files.remove(&fd).map(|_| 0),
            FileCall::Exists(name) => path(name).exists().then_some(0),
            FileCall::Remove(name) => fs::remove_file(path(name)).ok().map(|()| 0),
        }
    }
}
