//! LLVM 22 and a linker.

use crate::{Result, shell};
use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

/// The variable that tells the `llvm-sys` crate where LLVM is.
const PREFIX_VARIABLE: &str = "LLVM_SYS_221_PREFIX";

/// The packages of Debian that have all we need.
const PACKAGES: &[&str] = &[
    "llvm-22-dev",
    "lld-22",
    "libpolly-22-dev",
    "zlib1g-dev",
    "libzstd-dev",
    "libxml2-dev",
    "mold",
    "gcc",
    "libc6-dev",
];

/// What is going to be built.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum For {
    /// LLVM is linked dynamically.
    Development,
    /// LLVM and the libraries it uses are linked statically.
    Release,
}

/// What was found.
pub(crate) struct Toolchain {
    prefix: PathBuf,
}

impl Toolchain {
    /// A cargo command that finds LLVM.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = shell::cargo();
        command.env(PREFIX_VARIABLE, &self.prefix);
        command
    }
    /// A program of LLVM.
    pub(crate) fn tool(&self, name: &str) -> PathBuf {
        self.prefix.join("bin").join(name)
    }
}

/// Finds what is needed, and installs it where that is possible without asking.
pub(crate) fn setup(purpose: For) -> Result<Toolchain> {
    let missing = match look(purpose) {
        Ok(toolchain) => return Ok(toolchain),
        Err(missing) => missing,
    };
    let install = format!("apt-get install -y {}", PACKAGES.join(" "));
    let advice = |missing: &str| {
        format!(
            "{missing}. On Debian and Ubuntu:\n\n    sudo {install}\n\n\
             Releases without LLVM 22 find it at https://apt.llvm.org. An LLVM 22.1 elsewhere is \
             used if {PREFIX_VARIABLE} names its directory."
        )
    };
    if !is_root() || shell::find(&["apt-get"]).is_none() {
        return Err(advice(&missing));
    }
    eprintln!("{missing}; installing");
    if apt_install().is_err() {
        // A fresh image has no package lists.
        shell::run(Command::new("apt-get").arg("update"))?;
        apt_install().map_err(|error| advice(&error))?;
    }
    look(purpose).map_err(|missing| advice(&missing))
}

fn apt_install() -> Result {
    let mut command = Command::new("apt-get");
    command.args(["install", "-y", "--no-install-recommends"]).args(PACKAGES);
    shell::run(command.env("DEBIAN_FRONTEND", "noninteractive"))
}

fn is_root() -> bool {
    shell::output(Command::new("id").arg("-u")).is_some_and(|id| id == "0")
}

/// Finds what is needed, or says what is missing.
fn look(purpose: For) -> Result<Toolchain> {
    let prefix = find_llvm().ok_or("LLVM 22.1 is missing")?;
    if shell::find(&["cc", "gcc", "clang"]).is_none() {
        return Err("a C compiler, which brings the start-up files of programs, is missing".into());
    }
    if shell::find(&["mold", "ld.lld-22", "ld.lld"]).is_none() {
        return Err("a linker (mold or ld.lld) is missing".into());
    }
    if purpose == For::Release && !prefix.join("lib/libPolly.a").is_file() {
        return Err("the static libraries of LLVM 22 are missing".into());
    }
    Ok(Toolchain { prefix })
}

fn find_llvm() -> Option<PathBuf> {
    let candidates = [
        env::var_os(PREFIX_VARIABLE).map(PathBuf::from),
        shell::output(Command::new("llvm-config-22").arg("--prefix")).map(PathBuf::from),
        Some(PathBuf::from("/usr/lib/llvm-22")),
        shell::output(Command::new("llvm-config").arg("--prefix")).map(PathBuf::from),
    ];
    candidates.into_iter().flatten().find(|prefix| is_llvm(prefix))
}

/// Whether there is an LLVM 22.1 with its headers.
fn is_llvm(prefix: &Path) -> bool {
    let version = shell::output(Command::new(prefix.join("bin/llvm-config")).arg("--version"));
    version.is_some_and(|version| version.starts_with("22.1."))
        && prefix.join("include/llvm-c/Core.h").is_file()
}
