//! The shared libraries that programs are linked with, looked for as a linker does.
#![expect(unsafe_code, reason = "files are mapped: little of a library is ever looked at")]

use camino::{Utf8Path, Utf8PathBuf};
use castore::Digest;
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
    /// The standard ones; `None` if this machine has others, or in other places.
    pub fn find() -> Option<Libraries> {
        Libraries::with(&[], &[])
    }

    /// Libraries by their names, looked for in `dirs` before the places of the system, and the standard
    /// ones. `None`: one of them is not there as a shared library.
    pub fn with(names: &[String], dirs: &[Utf8PathBuf]) -> Option<Libraries> {
        let mut found = Vec::new();
        let files = names.iter().map(|name| format!("lib{name}.so"));
        for file in files.chain(STANDARD.map(str::to_owned)) {
            open(&file, dirs, 0, &mut found)?;
        }
        Some(Libraries(found))
    }

    /// Names this linker and these versions of the libraries. Its own code is part of the build's
    /// identity.
    pub fn identity(&self) -> String {
        let library = |library: &Mapped| {
            let name = library.path.file_name().unwrap_or_default();
            format!("{name} {}\n", version(&library.bytes))
        };
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

/// Opens a library, or those that a script in its place names.
fn open(file: &str, dirs: &[Utf8PathBuf], depth: usize, found: &mut Vec<Mapped>) -> Option<()> {
    let triple = format!("{}-linux-gnu", std::env::consts::ARCH);
    let system = ["/usr/lib", "/lib", "/usr/lib64", "/lib64"].map(Utf8Path::new);
    let system = system.iter().flat_map(|dir| [dir.join(&triple), dir.to_path_buf()]);
    for dir in dirs.iter().cloned().chain(system) {
        // An absolute path replaces the directory.
        let path = dir.join(file);
        if let Ok(file) = File::open(&path) {
            return add(path, &file, dirs, depth, found);
        }
        // It comes before shared libraries in later directories. The C library has the contents of some of
        // old, such as libpthread.a, which are empty.
        if let Ok(archive) = path.with_extension("a").metadata() {
            return (archive.len() == EMPTY_ARCHIVE).then_some(());
        }
    }
    None
}

/// `!<arch>` and a line end.
const EMPTY_ARCHIVE: u64 = 8;

/// Scripts may name scripts, and so on.
const MAX_DEPTH: usize = 4;

fn add(
    path: Utf8PathBuf,
    file: &File,
    dirs: &[Utf8PathBuf],
    depth: usize,
    found: &mut Vec<Mapped>,
) -> Option<()> {
    // SAFETY: package managers replace libraries, and never write to those that processes use.
    let bytes = unsafe { Mmap::map(file) }.ok()?;
    if !bytes.starts_with(b"\x7fELF") {
        let text = std::str::from_utf8(&bytes).ok().filter(|_| depth < MAX_DEPTH)?;
        let files = script(text);
        let mut shared = files.iter().filter(|file| !file.ends_with(".a"));
        let none = shared.clone().next().is_none();
        return (!none).then(|| shared.try_for_each(|file| open(file, dirs, depth + 1, found)))?;
    }
    if found.iter().all(|library| library.path != path) {
        found.push(Mapped { path, bytes });
    }
    Some(())
}

/// What the lists `GROUP(…)` and `INPUT(…)` of a linker's script name. Such a text lies in the place of a
/// library that has several parts, shared ones and archives.
fn script(text: &str) -> Vec<String> {
    let mut files = Vec::new();
    let mut lists: Vec<bool> = Vec::new();
    let mut last = "";
    let comments = text.split("/*").enumerate();
    let code = comments.map(|(n, part)| match part.split_once("*/") {
        Some((_, code)) if n > 0 => code,
        _ if n > 0 => "",
        _ => part,
    });
    for word in code.flat_map(words) {
        match word {
            "(" => {
                let inside = lists.last() == Some(&true) && last == "AS_NEEDED";
                lists.push(inside || matches!(last, "GROUP" | "INPUT"));
            }
            ")" => drop(lists.pop()),
            "AS_NEEDED" => {}
            _ if lists.last() == Some(&true) => {
                let library = word.strip_prefix("-l").map(|name| format!("lib{name}.so"));
                files.push(library.unwrap_or_else(|| word.to_owned()));
            }
            _ => {}
        }
        last = word;
    }
    files
}

/// Brackets, and what stands between blanks, commas and brackets.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split(|c: char| c.is_whitespace() || c == ',').filter(|part| !part.is_empty());
    parts
        .flat_map(|part| {
            let pieces = part.split_inclusive(['(', ')']);
            pieces.flat_map(|piece| match piece.strip_suffix(['(', ')']) {
                Some(word) => [word, &piece[word.len()..]],
                None => [piece, ""],
            })
        })
        .filter(|word| !word.is_empty())
}

