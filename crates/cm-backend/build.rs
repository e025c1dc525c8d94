//! How the dynamic library is linked.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // LLVM has 70,000 relative relocations, which the loader applies whenever it is loaded.
    println!("cargo::rustc-link-arg-cdylib=-Wl,-z,pack-relative-relocs");
    println!("cargo::rustc-link-arg-cdylib=-Wl,-O2,--strip-all");
}
