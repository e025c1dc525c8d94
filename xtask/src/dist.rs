//! What is released: the command without LLVM in it, the back end with LLVM linked statically, and
//! the libraries, in one folder that can be moved anywhere.

use crate::{
    Result, profile,
    setup::{self, For, Toolchain},
    shell,
};
use std::{
    collections::BTreeSet,
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

/// How the release is built.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Do not count first what the compiler does most often: builds in half the time what is a fifth slower
    #[arg(long)]
    no_profile: bool,
}

/// Builds the release.
pub(crate) fn dist(options: &Options) -> Result {
    let release = Release::new()?;
    let Profile { flags, often } = if options.no_profile {
        Profile::default()
    } else {
        release.profile().inspect_err(warn).unwrap_or_default()
    };
    let cm = release.command(&release.build, flags)?;
    let library = release.library(Some(&often))?;
    let libs = release.root.join("libs");

    let folder = folder()?;
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| at("remove", &folder, error))?;
    }
    copy_tree(&libs, &folder.join("libs"))?;
    copy(&cm, &folder.join("cm"))?;
    copy(&library, &folder.join(LIBRARY))?;
    check(&folder.join("cm"))?;
    println!("{}", folder.display());
    Ok(())
}

/// The back end.
const LIBRARY: &str = "libcm_backend.so";

/// A release in the making.
struct Release {
    toolchain: Toolchain,
    /// Of the workspace.
    root: PathBuf,
    /// Where cargo builds. Not the target directory itself, where its folder of the profile is
    /// called `dist` too.
    build: PathBuf,
}

impl Release {
    fn new() -> Result<Release> {
        let toolchain = setup::setup(For::Release)?;
        let metadata = shell::metadata()?;
        let build = metadata.target_directory.join("build-dist").into_std_path_buf();
        Ok(Release { toolchain, root: metadata.workspace_root.into_std_path_buf(), build })
    }

    fn cargo(&self, target: &Path, subcommand: &str, arguments: &[&str]) -> Command {
        let mut command = self.toolchain.cargo();
        command.args([subcommand, "--profile", "dist", "--no-default-features"]).args(arguments);
        command.env("CARGO_TARGET_DIR", target);
        command.env("CFLAGS", format!("{} {ALLOCATOR}", env::var("CFLAGS").unwrap_or_default()));
        command
    }

    /// Builds the back end: with the functions that run often in one place, or with the names of all.
    fn library(&self, often: Option<&BTreeSet<String>>) -> Result<PathBuf> {
        let arguments = ["-p", "cm-backend", "--features", "static", "--lib"];
        let mut command = self.cargo(&self.build, "rustc", &arguments);
        // As this alone it is optimized as a whole. Functions that nobody calls mention all of LLVM's targets,
        // and the archives of these bring hundreds of initializers that run whenever it is loaded.
        command.args(["--crate-type", "cdylib"]);
        if let Some(often) = often {
            let list = self.build.join("often.txt");
            let names: String = often.iter().map(|name| format!("{name}\n")).collect();
            fs::write(&list, names).map_err(|error| at("write", &list, error))?;
            command.env("CM_BACKEND_OFTEN", list);
        }
        shell::run(&mut command)?;
        Ok(self.build.join("dist").join(LIBRARY))
    }

    /// Builds the command, with flags of rustc for it and all it consists of.
    fn command(&self, target: &Path, flags: Option<String>) -> Result<PathBuf> {
        let host = shell::output(Command::new("rustc").args(["--print", "host-tuple"]));
        let host = host.ok_or("rustc does not say what it compiles for")?;
        // With a target, flags are not for what runs at build time.
        let mut command = self.cargo(target, "build", &["-p", "cm", "--target", &host]);
        if let Some(flags) = flags {
            command.env("CARGO_ENCODED_RUSTFLAGS", flags);
        }
        shell::run(&mut command)?;
        Ok(target.join(host).join("dist/cm"))
    }

    /// What the release does most often.
    fn profile(&self) -> Result<Profile> {
        let target = self.build.join("counting");
        let counts = target.join("counts");
        if counts.exists() {
            fs::remove_dir_all(&counts).map_err(|error| at("remove", &counts, error))?;
        }
        let cm = self.command(&target, Some(format!("-Cprofile-generate={}", counts.display())))?;
        // Beside it, where it looks for them.
        copy(&self.library(None)?, &cm.with_file_name(LIBRARY))?;
        copy_tree(&self.root.join("libs"), &cm.with_file_name("libs"))?;
        let counted = profile::collect(&self.toolchain, &cm, &counts, &self.root);
        let counted = counted.inspect_err(warn).ok();
        let flags = counted.map(|profile| format!("-Cprofile-use={}", profile.display()));
        let often = profile::functions(&cm, LIBRARY).inspect_err(warn).unwrap_or_default();
        Ok(Profile { flags, often })
    }
}

/// What the release does most often.
#[derive(Default)]
struct Profile {
    /// Flags of rustc for the command, which tell it what was counted.
    flags: Option<String>,
    /// Functions of the back end.
    often: BTreeSet<String>,
}

fn warn(error: &String) {
    eprintln!("warning: not optimized by a profile: {error}");
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

/// A message about a file.
pub(crate) fn at(action: &str, path: &Path, error: std::io::Error) -> String {
    format!("cannot {action} {}: {error}", path.display())
}
