//! Fingerprints the code that decides what is emitted and what it is linked with, so that caches notice a
//! change of either, and objects for two run-time libraries never meet.

use std::{
    collections::hash_map::DefaultHasher,
    fs,
    hash::Hasher,
    path::{Path, PathBuf},
};

fn main() {
    let mut files: Vec<PathBuf> = ["ty.rs", "mir.rs", "unit.rs", "runtime.rs"]
        .map(|name| Path::new("../cm-mir/src").join(name))
        .into();
    for folder in ["src", "../cm-mir/src/passes", "../cm-runtime/src"] {
        println!("cargo::rerun-if-changed={folder}");
        collect(Path::new(folder), &mut files);
    }
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        println!("cargo::rerun-if-changed={}", file.display());
        hasher.write(&fs::read(&file).expect("a readable source"));
    }
    println!("cargo::rustc-env=CM_LLVM_FINGERPRINT={:016x}", hasher.finish());
}

/// Adds the files below `folder`.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a readable directory") {
        let path = entry.expect("a readable directory").path();
        if path.is_dir() { collect(&path, files) } else { files.push(path) }
    }
}
