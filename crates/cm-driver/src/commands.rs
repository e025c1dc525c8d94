//! `compile`.

use crate::{
    Error, Options, Report,
    beside::holds,
    memory::{self, SmallPages},
    parallel, queries, reason,
    session::{self, Earlier, Finished, Purpose, Session, accepted, diagnose},
};
use camino::{Utf8Path, Utf8PathBuf};
use castore::Digest;
use cm_base::Diagnostic;
use redgreen::{Database, Node, Root, RootRecord, Stamp};
use serde::{Deserialize, Serialize};
use std::{fs, io, process::Command, sync::Arc};

/// Compiles and links a program, and writes the executable unless it is there already.
///
/// # Errors
/// If the file cannot be opened, or linking or writing fails.
pub fn compile(options: &Options, output: &Utf8Path) -> Result<Report, Error> {
    compile_in(&Session::new(options, Purpose::Compile)?, output)
}

/// The same for a command that has been begun.
///
/// # Errors
/// If linking or writing fails.
pub fn compile_in(session: &Session, output: &Utf8Path) -> Result<Report, Error> {
    let output = session.project.cwd.join(output);
    let mut earlier = session.earlier::<Compiled>();
    let there = earlier.as_ref().and_then(|earlier| earlier.finished.result.there(&output));
    if let Some(found) = earlier.take_if(|earlier| earlier.current)
        && let Some(report) = finish_unchanged(session, found, &output)?
    {
        return Ok(report);
    }
    session.expect(&output);
    let mut database = session.open();
    let program = build(session, &mut database, there)?;
    let report = session.report(&program.diagnostics);
    keep(session, &database, program, &output)?;
    session.clock.lap("cache");
    Ok(report)
}

/// What was made of a program.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Program {
    /// All that was found.
    pub diagnostics: Vec<Diagnostic>,
    /// The digest of the executable, and its bytes unless it was known; `None`: there are errors.
    pub executable: Option<(Digest, Option<Arc<[u8]>>)>,
}

/// Brings a program up to date, as far as diagnostics and the executable need it. The bytes of an
/// executable that is known to be `there` are not asked for.
///
/// # Errors
/// If the back end or the linker fails.
pub fn build(
    session: &Session,
    database: &mut Database,
    there: Option<Digest>,
) -> Result<Program, Error> {
    session.attempt(database, |db| {
        parallel::front_end(db, &session.clock);
        let diagnostics = diagnose(db, Purpose::Compile);
        session.clock.lap("diagnostics");
        let executable = accepted(&diagnostics).then(|| {
            parallel::units(db, session);
            let _small = SmallPages::begin();
            session.begin_writing();
            queries::objects(db, Root);
            let roots = roots();
            session.begin_keeping(db, &roots[..roots.len() - 1]);
            let blob = queries::executable(db, Root);
            let digest = Digest(blob.digest().unwrap_or_default());
            (digest, (there != Some(digest)).then(|| blob.bytes(db)))
        });
        session.clock.lap("link");
        Program { diagnostics, executable }
    })
}

/// What the graph is kept for. The last of them is the linking.
fn roots() -> [Node; 4] {
    [
        cm_hir::queries::node::diagnostics(Root),
        cm_hir::queries::node::entry(Root),
        queries::node::objects(Root),
        queries::node::executable(Root),
    ]
}

/// Writes the executable, if there is one that is not there yet, and keeps what was found out in
/// [`build`] for the next process.
///
/// # Errors
/// If the executable or the query log cannot be written.
pub fn keep(
    session: &Session,
    database: &Database,
    program: Program,
    output: &Utf8Path,
) -> Result<(), Error> {
    let Program { diagnostics, executable } = program;
    let Some((digest, bytes)) = executable else {
        // The graph of the last program without errors is worth more than none for this one.
        return session.keep_record_of(database);
    };
    let (roots, most) = (roots(), session.max_output);
    let write = || bytes.map_or(Ok(()), |bytes| write_executable(most, output, &bytes));
    let result = || Compiled::new(digest, output);
    session.keep(database, &roots, write, || Finished { diagnostics, result: result() })
}

/// Builds in a process that stays, up to the executable. The rest of [`keep`] is left for later.
///
/// # Errors
/// If linking or writing fails.
pub fn compile_again(
    session: &Session,
    database: &mut Database,
    output: &Utf8Path,
) -> Result<Program, Error> {
    session.expect(output);
    let mut program = build(session, database, None)?;
    if let Some(bytes) = program.executable.as_mut().and_then(|(_, bytes)| bytes.take()) {
        write_executable(session.max_output, output, &bytes)?;
    }
    session.clock.lap("output");
    Ok(program)
}

