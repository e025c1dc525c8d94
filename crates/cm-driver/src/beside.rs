//! What lies in the cache directory beside the store: images and views. The cap is for all of it.

use crate::CacheSettings;
use camino::{Utf8Path, Utf8PathBuf};
use std::{
    fs::{self, File, Metadata},
    io::{self, Read},
    sync::Arc,
    time::SystemTime,
};

/// Where the files are that are not the store's.
pub const FOLDERS: [&str; 4] = ["graph", "mir", "llvm", "obj"];

/// Below this cap one image may be a large part of it.
const SMALL: u64 = 1 << 28;

/// The cache directory, as the place of files that are not the store's.
#[derive(Clone)]
pub struct Beside {
    /// The directory.
    pub dir: Utf8PathBuf,
    /// What the files and the store may take together.
    max_size: u64,
    store: Arc<castore::Store>,
}

impl Beside {
    /// Beside the store of a cache.
    pub fn new(cache: &CacheSettings, store: Arc<castore::Store>) -> Beside {
        Beside { dir: cache.dir.clone(), max_size: cache.max_size, store }
    }

    /// A file of the directory; `None`: there is none that may be used.
    pub fn read(&self, path: &Utf8Path) -> Option<Vec<u8>> {
        self.store.admits(path.as_std_path()).then(|| fs::read(path).ok())?
    }

    /// Replaces a file of the directory as a whole. One that is right already is left alone, and one
    /// for which there is no room stays as it was.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, path: &Utf8Path, bytes: &[u8]) -> io::Result<()> {
        if self.store.admits(path.as_std_path()) && holds(path, bytes).unwrap_or(false) {
            return Ok(());
        }
        self.in_room(bytes.len(), || redgreen::replace_file(path.as_std_path(), &[bytes]))
    }

    /// Writes a file of this length if there is room for it, and be it that others go. Without it the
    /// next build takes longer, no more.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn in_room(&self, len: usize, write: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let len = len as u64;
        let room = self.store.reserve(len).or_else(|| {
            trim(&self.dir, self.max_size.saturating_sub(len) / 2);
            self.store.reserve(len)
        });
        room.map_or(Ok(()), |_room| write())
    }

    /// Sees to it that files that have just been written, or were when the cap was larger, leave room in
    /// a small cap. In a large one they are no matter, and nobody looks.
    pub fn keep_small(&self) {
        if self.max_size < SMALL {
            trim(&self.dir, self.max_size / 2);
        }
    }
}

/// Whether a file consists of these bytes. It is read piece by piece, up to the first that differs.
pub fn holds(path: &Utf8Path, bytes: &[u8]) -> io::Result<bool> {
    // Nobody waits for a pipe.
    let meta = fs::metadata(path)?;
    if !meta.is_file() || meta.len() != bytes.len() as u64 {
        return Ok(false);
    }
    let mut file = File::open(path)?;
    let mut piece = [0; 1 << 15];
    for expected in bytes.chunks(piece.len()) {
        let piece = &mut piece[..expected.len()];
        file.read_exact(piece)?;
        if piece != expected {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Visits all these files.
fn visit(dir: &Utf8Path, visit: &mut dyn FnMut(&Utf8Path, &Metadata)) {
    let hashes = dir.join("module_hash.json");
    if let Ok(meta) = hashes.symlink_metadata() {
        visit(&hashes, &meta);
    }
    for folder in FOLDERS.into_iter().chain(["quarantine"]) {
        walk(&dir.join(folder), visit);
    }
}

/// What all these files take.
pub fn bytes(dir: &Utf8Path) -> u64 {
    let mut sum = 0;
    visit(dir, &mut |_, meta| sum += meta.len());
    sum
}

/// Deletes what was written longest ago until these files take no more than that. Gives the number of
/// files.
pub fn trim(dir: &Utf8Path, most: u64) -> u64 {
    let mut files: Vec<(SystemTime, Utf8PathBuf, u64)> = Vec::new();
    let mut sum = 0;
    visit(dir, &mut |path, meta| {
        sum += meta.len();
        let time = meta.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        files.push((time, path.to_owned(), meta.len()));
    });
    files.sort();
    let mut removed = 0;
    for (_, path, len) in files {
        if sum <= most {
            break;
        }
        if fs::remove_file(path).is_ok() {
            sum -= len;
            removed += 1;
        }
    }
    removed
}

/// Visits every file below a directory; what cannot be read is skipped.
pub fn walk(dir: &Utf8Path, visit: &mut dyn FnMut(&Utf8Path, &Metadata)) {
    let Ok(entries) = dir.read_dir_utf8() else { return };
    for entry in entries.flatten() {
        match entry.metadata() {
            Ok(meta) if meta.is_dir() => walk(entry.path(), visit),
            Ok(meta) => visit(entry.path(), &meta),
            Err(_) => {}
        }
    }
}
