//! The driver: from a file on the command line to diagnostics, an executable or a running program.
//!
//! It owns everything that touches the machine: discovery of the project, the database, the cache
//! directory, the linker and the back end.

mod beside;
pub mod cache;
mod check;
mod commands;
mod error;
pub mod format;
mod glance;
mod input;
mod interpret;
pub mod keys;
mod link;
mod memory;
pub mod messages;
mod objects;
mod pages;
mod parallel;
pub mod project;
pub mod queries;
mod recompute;
mod render;
pub mod resident;
mod run;
pub mod sandbox;
pub mod session;
pub mod settings;
mod stages;
mod store;
mod test;
pub mod tools;
mod views;
mod vouched;
pub mod watcher;
mod why;

pub use check::{Lint, check, fix};
pub use commands::{Program, build, compile, compile_in, execute, keep};
pub use error::{Error, reason};
pub use link::Foreign;
pub use memory::{begin_small, end_small};
pub use pages::write_graph;
pub use render::{Colors, Rendered, RenderedNote};
pub use run::run;
pub use settings::{CacheArguments, CacheSettings};
pub use stages::{Stage, emit};
pub use test::{Outcome, Tests, test, test_child};
pub use why::{last_record, why, why_json};

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
    /// What the program is linked with.
    pub foreign: Foreign,
    /// `None`: neither read nor write the cache.
    pub cache: Option<CacheSettings>,
    /// Where to write which queries ran.
    pub query_log: Option<Utf8PathBuf>,
    /// Where to draw how long each query took.
    pub timings: Option<Utf8PathBuf>,
    /// Print timings.
    pub verbose: bool,
    /// Print the queries that ran.
    pub trace: bool,
    /// An executable with more bytes is not written.
    pub max_output: Option<u64>,
    /// The process ends with this command, so what is in memory need not be freed: to take a database
    /// apart takes as long as a small build.
    pub process_ends: bool,
    /// The process stays, and goes on with the same database. What it keeps, it keeps on the thread that
    /// began: nobody waits, and that thread may make a cache anew that somebody else deletes.
    pub stays: bool,
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
