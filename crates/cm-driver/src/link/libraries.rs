//! The shared libraries that programs are linked with.
#![expect(unsafe_code, reason = "files are mapped: little of a library is ever looked at")]

use crate::LinkWith;
use camino::{Utf8Path, Utf8PathBuf};
use cm_link::{Library, LinkError};
use memmap2::Mmap;
use std::fs::File;

/// Shared libraries of this machine.
#[derive(Default)]
pub struct Libraries(Vec<Mapped>);

struct Mapped {
    path: Utf8PathBuf,
    bytes: Mmap,
}

/// Those that every program may use.
const STANDARD: [&str; 2] = ["libc.so.6", "libm.so.6"];

impl Libraries {
    /// The libraries of a program, and the standard ones; `None` if some are not there as shared
    /// libraries.
    pub fn find(with: &LinkWith) -> Option<Libraries> {
        let mut libraries = Vec::new();
        let files = with.libraries.iter().map(|name| format!("lib{name}.so"));
        for file in files.chain(STANDARD.map(str::to_owned)) {
            open(&file, &with.dirs, 0, &mut libraries)?;
        }
        Some(Libraries(libraries))
    }

    /// Names this linker and these versions of the libraries. Its own code is part of the build's
    /// identity.
    pub fn identity(&self) -> String {
        let library = |library: &Mapped| format!("{} {}\n", library.path, library.bytes.len());
        self.0.iter().map(library).collect()
    }

    /// Where they are.
    pub fn paths(&self) -> impl Iterator<Item = &Utf8Path> {
        self.0.iter().map(|library| library.path.as_path())
    }

    /// Their tables.
    pub fn parse<'a>(&'a self) -> Result<Vec<Library<'a>>, LinkError> {
        let parse = |library: &'a Mapped| {
            Library::parse(library.path.file_name().unwrap_or_default(), &library.bytes)
        };
        self.0.iter().map(parse).collect()
    }
}

/// Opens a library, or those that it stands for.
fn open(file: &str, dirs: &[Utf8PathBuf], depth: usize, libraries: &mut Vec<Mapped>) -> Option<()> {
    let system = ["/usr/lib", "/lib", "/usr/lib64", "/lib64"].map(Utf8Path::new);
    let triple = format!("{}-linux-gnu", std::env::consts::ARCH);
    let system = system.iter().flat_map(|dir| [dir.join(&triple), dir.to_path_buf()]);
    // An absolute path replaces the directory.
    let mut paths = dirs.iter().cloned().chain(system).map(|dir| dir.join(file));
    let (path, file) = paths.find_map(|path| Some((path.clone(), File::open(path).ok()?)))?;
    // SAFETY: package managers replace libraries, and never write to those that processes use.
    let bytes = unsafe { Mmap::map(&file) }.ok()?;
    if !bytes.starts_with(b"\x7fELF") {
        let text = std::str::from_utf8(&bytes).ok().filter(|_| depth < MAX_DEPTH)?;
        return script(text).iter().try_for_each(|file| open(file, dirs, depth + 1, libraries));
    }
    if libraries.iter().all(|library| library.path != path) {
        libraries.push(Mapped { path, bytes });
    }
    Some(())
}

/// Scripts that name scripts, and so on.
const MAX_DEPTH: usize = 4;

/// The shared libraries in a linker's script, which lies in place of a library if it has several
/// parts. Archives hold what programs rarely need; the system's linker knows them.
fn script(text: &str) -> Vec<String> {
    let mut files = Vec::new();
    let mut rest = text;
    while let Some((_, list)) = rest.split_once('(') {
        let before = &rest[..rest.len() - list.len() - 1];
        let (list, after) = closed(list);
        rest = after;
        if before.trim_end().ends_with("GROUP") || before.trim_end().ends_with("INPUT") {
            let words = list.split(|c: char| c.is_whitespace() || "(),".contains(c));
            let words = words.filter(|word| !word.is_empty() && *word != "AS_NEEDED");
            files.extend(words.filter(|word| !word.ends_with(".a")).map(|word| {
                match word.strip_prefix("-l") {
                    Some(name) => format!("lib{name}.so"),
                    None => word.to_owned(),
                }
            }));
        }
    }
    files
}

/// What is before the bracket that closes the one before the text, and what is behind it.
fn closed(text: &str) -> (&str, &str) {
    let mut open = 1;
    for (at, c) in text.char_indices() {
        match c {
            '(' => open += 1,
            ')' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return (&text[..at], &text[at + 1..]);
        }
    }
    (text, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_libraries_export_what_the_manual_says() {
        // Elsewhere there is nothing to look at.
        let Some(libraries) = Libraries::find(&LinkWith::default()) else { return };
        let parsed = libraries.parse().expect("libraries");
        let [c, m] = &parsed[..] else { panic!("two libraries") };
        assert_eq!([c.name, m.name], [b"libc.so.6", b"libm.so.6"]);
        assert!(c.find(b"printf").is_some_and(|export| export.version.is_some()));
        assert!(m.find(b"fmod").is_some());
        assert!(c.find(b"no such function").is_none());
        assert!(libraries.identity().contains("libc.so.6 "));
    }

    #[test]
    fn scripts_name_libraries() {
        let text = "/* GNU ld script */ OUTPUT_FORMAT(elf64-x86-64)\n\
                    GROUP ( /lib/libc.so.6 /lib/libc_nonshared.a AS_NEEDED ( /lib/ld.so.2 ) )\n\
                    INPUT(-ltinfo, libx.so)";
        assert_eq!(script(text), ["/lib/libc.so.6", "/lib/ld.so.2", "libtinfo.so", "libx.so"]);
        for bad in ["", "GROUP", "GROUP (", "INPUT ( a", ")))", "GROUP(((("] {
            assert!(script(bad).len() < 2, "{bad}");
        }
    }

    #[test]
    fn a_library_that_is_missing_or_no_library_is_none() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = Utf8PathBuf::from_path_buf(dir.path().to_owned()).expect("a path");
        let with = |name: &str| LinkWith {
            libraries: vec![name.to_owned()],
            dirs: vec![path.clone()],
            args: Vec::new(),
        };
        std::fs::write(path.join("libself.so"), "INPUT(-lself)").expect("written");
        std::fs::write(path.join("libbytes.so"), [0xff; 9]).expect("written");
        for name in ["nothing", "self", "bytes"] {
            assert!(Libraries::find(&with(name)).is_none(), "{name}");
        }
    }
}
