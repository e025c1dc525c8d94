//! Development tasks: `cargo xtask …`. Builds without LLVM, so that it can see to LLVM.

mod bench;
mod dist;
mod profile;
mod setup;
mod shell;
mod test;
mod tidy;
mod valgrind;

use clap::{Parser, Subcommand};
use std::{ffi::OsString, path::PathBuf, process::ExitCode};

/// A message for the person at the terminal.
type Result<T = ()> = std::result::Result<T, String>;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Development tasks")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// See to LLVM 22 and a linker: install them, or say what to install
    Setup,
    /// Build the compiler and run a program with it
    Run {
        /// The program
        file: PathBuf,
        /// What `cm run` gets besides: options, or `--` and arguments of the program
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Build the compiler, run all tests, and fuzz for a while
    Test {
        /// What `cargo test` gets besides
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Build random programs through random edits, and compare every build with one from nothing
    FuzzEdits {
        /// `--seed N`, `--steps N`, `--seconds N`, `--threads N`, `--kills N`, `--faults N`, or `--help`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Forget to record one kind of edge of the graph after the other, and see that tests notice
    Mutants {
        /// `--seed N`, `--seconds N`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Give the front end broken programs
    Fuzz {
        /// `--seed S`, `--time SECONDS`, `--steps N`, or `--help`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Damage stores in random ways and use them
    FuzzStore {
        /// `--seed N`, `--time SECONDS`, `--steps N`, `--from N`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Check the layers, the length of files, and where unsafe code and input/output are
    Tidy,
    /// Run the conformance programs, as executables, under valgrind
    Valgrind(valgrind::Options),
    /// Build what is released, into target/dist
    Dist(dist::Options),
    /// Measure builds of a generated program after various edits
    Bench(bench::Options),
}

fn main() -> ExitCode {
    let result = match Cli::parse().task {
        Task::Setup => setup::setup(setup::For::Development).map(|_| ExitCode::SUCCESS),
        Task::Run { file, args } => run(&file, &args),
        Task::Test { args } => test::test(&args),
        Task::FuzzEdits { args } => test::fuzz_edits(&args),
        Task::Mutants { args } => test::mutants(&args),
        Task::Fuzz { args } => test::fuzz(&args),
        Task::FuzzStore { args } => test::fuzz_store(&args),
        Task::Tidy => tidy::tidy().map(|()| ExitCode::SUCCESS),
        Task::Valgrind(options) => valgrind::valgrind(&options).map(|()| ExitCode::SUCCESS),
        Task::Dist(options) => dist::dist(&options).map(|()| ExitCode::SUCCESS),
        Task::Bench(options) => bench::bench(&options).map(|()| ExitCode::SUCCESS),
    };
    result.unwrap_or_else(|message| {
        eprintln!("error: {message}");
        ExitCode::FAILURE
    })
}

/// Builds `cm` and lets it run a program, whose exit status becomes ours.
fn run(file: &std::path::Path, args: &[OsString]) -> Result<ExitCode> {
    let toolchain = setup::setup(setup::For::Development)?;
    let cm = test::build_cm(&toolchain)?;
    let mut command = std::process::Command::new(cm);
    let status = command.arg("run").arg(file).args(args).status();
    let status = status.map_err(|error| format!("cannot start the compiler: {error}"))?;
    Ok(shell::exit_code(status))
}
