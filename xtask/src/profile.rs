//! What the compiler does, watched: the release is optimized for what it does most often.

use crate::{Result, bench, dist::at, setup::Toolchain, shell, valgrind};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Lets a compiler that counts (built with `-Cprofile-generate=counts`) compile programs, and
/// returns the file that tells `-Cprofile-use` what it has counted. `counts` is a directory.
pub(crate) fn collect(
    toolchain: &Toolchain,
    cm: &Path,
    counts: &Path,
    root: &Path,
) -> Result<PathBuf> {
    let merge = toolchain.tool("llvm-profdata");
    if !merge.is_file() {
        return Err(format!("{} is missing", merge.display()));
    }
    let dir = tempfile::tempdir().map_err(|error| at("create", Path::new("a folder"), error))?;
    let training = Training { cm, dir: dir.path() };
    training.edits()?;
    training.programs(&root.join("tests/conformance"))?;
    let profile = counts.join("all.profdata");
    shell::run(Command::new(merge).arg("merge").arg("-o").arg(&profile).arg(counts))?;
    Ok(profile)
}

/// The functions of the back end that run when a program is compiled, by the names that the linker has for
/// them. The library must have these names.
pub(crate) fn functions(cm: &Path, library: &str) -> Result<BTreeSet<String>> {
    if !valgrind::is_installed() {
        return Err("valgrind is not installed: apt-get install valgrind".to_owned());
    }
    let dir = tempfile::tempdir().map_err(|error| at("create", Path::new("a folder"), error))?;
    let training = Training { cm, dir: dir.path() };
    bench::write(&bench::edits()[0], training.dir)?;
    let found = dir.path().join("functions");
    let mut command = Command::new("valgrind");
    command.args(["-q", "--tool=callgrind", "--demangle=no", "--compress-strings=no"]);
    command.arg(format!("--callgrind-out-file={}", found.display())).arg(cm);
    command.args(["compile", "-q", "--no-cache", "-O0", "-o", "main.out", "main.cm"]);
    shell::run(training.prepare(&mut command))?;
    let found = fs::read(&found).map_err(|error| at("read", &found, error))?;
    Ok(named(&String::from_utf8_lossy(&found), library))
}

/// The functions of a library that callgrind has listed, if they have names. A second activation of one
/// has a number behind its name.
fn named(found: &str, library: &str) -> BTreeSet<String> {
    let mut is_there = false;
    let mut names = BTreeSet::new();
    for line in found.lines() {
        if let Some(object) = line.strip_prefix("ob=") {
            is_there = object.ends_with(library);
        } else if is_there && let Some(name) = line.strip_prefix("fn=") {
            let name = name.split('\'').next().unwrap_or_default();
            if is_symbol(name) {
                names.insert(name.to_owned());
            }
        }
    }
    names
}

/// Where there is no name, there is an address.
fn is_symbol(name: &str) -> bool {
    !name.starts_with(|first: char| first.is_ascii_digit())
        && name.chars().all(|each| each.is_ascii_alphanumeric() || "_.$".contains(each))
}

struct Training<'a> {
    cm: &'a Path,
    dir: &'a Path,
}

impl Training<'_> {
    /// A generated program, from nothing and after edits.
    fn edits(&self) -> Result {
        for (round, files) in bench::edits().into_iter().enumerate() {
            bench::write(&files, self.dir)?;
            let mut builds = vec![vec!["compile", "-q", "-o", "main.out", "main.cm"]; 2];
            if round == 0 {
                builds.push(vec!["compile", "-q", "--no-cache", "-o", "main.out", "main.cm"]);
            }
            builds.push(vec!["run", "main.cm"]);
            for arguments in builds {
                let mut command = self.command(&arguments);
                if !shell::status(&mut command)?.success() {
                    return Err(format!("`{}` fails", shell::show(&command)));
                }
            }
        }
        Ok(())
    }

    /// All there is in the language. Some of the programs are wrong, and shall be.
    fn programs(&self, folder: &Path) -> Result {
        for program in shell::files(folder, "cm")? {
            let arguments = ["compile", "-q", "--no-cache", "-o", "main.out"];
            shell::status(self.command(&arguments).arg(program))?;
        }
        Ok(())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.cm);
        self.prepare(command.args(arguments));
        command
    }

    fn prepare<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.current_dir(self.dir).env("CM_SHARED_CACHE", self.dir.join("all"));
        // Threads that count the same take turns at the counters.
        command.env("RAYON_NUM_THREADS", "1").stdout(Stdio::null()).stderr(Stdio::null())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_named_as_the_linker_does() {
        let found = "ob=cm\nfn=main\n+3 10\nob=/a/lib.so\nfn=_Z1fv\n+3 10\ncfn=g\ncalls=1 0\n* 5\n\
                     fn=g'2\n+1 4\nfn=g\nfn=0x12\nfn=(below main)\nob=/a/libc.so\nfn=strlen\n";
        assert_eq!(named(found, "lib.so"), BTreeSet::from(["_Z1fv".to_owned(), "g".to_owned()]));
    }
}
