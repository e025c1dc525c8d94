//! Which files a command with many is about (`13-cli.md` §13.6).

use crate::{args::Paths, print};
use camino::{Utf8Path, Utf8PathBuf};
use cm_driver::Error;
use std::collections::BTreeSet;

/// The files, sorted, and how many mistakes there were, which have been reported. Without a file there
/// is at least one.
pub fn collect(args: &Paths, purpose: &str) -> (BTreeSet<Utf8PathBuf>, usize) {
    let mut wrong = 0;
    let mut files = BTreeSet::new();
    for path in &args.paths {
        if let Err(error) = add(path, args, &mut files) {
            print::error(&error);
            wrong += 1;
        }
    }
    if files.is_empty() && wrong == 0 {
        print::error(&format!("there is no .cm file to {purpose}"));
        wrong += 1;
    }
    (files, wrong)
}

/// The `.cm` files that a path means: itself, or those in a directory.
fn add(path: &Utf8Path, args: &Paths, files: &mut BTreeSet<Utf8PathBuf>) -> Result<(), Error> {
    if path == "-" {
        files.insert(path.to_owned());
        return Ok(());
    }
    let meta = path.metadata().map_err(|error| Error::open(path, &error))?;
    if meta.is_dir() {
        return walk(path, args, files);
    }
    if path.extension() == Some("cm") && !is_excluded(path, &args.exclude) {
        files.insert(path.to_owned());
    }
    Ok(())
}

/// Hidden directories are left out: version control, caches.
fn walk(dir: &Utf8Path, args: &Paths, files: &mut BTreeSet<Utf8PathBuf>) -> Result<(), Error> {
    for entry in dir.read_dir_utf8().map_err(|error| Error::open(dir, &error))?.flatten() {
        let path = if dir == "." { entry.file_name().into() } else { dir.join(entry.file_name()) };
        if is_excluded(&path, &args.exclude) {
            continue;
        }
        let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_dir && args.recursive && !entry.file_name().starts_with('.') {
            walk(&path, args, files)?;
        } else if !is_dir && path.extension() == Some("cm") {
            files.insert(path);
        }
    }
    Ok(())
}

/// `*suffix`, or a part of the path.
fn is_excluded(path: &Utf8Path, patterns: &[String]) -> bool {
    patterns.iter().any(|pattern| match pattern.strip_prefix('*') {
        Some(suffix) => path.as_str().ends_with(suffix),
        None => path.as_str().contains(pattern.as_str()),
    })
}
