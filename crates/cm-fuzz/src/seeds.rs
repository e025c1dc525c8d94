//! The programs that others are made from.

use camino::{Utf8Path, Utf8PathBuf};
use std::{fs, io};

/// The repository.
pub fn repository() -> &'static Utf8Path {
    Utf8Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The texts of the conformance programs, sorted by path.
///
/// # Errors
/// If they cannot be read.
pub fn programs() -> io::Result<Vec<String>> {
    let mut paths = Vec::new();
    collect(&repository().join("tests/conformance"), &mut paths)?;
    paths.sort();
    paths.iter().map(fs::read_to_string).collect()
}

fn collect(directory: &Utf8Path, paths: &mut Vec<Utf8PathBuf>) -> io::Result<()> {
    for entry in directory.read_dir_utf8()? {
        let path = entry?.into_path();
        if path.is_dir() {
            collect(&path, paths)?;
        } else if path.extension() == Some("cm") {
            paths.push(path);
        }
    }
    Ok(())
}
