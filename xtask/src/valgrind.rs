//! Runs the conformance programs, as executables, under valgrind's memcheck: no invalid access, no
//! double release, and no leak but of what the program takes with `malloc` itself.

use crate::{Result, setup, shell, test};
use clap::Args;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

/// The status of a program in which memcheck found an error.
const FOUND: i32 = 99;

/// Blocks from the program's own calls of `malloc`, which it may keep.
const SUPPRESSIONS: &str = "\
{
   malloc of the program
   Memcheck:Leak
   match-leak-kinds: all
   ...
   fun:cm_malloc
}
{
   realloc of the program
   Memcheck:Leak
   match-leak-kinds: all
   ...
   fun:cm_realloc
}
";

#[derive(Args)]
pub(crate) struct Options {
    /// Check every n-th program only
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    sample: u32,
    /// Check programs with this in their path only
    filter: Option<String>,
}

/// Whether there is a valgrind that runs.
pub(crate) fn is_installed() -> bool {
    shell::output(Command::new("valgrind").arg("--version")).is_some()
}

/// Checks the programs.
pub(crate) fn valgrind(options: &Options) -> Result {
    if !is_installed() {
        println!("valgrind is not installed: no program was checked");
        return Ok(());
    }
    let toolchain = setup::setup(setup::For::Development)?;
    let cm = test::build_cm(&toolchain)?;
    let metadata = shell::metadata()?;
    let root = metadata.workspace_root.into_std_path_buf();
    let work = metadata.target_directory.into_std_path_buf().join("valgrind");
    fs::create_dir_all(&work)
        .map_err(|error| format!("cannot make {}: {error}", work.display()))?;
    let suppressions = work.join("cm.supp");
    fs::write(&suppressions, SUPPRESSIONS).map_err(|error| error.to_string())?;
    let checker = Checker { cm, libs: root.join("libs"), work, suppressions };
    let mut programs = Vec::new();
    for area in ["core", "memory", "std", "modules"] {
        programs.extend(shell::files(&root.join("tests/conformance").join(area), "cm")?);
    }
    // The accepted ones.
    programs.retain(|path| path.with_extension("out").exists());
    programs.sort();
    if let Some(filter) = &options.filter {
        programs.retain(|path| path.to_string_lossy().contains(filter.as_str()));
    }
    let programs: Vec<PathBuf> = programs.into_iter().step_by(options.sample as usize).collect();
    let failures = checker.all(&programs);
    failures.iter().for_each(|failure| eprintln!("{failure}"));
    println!("{} of {} programs are clean", programs.len() - failures.len(), programs.len());
    if failures.is_empty() { Ok(()) } else { Err("memcheck found errors".into()) }
}

/// The program may end with memory that nothing refers to: a panic releases nothing, and `.kept` says
/// how many strings stay because their address was put away (the tests of cm-lower count them).
fn keeps(program: &Path) -> bool {
    let panics = fs::read_to_string(program.with_extension("exit"));
    program.with_extension("kept").exists() || panics.is_ok_and(|status| status.trim() == "101")
}

struct Checker {
    cm: PathBuf,
    libs: PathBuf,
    work: PathBuf,
    suppressions: PathBuf,
}

impl Checker {
    /// What is wrong with some programs. Each is checked at two levels of optimization.
    fn all(&self, programs: &[PathBuf]) -> Vec<String> {
        let next = AtomicUsize::new(0);
        let failures = Mutex::new(Vec::new());
        let work = || {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(program) = programs.get(index) else { return };
                for level in ["-O0", "-O3"] {
                    let executable = self.work.join(format!("{index}{level}"));
                    if let Err(failure) = self.check(program, level, &executable) {
                        let failure = format!("{} {level}: {failure}", program.display());
                        failures.lock().expect("no check panics").push(failure);
                        break;
                    }
                }
            }
        };
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(work);
            }
        });
        let mut failures = failures.into_inner().expect("no check panics");
        failures.sort();
        failures
    }

    fn check(&self, program: &Path, level: &str, executable: &Path) -> Result {
        let mut compile = Command::new(&self.cm);
        compile.args(["compile", "--no-cache", level, "-o"]).args([executable, program]);
        compile.env("CM_STD_PATH", &self.libs);
        let output = compile.output().map_err(|error| format!("cannot start cm: {error}"))?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        let stdin = match fs::File::open(program.with_extension("in")) {
            Ok(file) => file.into(),
            Err(_) => Stdio::null(),
        };
        let mut run = Command::new("valgrind");
        run.args(["--quiet", "--leak-check=full", "--show-leak-kinds=definite"]);
        let leaks = if keeps(program) { "none" } else { "definite" };
        run.arg(format!("--errors-for-leak-kinds={leaks}"));
        run.arg(format!("--error-exitcode={FOUND}"));
        run.arg(format!("--suppressions={}", self.suppressions.display()));
        run.arg(executable).stdin(stdin).current_dir(&self.work);
        let output = run.output().map_err(|error| format!("cannot start valgrind: {error}"))?;
        if output.status.code() == Some(FOUND) || output.status.code().is_none() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        fs::remove_file(executable).map_err(|error| error.to_string())
    }
}
