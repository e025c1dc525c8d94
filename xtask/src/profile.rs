//! What the compiler does most often, counted: the release is optimized for it.

use crate::{Result, bench, dist::at, setup::Toolchain, shell};
use std::{
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

struct Training<'a> {
    cm: &'a Path,
    dir: &'a Path,
}

impl Training<'_> {
    /// A generated program, from nothing and after edits.
    fn edits(&self) -> Result {
        for (round, files) in bench::edits().into_iter().enumerate() {
            for (name, text) in files {
                let path = self.dir.join(name);
                fs::write(&path, text).map_err(|error| at("write", &path, error))?;
            }
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
        command.args(arguments).current_dir(self.dir).env("CM_SHARED_CACHE", self.dir.join("all"));
        // Threads that count the same take turns at the counters.
        command.env("RAYON_NUM_THREADS", "1").stdout(Stdio::null()).stderr(Stdio::null());
        command
    }
}
