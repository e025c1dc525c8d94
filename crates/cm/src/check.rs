//! `cm check`: which files are meant, and the summary.

use crate::{args, dump, options, print, print::say, report};
use camino::{Utf8Path, Utf8PathBuf};
use cm_driver::Error;
use std::{collections::BTreeSet, process::ExitCode, time::Instant};

/// Checks every file as a root of its own.
pub fn run(args: &args::Check) -> Result<ExitCode, Error> {
    let mut wrong = 0;
    let mut files = BTreeSet::new();
    for path in &args.paths {
        if let Err(error) = collect(path, args, &mut files) {
            print::error(&error);
            wrong += 1;
        }
    }
    if files.is_empty() && wrong == 0 {
        print::error(&"there is no .cm file to check");
        wrong += 1;
    }
    let (mut warnings, mut done) = (0, 0);
    for file in &files {
        let start = Instant::now();
        let options = options(&args.common, None, file);
        let found = dump(&args.common, &options).and_then(|()| cm_driver::check(&options));
        match found {
            Ok(found) => {
                report(&args.common, &found);
                wrong += found.errors();
                warnings += found.diagnostics.len() - found.errors();
                done += usize::from(found.ok());
            }
            Err(error) => {
                print::error(&error);
                wrong += 1;
            }
        }
        if options.verbose {
            say(&format!("{file}: checked in {} ms\n", start.elapsed().as_millis()));
        }
    }
    if !args.quiet {
        let total = files.len();
        say(&format!("\ncheck\nfiles: {done}/{total}\nerrors: {wrong}, warnings: {warnings}\n"));
    }
    Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The `.cm` files that a path means: itself, or those in a directory.
fn collect(
    path: &Utf8Path,
    args: &args::Check,
    files: &mut BTreeSet<Utf8PathBuf>,
) -> Result<(), Error> {
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
fn walk(
    dir: &Utf8Path,
    args: &args::Check,
    files: &mut BTreeSet<Utf8PathBuf>,
) -> Result<(), Error> {
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
