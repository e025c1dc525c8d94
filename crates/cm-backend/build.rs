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
    println!("cargo::rerun-if-env-changed={OFTEN}");
    // LLVM has 70,000 relative relocations, which the loader applies whenever it is loaded.
    println!("cargo::rustc-link-arg-cdylib=-Wl,-z,pack-relative-relocs,-O2,--gc-sections");
    let is_static = env::var_os("CARGO_FEATURE_STATIC").is_some();
    let often = env::var_os(OFTEN).map(PathBuf::from);
    // By their names it can be found out which functions run.
    let strip = if is_static && often.is_none() { "debug" } else { "all" };
    println!("cargo::rustc-link-arg-cdylib=-Wl,--strip-{strip}");
    if is_static {
        let dir = env::var_os("OUT_DIR").map(PathBuf::from).expect("cargo sets it");
        let often = often.map_or_else(String::new, |list| {
            println!("cargo::rerun-if-changed={}", list.display());
            fs::read_to_string(list).expect("the list of functions")
        });
        link_archives(&dir, &order(&often));
    }
}

/// The variable that names a file with the names of the functions that run often, one in each line.
const OFTEN: &str = "CM_BACKEND_OFTEN";

/// What runs when the library is loaded, and then what runs often, each in one place: elsewhere each of a few
/// thousand functions would have pages of its own brought in, and looked up.
fn order(often: &str) -> String {
    let often: String = often.lines().map(|name| format!(" *(.text.{name})")).collect();
    format!(
        "SECTIONS {{
    .text.load : {{ *(.text.startup .text.startup.* .text._GLOBAL__sub_I_*) *(.text._ZN4llvm2cl*) }}
    .text.often : {{{often} }}
}} INSERT BEFORE .text;
"
    )
}

/// Makes the linker take archives in place of shared libraries: loading these takes as long as the
/// rest, half of it to look up the 4,000 names that LLVM has in common with C++'s, and the machine
/// that the back end is copied to may have others.
fn link_archives(dir: &Path, order: &str) {
    for (name, archive) in LIBRARIES {
        // A linker script under the name of the shared library.
        if let Some(path) = find(archive) {
            let script = dir.join(format!("lib{name}.so"));
            fs::write(script, format!("INPUT({})\n", path.display())).expect("a script");
        }
    }
    println!("cargo::rustc-link-search=native={}", dir.display());
    let script = dir.join("order.ld");
    fs::write(&script, order).expect("a script");
    println!("cargo::rustc-link-arg-cdylib=-Wl,-T,{}", script.display());
    // What comes from them is nobody's business.
    println!("cargo::rustc-link-arg-cdylib=-Wl,--exclude-libs,ALL");
}

/// Where the C compiler finds a file.
fn find(file: &str) -> Option<PathBuf> {
    let output = Command::new("cc").arg(format!("-print-file-name={file}")).output().ok()?;
    let path = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    path.is_absolute().then(|| fs::canonicalize(path).ok())?
}
