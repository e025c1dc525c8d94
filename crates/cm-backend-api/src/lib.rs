//! What a back end does, as a trait without LLVM, and the loader of back ends that are dynamic
//! libraries. Bytes go in and bytes come out; a back end keeps no state between calls.
#![expect(unsafe_code, reason = "the loader calls functions of a dynamic library")]

pub mod abi;
mod load;

pub use load::load;

use serde::{Deserialize, Serialize};
use std::fmt;

/// What machine code is made for.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Target {
    /// LLVM's name of architecture and system.
    pub triple: String,
    /// LLVM's name of the processor.
    pub cpu: String,
    /// LLVM's list of features (`+avx2,-sse4a`), empty for those of the processor.
    pub features: String,
}

impl Target {
    /// The architecture and system this compiler was built for, and a processor that every machine
    /// of this kind is.
    pub fn host() -> Target {
        let (triple, cpu) = if cfg!(target_arch = "aarch64") {
            ("aarch64-unknown-linux-gnu", "generic")
        } else {
            ("x86_64-unknown-linux-gnu", "x86-64")
        };
        Target { triple: triple.to_owned(), cpu: cpu.to_owned(), features: String::new() }
    }
}

/// Readable forms of a unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TextKind {
    /// LLVM's assembly language (`--emit=llvm-ir`).
    Ir,
    /// The target's (`--emit=asm`).
    Assembly,
}

/// Why a back end gave up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BackendError(pub String);

impl fmt::Display for BackendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BackendError {}

/// A back end. Every method is a pure function of its arguments and of [`Backend::identity`].
pub trait Backend: Send + Sync {
    /// Names this version of this back end; belongs into the cache keys of what it makes.
    fn identity(&self) -> String;
    /// Optimized LLVM bitcode of an encoded unit. `opt_level` is 0 to 3.
    fn bitcode(&self, unit: &[u8], target: &Target, opt_level: u8)
    -> Result<Vec<u8>, BackendError>;
    /// What [`Backend::bitcode`] gives, and what [`Backend::object`] gives for that, in less time.
    fn both(
        &self,
        unit: &[u8],
        target: &Target,
        opt_level: u8,
    ) -> Result<(Vec<u8>, Vec<u8>), BackendError> {
        let bitcode = self.bitcode(unit, target, opt_level)?;
        let object = self.object(&bitcode, target, opt_level)?;
        Ok((bitcode, object))
    }
    /// A relocatable object of what [`Backend::bitcode`] gave.
    fn object(
        &self,
        bitcode: &[u8],
        target: &Target,
        opt_level: u8,
    ) -> Result<Vec<u8>, BackendError>;
    /// A readable form of what [`Backend::bitcode`] gave.
    fn text(
        &self,
        bitcode: &[u8],
        target: &Target,
        opt_level: u8,
        kind: TextKind,
    ) -> Result<String, BackendError>;
}
