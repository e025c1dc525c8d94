//! Fingerprints the code that decides what is emitted, so that caches notice a change of it.

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
    let sources = fs::read_dir("src").expect("the sources of this crate");
    files.extend(sources.map(|entry| entry.expect("a readable directory").path()));
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        println!("cargo::rerun-if-changed={}", file.display());
        hasher.write(&fs::read(&file).expect("a readable source"));
    }
    println!("cargo::rerun-if-changed=src");
    println!("cargo::rustc-env=CM_LLVM_FINGERPRINT={:016x}", hasher.finish());
}
