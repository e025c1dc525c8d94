//! `-`: a program from standard input.

use crate::error::{Error, reason};
use camino::{Utf8Path, Utf8PathBuf};
use castore::Digest;
use cm_base::{FileText, OsSystem, Stamp, System};
use std::{
    io::Read,
    sync::{Arc, OnceLock},
};

/// What the command line calls it.
pub const NAME: &str = "-";

/// The file system of the operating system, and standard input as a file in it.
pub struct WithInput {
    /// The path under which it is found.
    path: Utf8PathBuf,
    text: FileText,
    stamp: Stamp,
}

impl WithInput {
    /// Reads standard input to its end, or remembers what was read.
    pub fn new(path: Utf8PathBuf) -> Result<WithInput, Error> {
        static READ: OnceLock<Result<Vec<u8>, String>> = OnceLock::new();
        let read = READ.get_or_init(|| {
            let mut bytes = Vec::new();
            let read = std::io::stdin().read_to_end(&mut bytes);
            read.map(|_| bytes).map_err(|e| format!("cannot read standard input: {}", reason(&e)))
        });
        let bytes = read.as_ref().map_err(|message| Error::Message(message.clone()))?;
        let text = FileText::from_bytes(bytes.clone());
        let [a, b, c, d, e, f, g, h, ..] = Digest::of(bytes).0;
        let hash = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
        // Equal texts have equal stamps, which are never those of a missing file.
        let stamp = Stamp { size: bytes.len() as u64, mtime: hash, ctime: 0, inode: 1 };
        Ok(WithInput { path, text, stamp })
    }
}

impl System for WithInput {
    fn stamp(&self, path: &Utf8Path) -> Stamp {
        if path == self.path { self.stamp } else { OsSystem.stamp(path) }
    }
    fn is_settled(&self, stamp: &Stamp) -> bool {
        *stamp == self.stamp || OsSystem.is_settled(stamp)
    }
    fn read(&self, path: &Utf8Path) -> FileText {
        if path == self.path { self.text.clone() } else { OsSystem.read(path) }
    }
    fn list(&self, path: &Utf8Path) -> Option<Vec<Utf8PathBuf>> {
        OsSystem.list(path)
    }
    fn canonical(&self, path: &Utf8Path) -> Option<Utf8PathBuf> {
        if path == self.path { Some(path.to_owned()) } else { OsSystem.canonical(path) }
    }
}

/// Where the program comes from.
pub fn system(file: &Utf8Path, root_path: &Utf8Path) -> Result<Arc<dyn System>, Error> {
    if file == NAME {
        return Ok(Arc::new(WithInput::new(root_path.to_owned())?));
    }
    Ok(Arc::new(OsSystem))
}
