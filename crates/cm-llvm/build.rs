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
    for folder in ["src", "../cm-mir/src/passes", "../cm-mir/src/passes/bounds"] {
        let sources = fs::read_dir(folder).expect("sources");
        let sources = sources.map(|entry| entry.expect("a readable directory").path());
        files.extend(sources.filter(|path| path.is_file()));
        println!("cargo::rerun-if-changed={folder}");
    }
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        println!("cargo::rerun-if-changed={}", file.display());
        hasher.write(&fs::read(&file).expect("a readable source"));
    }
    println!("cargo::rustc-env=CM_LLVM_FINGERPRINT={:016x}", hasher.finish());
}
