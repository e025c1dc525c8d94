//! What is released: the command without LLVM in it, the back end with LLVM linked statically, and
//! the libraries, in one folder that can be moved anywhere.

use crate::{
    Result,
    setup::{self, For},
    shell,
};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The folder of the release.
pub(crate) fn folder() -> Result<PathBuf> {
    Ok(shell::metadata()?.target_directory.into_std_path_buf().join("dist"))
}

/// The allocator need not give memory back to the system when the process ends anyway.
const ALLOCATOR: &str = "-DMI_SKIP_COLLECT_ON_EXIT=1";

/// Builds the release.
pub(crate) fn dist() -> Result {
    let toolchain = setup::setup(For::Release)?;
    let metadata = shell::metadata()?;
    // Not in the target directory itself, where cargo's folder of the profile is called `dist` too.
    let build = metadata.target_directory.join("build-dist").into_std_path_buf();
    let cargo_build = |arguments: &[&str]| {
        let mut command = toolchain.cargo();
        command.args(["build", "--profile", "dist"]).env("CARGO_TARGET_DIR", &build);
        command.env("CFLAGS", format!("{} {ALLOCATOR}", env::var("CFLAGS").unwrap_or_default()));
        shell::run(command.args(arguments))
    };
    cargo_build(&["--package", "cm", "--no-default-features"])?;
    cargo_build(&["--package", "cm-backend", "--no-default-features", "--features", "static"])?;

    let folder = folder()?;
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| at("remove", &folder, error))?;
    }
    let libs = folder.join("libs");
    let sources = metadata.workspace_root.join("libs").into_std_path_buf();
    if sources.is_dir() {
        copy_tree(&sources, &libs)?;
    } else {
        fs::create_dir_all(&libs).map_err(|error| at("create", &libs, error))?;
    }
    let built = build.join("dist");
    copy(&built.join("cm"), &folder.join("cm"))?;
    copy(&built.join("libcm_backend.so"), &folder.join("libcm_backend.so"))?;
    check(&folder.join("cm"))?;
    println!("{}", folder.display());
    Ok(())
}

/// The command must not map LLVM when it starts.
fn check(cm: &Path) -> Result {
    shell::run(Command::new(cm).arg("--version"))?;
    match shell::output(Command::new("ldd").arg(cm)) {
        Some(libraries) if libraries.contains("LLVM") => {
            Err(format!("{} is linked with LLVM:\n{libraries}", cm.display()))
        }
        _ => Ok(()),
    }
}

fn copy_tree(from: &Path, to: &Path) -> Result {
    fs::create_dir_all(to).map_err(|error| at("create", to, error))?;
    for entry in fs::read_dir(from).map_err(|error| at("read", from, error))? {
        let entry = entry.map_err(|error| at("read", from, error))?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() { copy_tree(&from, &to)? } else { copy(&from, &to)? }
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result {
    fs::copy(from, to).map(drop).map_err(|error| at("copy", from, error))
}

fn at(action: &str, path: &Path, error: std::io::Error) -> String {
    format!("cannot {action} {}: {error}", path.display())
}
