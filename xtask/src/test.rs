//! Building the compiler for development, and running every test.

use crate::{
    Result,
    setup::{self, Toolchain},
    shell,
};
use std::{
    ffi::OsString,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Command, ExitCode, Stdio},
};

/// Builds the compiler and returns the path of the command.
pub(crate) fn build_cm(toolchain: &Toolchain) -> Result<PathBuf> {
    let mut command = toolchain.cargo();
    shell::run(command.args(["build", "--quiet", "--package", "cm"]))?;
    Ok(target_directory()?.join("cm"))
}

fn target_directory() -> Result<PathBuf> {
    Ok(shell::metadata()?.target_directory.into_std_path_buf().join("debug"))
}

/// What follows the tests: broken programs, right ones and random edits, from the same seeds and so many each time, so
/// that what fails was broken by the change, on any machine: two minutes of edits on two processors. They are programs that the tests have built; `cargo xtask fuzz` and
/// `fuzz-edits` go on with other seeds.
const SLICES: [(&str, &[&str]); 4] = [
    ("examples/fuzz", &["--seed", "1", "--steps", "200"]),
    ("cm-fuzz", &["--seed", "1", "--steps", "4000"]),
    ("cm-fuzz", &["--programs", "--seed", "1", "--steps", "8"]),
    ("fuzz-edits", &["--seed", "1", "--steps", "2000"]),
];

/// Runs all tests, with the compiler built before: the conformance tests run it as a program.
pub(crate) fn test(args: &[OsString]) -> Result<ExitCode> {
    let toolchain = setup::setup(setup::For::Development)?;
    build_cm(&toolchain)?;
    let mut command = toolchain.cargo();
    command.args(["test", "--workspace", "--no-fail-fast"]).args(args).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("cannot start cargo: {error}"))?;
    let mut totals = Totals::default();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines().map_while(|line| line.ok()) {
            totals.add(&line);
            println!("{line}");
        }
    }
    let status = child.wait().map_err(|error| format!("cannot wait for cargo: {error}"))?;
    let Totals { binaries, passed, failed, ignored } = totals;
    println!("total: {passed} passed, {failed} failed, {ignored} ignored, in {binaries} binaries");
    if !status.success() || !args.is_empty() {
        return Ok(shell::exit_code(status));
    }
    for (program, args) in SLICES {
        let program = target_directory()?.join(program);
        let status = shell::status(Command::new(program).args(args))?;
        if !status.success() {
            return Ok(shell::exit_code(status));
        }
    }
    schedules(&toolchain)
}

/// The locking of the store under schedules that the test chooses.
fn schedules(toolchain: &Toolchain) -> Result<ExitCode> {
    let mut command = toolchain.cargo();
    let package = ["test", "--package", "castore", "--features", "shuttle", "--test", "schedules"];
    shell::status(command.args(package)).map(shell::exit_code)
}

/// Gives the front end broken programs, or the whole compiler right ones, with these options.
pub(crate) fn fuzz(args: &[OsString]) -> Result<ExitCode> {
    if args.iter().any(|arg| arg == "--programs") {
        build_cm(&setup::setup(setup::For::Development)?)?;
    }
    start("cm-fuzz", &[], args)
}

/// Random programs and edits; see `crates/cm-edits`.
pub(crate) fn fuzz_edits(args: &[OsString]) -> Result<ExitCode> {
    start("cm-edits", &["--profile", "fuzz"], args)
}

/// The test of the tests of incremental builds; see `crates/cm-edits`.
pub(crate) fn mutants(args: &[OsString]) -> Result<ExitCode> {
    let args: Vec<OsString> =
        ["--mutants".into()].into_iter().chain(args.iter().cloned()).collect();
    start("cm-edits", &["--profile", "fuzz", "--features", "mutation"], &args)
}

/// Damages stores in random ways; an example of castore, which knows no command line library.
pub(crate) fn fuzz_store(args: &[OsString]) -> Result<ExitCode> {
    let mut command = shell::cargo();
    command.args(["run", "--quiet", "--package", "castore", "--example", "fuzz", "--"]).args(args);
    shell::status(&mut command).map(shell::exit_code)
}

/// Runs the program of a package, built in some way.
fn start(package: &str, built: &[&str], args: &[OsString]) -> Result<ExitCode> {
    let toolchain = setup::setup(setup::For::Development)?;
    let mut command = toolchain.cargo();
    command.args(["run", "--quiet", "--package", package]).args(built).arg("--").args(args);
    shell::status(&mut command).map(shell::exit_code)
}

/// Sums of what the test binaries report.
#[derive(Default, PartialEq, Eq, Debug)]
struct Totals {
    binaries: usize,
    passed: usize,
    failed: usize,
    ignored: usize,
}

impl Totals {
    /// Takes account of a line such as `test result: ok. 3 passed; 0 failed; 0 ignored; …`.
    fn add(&mut self, line: &str) {
        let Some((_, counts)) =
            line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". "))
        else {
            return;
        };
        self.binaries += 1;
        for count in counts.split("; ") {
            let Some((number, what)) = count.split_once(' ') else { continue };
            let number: usize = number.parse().unwrap_or(0);
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_sums() {
        let mut totals = Totals::default();
        totals.add("running 3 tests");
        totals.add("test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out");
        totals
            .add("test result: FAILED. 5 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out");
        assert_eq!(totals, Totals { binaries: 2, passed: 8, failed: 2, ignored: 1 });
    }
}