/// The note by which a linker names what it made, which is near the start of a file; the digest of
/// a library without one.
fn version(library: &[u8]) -> String {
    /// Lengths of name and value, the kind, and the name.
    const NOTE: &[u8; 16] = b"\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0";
    let start = &library[..library.len().min(1 << 12)];
    let at = start.windows(NOTE.len()).position(|window| window == NOTE);
    match at.and_then(|at| start.get(at + NOTE.len()..at + NOTE.len() + 20)) {
        Some(id) => id.iter().map(|byte| format!("{byte:02x}")).collect(),
        None => Digest::of(library).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_libraries_export_what_the_manual_says() {
        // Elsewhere there is nothing to look at.
        let Some(libraries) = Libraries::find() else { return };
        let parsed = libraries.parse().expect("libraries");
        let [c, m] = &parsed[..] else { panic!("two libraries") };
        assert_eq!([c.name, m.name], [b"libc.so.6", b"libm.so.6"]);
        assert!(c.find(b"printf").is_some_and(|export| export.version.is_some()));
        assert!(m.find(b"fmod").is_some());
        assert!(c.find(b"no such function").is_none());
        assert!(libraries.identity().contains("libc.so.6 "));
        let note = b"\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0";
        let library = |id: &[u8]| version(&[b"\x7fELF", &note[..], id].concat());
        assert_eq!(library(&[0xab; 20]), "ab".repeat(20));
        assert_ne!(library(&[1; 19]), library(&[2; 19]));
    }

    #[test]
    fn scripts_name_libraries() {
        let text = "/* GNU ld script (x) */ OUTPUT_FORMAT(elf64-x86-64)\n\
                    GROUP ( /lib/libc.so.6 /lib/libc_nonshared.a AS_NEEDED ( /lib/ld.so.2 ) )\n\
                    INPUT(-ltinfo, libx.so)";
        let expected =
            ["/lib/libc.so.6", "/lib/libc_nonshared.a", "/lib/ld.so.2", "libtinfo.so", "libx.so"];
        assert_eq!(script(text), expected);
        for bad in ["", "GROUP", "GROUP (", "a b", ")))", "GROUP((((a", "/* GROUP(a)"] {
            assert_eq!(script(bad), [""; 0], "{bad}");
        }
    }

    #[test]
    fn what_is_no_shared_library_is_not_found() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = Utf8PathBuf::from_path_buf(dir.path().to_owned()).expect("a path");
        let write = |name: &str, bytes: &[u8]| {
            std::fs::write(path.join(name), bytes).expect("written");
        };
        write("libself.so", b"INPUT(-lself)");
        write("libbytes.so", &[0xff; 9]);
        write("libparts.so", b"GROUP ( libonly.a )");
        write("libm.a", b"");
        for name in ["nothing", "self", "bytes", "parts", "m"] {
            let names = [name.to_owned()];
            assert!(Libraries::with(&names, std::slice::from_ref(&path)).is_none(), "{name}");
        }
    }
}
