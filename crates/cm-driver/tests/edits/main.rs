//! Runs the edit scripts of `tests/incremental`, each in two ways: every revision as a new process
//! would build it, and all revisions in one resident database. `UPDATE=1` writes the lists of the
//! queries that ran into the scripts.

mod lists;
mod revision;

use libtest_mimic::{Arguments, Failed, Trial};
use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

fn main() -> ExitCode {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/incremental");
    let scripts = match find(&directory) {
        Ok(scripts) if !scripts.is_empty() => scripts,
        other => {
            eprintln!("no scripts in {}: {other:?}", directory.display());
            return ExitCode::FAILURE;
        }
    };
    let trials = scripts.into_iter().map(|path| {
        let name = path.file_stem().map(|name| name.to_string_lossy().into_owned());
        Trial::test(name.unwrap_or_default(), move || check(&path).map_err(Failed::from))
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

fn find(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries: std::io::Result<Vec<_>> = fs::read_dir(directory)?.collect();
    let paths = entries?.into_iter().map(|entry| entry.path());
    let mut paths: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|extension| extension == "txt")).collect();
    paths.sort();
    Ok(paths)
}

fn check(path: &Path) -> Result<(), String> {
    let text = fs::read_to_string(path).map_err(|e| e.to_string())?;
    let mut fixture = cm_test::Fixture::parse(&text).map_err(|e| e.to_string())?;
    if let Some(program) = &fixture.program {
        let directory = path.with_file_name("../conformance").join(program);
        cm_edits::kinds::add_files(&directory, "", &mut fixture.files)
            .map_err(|e| format!("{}: {e}", directory.display()))?;
    }
    let update = std::env::var_os("UPDATE").is_some();
    let fresh = revision::fresh(&fixture, update)?;
    if update {
        let updated = lists::update(&text, &fixture, &fresh);
        if updated != text {
            fs::write(path, updated).map_err(|e| e.to_string())?;
        }
    }
    revision::resident(&fixture, &fresh)
}
