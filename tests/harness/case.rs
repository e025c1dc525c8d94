//! Finding the programs.

use crate::failures::Key;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// How a program is run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Mode {
    /// By the interpreter of MIR.
    Interp,
    /// In memory.
    Jit,
    /// As an executable.
    Exe,
    /// As an executable that is optimized.
    Optimized,
    /// Not at all: it must be rejected.
    Reject,
    /// It is input for a tool.
    Tool,
}

impl Mode {
    pub(crate) const ALL: [Mode; 6] =
        [Mode::Interp, Mode::Jit, Mode::Exe, Mode::Optimized, Mode::Reject, Mode::Tool];

    /// Its name in the list of expected failures.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Mode::Interp => "interp",
            Mode::Jit => "jit",
            Mode::Exe => "exe",
            Mode::Optimized => "exe-O3",
            Mode::Reject => "reject",
            Mode::Tool => "tool",
        }
    }
}

/// A program and what is expected of it.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// Its path below the directory of the programs, with slashes.
    pub(crate) name: String,
    /// The file.
    pub(crate) file: PathBuf,
    /// What is expected.
    pub(crate) kind: Kind,
}

/// What is expected of a program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// It prints what is in the file `.out`.
    Output,
    /// It is rejected as the file `.err` says.
    Error,
    /// It is formatted as the file `.out`.
    Format,
    /// It has the findings in the file `.expect`.
    Lint,
}

impl Case {
    /// The case once for each mode that it is run in.
    pub(crate) fn keys(&self) -> Vec<Key> {
        let modes: &[Mode] = match self.kind {
            Kind::Output => &[Mode::Interp, Mode::Jit, Mode::Exe, Mode::Optimized],
            Kind::Error => &[Mode::Reject],
            Kind::Format | Kind::Lint => &[Mode::Tool],
        };
        modes.iter().map(|&mode| Key { mode, name: self.name.clone() }).collect()
    }

    /// The text of a file beside the program, with another extension.
    pub(crate) fn beside(&self, extension: &str) -> Option<Vec<u8>> {
        fs::read(self.file.with_extension(extension)).ok()
    }
}

/// All programs below a directory, by name. A file without one that says what is expected of it is a
/// module of another program.
pub(crate) fn find(root: &Path) -> Vec<Case> {
    let mut files = Vec::new();
    collect(root, &mut files);
    let mut cases: Vec<Case> = files.into_iter().filter_map(|file| case(root, file)).collect();
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { collect(&path, files) } else { files.push(path) }
    }
}

fn case(root: &Path, file: PathBuf) -> Option<Case> {
    let name = file.strip_prefix(root).ok()?.to_str()?.replace('\\', "/");
    let has = |extension: &str| file.with_extension(extension).is_file();
    let kind = match file.extension()?.to_str()? {
        "in" if name.starts_with("tools/fmt/") => Kind::Format,
        "cm" if has("expect") => Kind::Lint,
        "cm" if has("err") => Kind::Error,
        "cm" if has("out") => Kind::Output,
        _ => return None,
    };
    Some(Case { name, file, kind })
}
