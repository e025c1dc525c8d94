//! The driver: from a file on the command line to diagnostics, an executable or a running program.
//!
//! It owns everything that touches the machine: discovery of the project, the database, the cache
//! directory, the linker and the back end.

pub mod cache;
mod check;
mod commands;
mod error;
pub mod format;
mod input;
mod interpret;
mod link;
pub mod messages;
mod parallel;
pub mod project;
pub mod queries;
mod render;
mod run;
pub mod session;
mod stages;
mod store;
pub mod tools;
mod views;
mod why;

pub use check::{Lint, check, fix};
pub use commands::{Program, build, compile, compile_in, execute, keep};
pub use error::{Error, reason};
pub use render::{Colors, Rendered, RenderedNote};
pub use run::run;
pub use stages::{Stage, emit};
pub use why::why;

use camino::Utf8PathBuf;

/// What a command was asked to do.
#[derive(Clone, Default, Debug)]
pub struct Options {
    /// The root file; `-` is standard input.
    pub file: Utf8PathBuf,
    /// 0 to 3.
    pub opt_level: u8,
    /// Names defined with `-D`.
    pub defines: Vec<String>,
    /// `None`: neither read nor write the cache.
    pub cache_dir: Option<Utf8PathBuf>,
    /// Where to write which queries ran.
    pub query_log: Option<Utf8PathBuf>,
    /// Print timings.
    pub verbose: bool,
    /// What programs are linked with.
    pub link: LinkWith,
}

/// What a program is linked with beside the C library.
#[derive(Clone, Default, PartialEq, Eq, Hash, Debug)]
pub struct LinkWith {
    /// Names of libraries (`-l`).
    pub libraries: Vec<String>,
    /// Where they are looked for before the system's directories (`-L`).
    pub dirs: Vec<Utf8PathBuf>,
    /// Arguments for the system's linker (`--link-arg`).
    pub args: Vec<String>,
}

/// What was found in a program.
#[derive(Clone, Default, Debug)]
pub struct Report {
    /// Sorted as they are shown.
    pub diagnostics: Vec<Rendered>,
}

impl Report {
    /// Nothing was found that keeps the program from being compiled.
    pub fn ok(&self) -> bool {
        self.errors() == 0
    }
    /// How many errors there are.
    pub fn errors(&self) -> usize {
        self.diagnostics.iter().filter(|diagnostic| diagnostic.severity == "error").count()
    }
}