/// What `compile` leaves for the next process.
#[derive(Serialize, Deserialize)]
struct Compiled {
    executable: Digest,
    /// Where it was written.
    output: String,
    /// What vouches for it there.
    stamp: Stamp,
}

impl Compiled {
    fn new(executable: Digest, output: &Utf8Path) -> Compiled {
        Compiled { executable, output: output.to_string(), stamp: session::stamp(output) }
    }

    /// The executable that surely is at `output`.
    fn there(&self, output: &Utf8Path) -> Option<Digest> {
        let same = self.output == output.as_str() && self.stamp.vouches_for(session::stamp(output));
        same.then_some(self.executable)
    }
}

/// The executable that a record of a build says was made. `None`: it is the record of no executable.
pub(crate) fn executable_of(record: &Utf8Path) -> Option<Digest> {
    let record = RootRecord::load(record.as_std_path()).ok()??;
    Some(session::finished::<Compiled>(&record)?.result.executable)
}

/// Sees to it that the executable is where it should be. `None`: it must be made again.
fn finish_unchanged(
    session: &Session,
    mut earlier: Earlier<Compiled>,
    output: &Utf8Path,
) -> Result<Option<Report>, Error> {
    let report = session.report(&earlier.finished.diagnostics);
    let compiled = &mut earlier.finished.result;
    if compiled.there(output).is_some() {
        session.keep_unchanged()?;
        return Ok(Some(report));
    }
    let same = |bytes: Vec<u8>| Digest::of(&bytes) == compiled.executable;
    if !(output.is_file() && fs::read(output).is_ok_and(same)) {
        let Some(executable) = session.stored(&compiled.executable) else { return Ok(None) };
        write_executable(session.max_output, output, &executable)?;
    }
    *compiled = Compiled::new(compiled.executable, output);
    session.keep_described(earlier)?;
    Ok(Some(report))
}

/// Executes a program and gives its status, as a shell would show it.
///
/// # Errors
/// If it cannot be started.
pub fn execute(program: &Utf8Path) -> Result<i32, Error> {
    execute_with(program, &[])
}

/// The same for one that finds shared libraries in some directories.
pub(crate) fn execute_with(program: &Utf8Path, directories: &[Utf8PathBuf]) -> Result<i32, Error> {
    let program = if program.components().count() == 1 {
        Utf8Path::new(".").join(program)
    } else {
        program.to_owned()
    };
    memory::end_small();
    let mut command = Command::new(&program);
    if !directories.is_empty() {
        let known = std::env::var("LD_LIBRARY_PATH").ok().filter(|known| !known.is_empty());
        let paths = directories.iter().map(|path| path.as_str()).chain(known.as_deref());
        command.env("LD_LIBRARY_PATH", paths.collect::<Vec<_>>().join(":"));
    }
    let status =
        command.status().map_err(|e| format!("cannot execute {program}: {}", reason(&e)))?;
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal = None;
    Ok(status.code().or(signal.map(|signal: i32| 128 + signal)).unwrap_or(1))
}

/// Replaces the output at once: whoever executes the old one keeps it, and a write that fails
/// leaves it. An output that is right already is left alone.
fn write_executable(most: Option<u64>, output: &Utf8Path, bytes: &[u8]) -> Result<(), Error> {
    if let Some(most) = most.filter(|most| bytes.len() as u64 > *most) {
        return Err(format!("the output would be larger than {} GB", most >> 30).into());
    }
    if holds(output, bytes).unwrap_or(false) {
        return Ok(());
    }
    let write = || -> io::Result<()> {
        if fs::metadata(output).is_ok_and(|meta| !meta.is_file()) {
            // A device or a pipe is written to, never replaced.
            return fs::write(output, bytes);
        }
        redgreen::replace_executable(output.as_std_path(), &[bytes])
    };
    let shown = match std::env::current_dir() {
        Ok(cwd) => output.strip_prefix(Utf8Path::from_path(&cwd).unwrap_or(output)),
        Err(_) => Ok(output),
    };
    let shown = shown.unwrap_or(output);
    Ok(write().map_err(|e| format!("cannot write {shown}: {}", reason(&e)))?)
}
