//! What lies in the cache directory beside the store: images and views. The cap is for all of it.

use camino::{Utf8Path, Utf8PathBuf};
use std::{
    fs::{self, Metadata},
    time::SystemTime,
};

/// Where the files are that are not the store's.
pub const FOLDERS: [&str; 4] = ["graph", "mir", "llvm", "obj"];

/// Below this cap one image may be a large part of it.
const SMALL: u64 = 1 << 28;

/// What all these files take.
pub fn bytes(dir: &Utf8Path) -> u64 {
    let mut sum = dir.join("module_hash.json").metadata().map_or(0, |meta| meta.len());
    for folder in FOLDERS {
        walk(&dir.join(folder), &mut |_, meta| sum += meta.len());
    }
    sum
}

/// Deletes what was written longest ago until these files take no more than that. Gives the number of
/// files.
pub fn trim(dir: &Utf8Path, most: u64) -> u64 {
    let mut files: Vec<(SystemTime, Utf8PathBuf, u64)> = Vec::new();
    let mut sum = 0;
    for folder in FOLDERS {
        walk(&dir.join(folder), &mut |path, meta| {
            sum += meta.len();
            let time = meta.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            files.push((time, path.to_owned(), meta.len()));
        });
    }
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

/// Sees to it that images that have just been written leave room in a small cap. In a large one they
/// are no matter, and nobody looks.
pub fn keep_small(dir: &Utf8Path, max_size: u64) {
    if max_size < SMALL {
        trim(dir, max_size / 2);
    }
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
