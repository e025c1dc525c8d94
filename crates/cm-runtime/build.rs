//! Compiles the library once more, as the object that executables link.

use std::{env, path::Path, process::Command};

fn main() {
    println!("cargo::rustc-check-cfg=cfg(cm_object)");
    println!("cargo::rerun-if-changed=src");
    let var = |name| env::var(name).unwrap_or_else(|_| panic!("cargo sets {name}"));
    let object = Path::new(&var("OUT_DIR")).join("runtime.o");
    let status = Command::new(var("RUSTC"))
        .args(["src/lib.rs", "--crate-name=cm_runtime", "--crate-type=lib", "--edition=2024"])
        .args(["--cfg=cm_object", "--check-cfg=cfg(cm_object)", "--target", &var("TARGET")])
        .args(["-Copt-level=3", "-Ccodegen-units=1", "-Cpanic=abort", "-Cdebuginfo=0"])
        .args(["-Crelocation-model=pic", "-Cforce-unwind-tables=no", "-Coverflow-checks=no"])
        .arg("--cap-lints=warn")
        .arg(format!("--emit=obj={}", object.display()))
        .status();
    match status {
        Ok(status) if status.success() => {}
        other => panic!("the runtime object could not be compiled: {other:?}"),
    }
}
