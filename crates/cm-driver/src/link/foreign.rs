//! Foreign code that the command line adds to a program: libraries, objects, files of C. The C compiler of the
//! system knows where libraries are, and what has to be linked with them.

use super::Objects;
use crate::{reason, tools::Scratch};
use camino::{Utf8Path, Utf8PathBuf};
use castore::Digest;
use std::{fs, process::Command};

/// What is linked with a program.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Foreign {
    /// Names of libraries, `-l`.
    pub libraries: Vec<String>,
    /// Where they are looked for before the places of the system, `-L`.
    pub directories: Vec<Utf8PathBuf>,
    /// Objects, archives and files of C.
    pub files: Vec<Utf8PathBuf>,
    /// Arguments for the linker.
    pub arguments: Vec<String>,
}

impl Foreign {
    /// The program stands by itself.
    pub fn is_empty(&self) -> bool {
        self.libraries.is_empty() && self.files.is_empty() && self.arguments.is_empty()
    }

    /// Whether the command line means such a file, not one of Cm.
    pub fn is_file(path: &Utf8Path) -> bool {
        matches!(path.extension(), Some("o" | "a" | "so" | "c"))
    }

    /// What it consists of, wherever that lies. The libraries of the system are taken to stay as they are.
    pub fn identity(&self) -> String {
        let content = |path: &Utf8PathBuf| {
            fs::read(path)
                .map_or_else(|_| "absent".to_owned(), |bytes| Digest::of(&bytes).to_string())
        };
        let files: Vec<String> = self.files.iter().map(content).collect();
        let libraries: Vec<String> = self.found().map(|path| content(&path)).collect();
        format!("{:?} {:?} {files:?} {libraries:?}", self.libraries, self.arguments)
    }

    /// The libraries that are in the directories of the command line.
    fn found(&self) -> impl Iterator<Item = Utf8PathBuf> {
        let files = self.libraries.iter().flat_map(move |name| {
            let file = move |suffix| format!("lib{name}.{suffix}");
            self.directories.iter().flat_map(move |dir| [dir.join(file("so")), dir.join(file("a"))])
        });
        files.filter(|path| path.is_file())
    }

    /// Links objects and all of this to an executable.
    pub fn link(&self, objects: &Objects<'_>, scratch: &Scratch) -> Result<Vec<u8>, String> {
        let object = |(index, (_, bytes)): (usize, &(&str, &[u8]))| {
            scratch.write(&format!("{index}.o"), bytes)
        };
        let objects = objects.iter().enumerate().map(object).collect::<Result<Vec<_>, _>>()?;
        let output = scratch.path("executable")?;
        let mut command = compiler(&output);
        command.args(["-pie", "-Wl,--gc-sections", "-Wl,--build-id=none"]).args(&objects);
        self.add_to(&mut command);
        call(command)?;
        fs::read(&output).map_err(|e| format!("cannot read {output}: {}", reason(&e)))
    }

    /// Makes all of this a part of this process. The path is that of a library, which needs no more.
    pub fn library(&self, scratch: &Scratch) -> Result<Utf8PathBuf, String> {
        let output = scratch.path("foreign.so")?;
        let mut command = compiler(&output);
        command.args(["-shared", "-fPIC", "-Wl,--no-as-needed"]);
        for dir in self.absolute_directories() {
            command.arg(format!("-Wl,-rpath,{dir}"));
        }
        // Nothing in this library calls what is in archives, the program does.
        command.arg("-Wl,--whole-archive").args(self.found().filter(|path| Self::is_archive(path)));
        self.add_to(&mut command);
        call(command)?;
        Ok(output)
    }

    fn absolute_directories(&self) -> impl Iterator<Item = Utf8PathBuf> {
        let canonical = |dir: &Utf8PathBuf| dir.canonicalize_utf8().unwrap_or_else(|_| dir.clone());
        self.directories.iter().map(canonical)
    }

    /// A library of which there is no shared form beside it.
    fn is_archive(path: &Utf8Path) -> bool {
        path.extension() == Some("a") && !path.with_extension("so").is_file()
    }

    fn add_to(&self, command: &mut Command) {
        command.args(&self.files).arg("-Wl,--no-whole-archive");
        command.args(self.directories.iter().map(|dir| format!("-L{dir}")));
        command.args(self.libraries.iter().map(|name| format!("-l{name}")));
        command.args(&self.arguments).args(["-lm", "-lpthread"]);
    }
}

fn compiler(output: &Utf8Path) -> Command {
    let program = std::env::var("CC").ok().filter(|program| !program.is_empty());
    let mut command = Command::new(program.as_deref().unwrap_or("cc"));
    command.arg("-o").arg(output);
    command
}

fn call(mut command: Command) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let result = command.output().map_err(|e| {
        format!("cannot link with foreign code: cannot run {program}: {}", reason(&e))
    })?;
    match result.status.success() {
        true => Ok(()),
        false => Err(super::system::explain(&String::from_utf8_lossy(&result.stderr))),
    }
}
