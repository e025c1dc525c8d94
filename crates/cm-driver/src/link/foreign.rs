//! Foreign code that the command line adds to a program: libraries, objects, files of C. Shared libraries are found
//! and linked with in this process; for the rest there is the C compiler of the system.

use super::{Failure, Linker, Objects, libraries::Libraries};
use crate::{
    reason,
    tools::{Scratch, Tools},
};
use camino::{Utf8Path, Utf8PathBuf};
use castore::Digest;
use redgreen::NodeName;
use std::{collections::BTreeMap, fs, process::Command, sync::Arc};

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

    /// What it consists of, wherever that lies. The libraries of the system are taken to stay as they are as
    /// long as they have the same length.
    pub fn identity(&self) -> String {
        let mut parts = BTreeMap::new();
        self.files
            .iter()
            .cloned()
            .chain(self.found())
            .for_each(|file| read_parts(file, &mut parts));
        let parts: Vec<String> = parts.into_values().collect();
        let shared = self.shared().map(|libraries| libraries.identity());
        format!("{:?} {:?} {parts:?} {shared:?}", self.libraries, self.arguments)
    }

    /// The libraries, if there is nothing but shared ones.
    fn shared(&self) -> Option<Libraries> {
        if !self.files.is_empty() || !self.arguments.is_empty() || super::system::chosen().is_some()
        {
            return None;
        }
        Libraries::with(&self.libraries, &self.directories)
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
    pub fn link(&self, objects: &Objects<'_>, scratch: &Scratch) -> Result<Arc<[u8]>, String> {
        let own = self.shared().map(|libraries| Linker::Own(libraries).link(objects, scratch));
        match own {
            Some(Ok(linked)) => Ok(linked),
            Some(Err(Failure { message, try_next: false, .. })) => Err(message),
            Some(Err(Failure { message, exact: true, .. })) => {
                self.link_by_compiler(objects, scratch).map_err(|_| message)
            }
            Some(Err(_)) | None => self.link_by_compiler(objects, scratch),
        }
    }

    fn link_by_compiler(
        &self,
        objects: &Objects<'_>,
        scratch: &Scratch,
    ) -> Result<Arc<[u8]>, String> {
        let objects = super::files(objects, scratch)?;
        let output = scratch.path("executable")?;
        let mut command = compiler(&output);
        command.args(["-pie", "-Wl,--gc-sections", "-Wl,--build-id=none"]).args(&objects);
        self.add_to(&mut command);
        call(command)?;
        let linked = fs::read(&output);
        linked.map(Into::into).map_err(|e| format!("cannot read {output}: {}", reason(&e)))
    }

    /// Makes all of this a part of this process. What has to be compiled for it is kept in the store.
    /// `false`: it cannot be a part of a process that the program is not yet a part of, since it calls
    /// functions of the program by name.
    pub fn load(&self, tools: &Tools) -> Result<bool, String> {
        if self.is_empty() {
            return Ok(true);
        }
        let load = |path: &Utf8Path| cm_jit::load(path.as_std_path()).is_ok();
        if let Some(libraries) = self.shared()
            && libraries.paths().all(load)
        {
            return Ok(true);
        }
        let node = NodeName { query: "foreign".into(), key: "".into() };
        let mut made = None;
        let library = tools.cached_or(node, &Digest::of(self.identity().as_bytes()), || {
            let path = self.library(&tools.scratch)?;
            let bytes = fs::read(&path);
            made = Some(path);
            bytes.map_err(|e| reason(&e))
        })?;
        if let Some(path) = made {
            // The next process makes it again if it cannot be kept.
            let _ = tools.finish_writing();
            return Ok(load(&path));
        }
        let known = library.digest().and_then(|digest| tools.store.as_ref()?.get(&Digest(digest)));
        let bytes = known.ok_or("the library of foreign code was lost")?;
        Ok(load(&tools.scratch.write("foreign.so", &bytes)?))
    }

    /// A library with all of this, which needs no more.
    fn library(&self, scratch: &Scratch) -> Result<Utf8PathBuf, String> {
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

    /// The directories of the command line.
    pub fn absolute_directories(&self) -> impl Iterator<Item = Utf8PathBuf> {
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

/// Digests of a file and, of a file of C, of what it includes from where it lies.
fn read_parts(path: Utf8PathBuf, parts: &mut BTreeMap<Utf8PathBuf, String>) {
    if parts.contains_key(&path) {
        return;
    }
    let Ok(bytes) = fs::read(&path) else {
        parts.insert(path, "absent".to_owned());
        return;
    };
    parts.insert(path.clone(), Digest::of(&bytes).to_string());
    if !matches!(path.extension(), Some("c" | "h")) {
        return;
    }
    let text = String::from_utf8_lossy(&bytes);
    for line in text.lines() {
        let directive = line.trim_start().strip_prefix('#').map(str::trim_start);
        let included = directive.and_then(|line| line.strip_prefix("include"));
        let name = included.and_then(|rest| rest.trim_start().strip_prefix('"')?.split('"').next());
        if let (Some(name), Some(dir)) = (name, path.parent()) {
            read_parts(dir.join(name), parts);
        }
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
