//! `-`: a program from standard input.

use crate::error::{Error, reason};
use camino::{Utf8Path, Utf8PathBuf};
use castore::Digest;
use cm_base::{FileText, Stamp, System};
use std::{
    io::Read,
    sync::{Arc, OnceLock},
};

/// What the command line calls it.
pub const NAME: &str = "-";

/// Reads standard input to its end, or remembers what was read.
pub fn bytes() -> Result<&'static [u8], Error> {
    static READ: OnceLock<Result<Vec<u8>, String>> = OnceLock::new();
    let read = READ.get_or_init(|| {
        let mut bytes = Vec::new();
        let read = std::io::stdin().read_to_end(&mut bytes);
        read.map(|_| bytes).map_err(|e| format!("cannot read standard input: {}", reason(&e)))
    });
    read.as_deref().map_err(|message| Error::Message(message.clone()))
}

/// A file system, and standard input as a file in it.
struct WithInput {
    system: Arc<dyn System>,
    /// The path under which it is found.
    path: Utf8PathBuf,
    text: FileText,
    stamp: Stamp,
}

impl WithInput {
    fn new(system: Arc<dyn System>, path: Utf8PathBuf) -> Result<WithInput, Error> {
        let bytes = bytes()?;
        let text = FileText::from_bytes(bytes.to_vec());
        let [a, b, c, d, e, f, g, h, ..] = Digest::of(bytes).0;
        let hash = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
        // Equal texts have equal stamps, which are never those of a missing file.
        let stamp = Stamp { size: bytes.len() as u64, mtime: hash, ctime: 0, inode: 1 };
        Ok(WithInput { system, path, text, stamp })
    }
}

impl System for WithInput {
    fn stamp(&self, path: &Utf8Path) -> Stamp {
        if path == self.path { self.stamp } else { self.system.stamp(path) }
    }
    fn is_settled(&self, stamp: &Stamp) -> bool {
        *stamp == self.stamp || self.system.is_settled(stamp)
    }
    fn read(&self, path: &Utf8Path) -> FileText {
        if path == self.path { self.text.clone() } else { self.system.read(path) }
    }
    fn list(&self, path: &Utf8Path) -> Option<Vec<Utf8PathBuf>> {
        self.system.list(path)
    }
    fn canonical(&self, path: &Utf8Path) -> Option<Utf8PathBuf> {
        if path == self.path { Some(path.to_owned()) } else { self.system.canonical(path) }
    }

    fn is_link(&self, path: &Utf8Path) -> bool {
        self.system.is_link(path)
    }
}

/// `system`, with standard input in it if the root file is `-`.
pub fn with_input(
    system: Arc<dyn System>,
    file: &Utf8Path,
    root_path: &Utf8Path,
) -> Result<Arc<dyn System>, Error> {
    if file != NAME {
        return Ok(system);
    }
    Ok(Arc::new(WithInput::new(system, root_path.to_owned())?))
}
