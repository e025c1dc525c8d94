//! How the dynamic library is linked.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Libraries that LLVM and Rust's own use, and the archive that has each.
const LIBRARIES: [(&str, &str); 5] = [
    ("stdc++", "libstdc++.a"),
    ("gcc_s", "libgcc_eh.a"),
    ("ffi", "libffi.a"),
    ("z", "libz.a"),
    ("zstd", "libzstd.a"),
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // LLVM has 70,000 relative relocations, which the loader applies whenever it is loaded.
    println!("cargo::rustc-link-arg-cdylib=-Wl,-z,pack-relative-relocs");
    println!("cargo::rustc-link-arg-cdylib=-Wl,-O2,--strip-all,--gc-sections");
    if env::var_os("CARGO_FEATURE_STATIC").is_some() {
        let dir = env::var_os("OUT_DIR").map(PathBuf::from).expect("cargo sets it");
        link_archives(&dir);
    }
}

/// What runs when the library is loaded, in one place: elsewhere each of a few hundred small functions would
/// have pages of its own brought in.
const ORDER: &str = "SECTIONS {
    .text.load : { *(.text.startup .text.startup.* .text._GLOBAL__sub_I_*) *(.text._ZN4llvm2cl*) }
} INSERT BEFORE .text;
";

/// Makes the linker take archives in place of shared libraries: loading these takes as long as the
/// rest, half of it to look up the 4,000 names that LLVM has in common with C++'s, and the machine
/// that the back end is copied to may have others.
fn link_archives(dir: &Path) {
    for (name, archive) in LIBRARIES {
        // A linker script under the name of the shared library.
        if let Some(path) = find(archive) {
            let script = dir.join(format!("lib{name}.so"));
            fs::write(script, format!("INPUT({})\n", path.display())).expect("a script");
        }
    }
    println!("cargo::rustc-link-search=native={}", dir.display());
    let order = dir.join("order.ld");
    fs::write(&order, ORDER).expect("a script");
    println!("cargo::rustc-link-arg-cdylib=-Wl,-T,{}", order.display());
    // What comes from them is nobody's business.
    println!("cargo::rustc-link-arg-cdylib=-Wl,--exclude-libs,ALL");
}

/// Where the C compiler finds a file.
fn find(file: &str) -> Option<PathBuf> {
    let output = Command::new("cc").arg(format!("-print-file-name={file}")).output().ok()?;
    let path = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    path.is_absolute().then(|| fs::canonicalize(path).ok())?
}
