//! What the tests share.

use cm_base::{Name, TextRange};
use cm_syntax::ast::File;
use std::path::{Path, PathBuf};

/// The names that are defined in tests.
pub fn defines() -> Vec<Name> {
    ["__CM__", "__x86_64__", "__x86__", "__linux__", "__unix__", "__64BIT__"].map(Name::new).into()
}

pub fn parse(text: &str) -> File {
    cm_syntax::parse(text, &defines())
}

/// The line, from 1, of a position.
pub fn line(text: &str, range: TextRange) -> usize {
    1 + text[..usize::from(range.start())].matches('\n').count()
}

/// The errors of a file as `LINE: MESSAGE`.
pub fn errors(text: &str, file: &File) -> Vec<String> {
    let show = |error: &cm_syntax::ast::SyntaxError| {
        format!("{}: {}", line(text, file.positions.0.get(error.at)), error.message)
    };
    file.errors.iter().map(show).collect()
}

/// The `.cm` files below a directory of this crate, sorted.
pub fn sources(dir: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join(dir), &mut files);
    files.sort();
    files
}

fn walk(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).into_iter().flatten() {
        let path = entry.expect("a readable directory").path();
        if path.is_dir() {
            walk(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "cm") {
            files.push(path);
        }
    }
}
