//! Computes the identity of this build of the compiler: a digest of all its sources. Results of
//! another build are never taken for ours, and equal sources give equal keys on every machine.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

fn main() -> io::Result<()> {
    // Where it is now, and not where it was when this was compiled.
    let package = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).expect("cargo sets it");
    let root = package.join("../..");
    let mut files = vec![root.join("Cargo.lock"), root.join("Cargo.toml")];
    for member in sorted(&root.join("crates"))? {
        println!("cargo:rerun-if-changed={}", member.display());
        files.push(member.join("Cargo.toml"));
        collect(&member.join("src"), &mut files)?;
    }
    let mut hash = Fnv(0xcbf2_9ce4_8422_2325_cbf2_9ce4_8422_2325);
    for file in files {
        let name = file.strip_prefix(&root).unwrap_or(&file).to_string_lossy().into_owned();
        hash.write(name.as_bytes());
        hash.write(&fs::read(&file).unwrap_or_default());
    }
    println!("cargo:rerun-if-changed=../../Cargo.lock");
    println!("cargo:rustc-env=CM_BUILD_ID={:032x}", hash.0);
    Ok(())
}

fn sorted(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths: Vec<_> = fs::read_dir(dir)?.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    Ok(paths)
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if !dir.is_dir() {
        return Ok(());
    }
    for path in sorted(dir)? {
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// FNV-1a with 128 bits: nobody attacks it here, and a build script needs no dependency for it.
struct Fnv(u128);

impl Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes.iter().copied().chain((bytes.len() as u64).to_le_bytes()) {
            self.0 = (self.0 ^ u128::from(byte)).wrapping_mul(0x0100_0000_0000_0000_0000_013b);
        }
    }
}
