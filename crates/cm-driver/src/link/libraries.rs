//! The shared libraries that executables are linked with.
#![expect(unsafe_code, reason = "files are mapped: little of a library is ever looked at")]

use camino::Utf8PathBuf;
use castore::Digest;
use cm_link::{Library, LinkError};
use memmap2::Mmap;
use std::fs::File;

/// Shared libraries of this machine.
#[derive(Default)]
pub struct Libraries(Vec<Mapped>);

struct Mapped {
    name: &'static str,
    bytes: Mmap,
}

/// Those that every program may use.
const STANDARD: [&str; 2] = ["libc.so.6", "libm.so.6"];

impl Libraries {
    /// The standard ones; `None` if this machine has others, or in other places.
    pub fn find() -> Option<Libraries> {
        let libraries = STANDARD.iter().map(|name| open(name));
        libraries.collect::<Option<_>>().map(Libraries)
    }

    /// Names this linker and these versions of the libraries. Its own code is part of the build's
    /// identity.
    pub fn identity(&self) -> String {
        let library = |library: &Mapped| format!("{} {}\n", library.name, version(&library.bytes));
        self.0.iter().map(library).collect()
    }

    /// Their tables.
    pub fn parse(&self) -> Result<Vec<Library<'_>>, LinkError> {
        self.0.iter().map(|library| Library::parse(library.name, &library.bytes)).collect()
    }
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

fn open(name: &'static str) -> Option<Mapped> {
    let triple = format!("{}-linux-gnu", std::env::consts::ARCH);
    let dirs = ["/usr/lib", "/lib", "/usr/lib64", "/lib64"];
    let paths = dirs.iter().flat_map(|dir| {
        let dir = Utf8PathBuf::from(dir);
        [dir.join(&triple).join(name), dir.join(name)]
    });
    let file = paths.into_iter().find_map(|path| File::open(path).ok())?;
    // SAFETY: package managers replace libraries, and never write to those that processes use.
    let bytes = unsafe { Mmap::map(&file) }.ok()?;
    Some(Mapped { name, bytes })
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
}
