//! The back end: code generation, as a [`Backend`] to link and as a dynamic library
//! with the table of [`cm_backend_api::abi`], so that the cm command itself contains no LLVM.
#![expect(unsafe_code, reason = "it exports functions of C's convention")]

mod export;

use cm_backend_api::{Backend, BackendError, Target, TextKind};

/// The back end that is linked into this program.
#[derive(Clone, Copy, Debug, Default)]
pub struct Llvm;

impl Backend for Llvm {
    fn identity(&self) -> String {
        cm_llvm::identity()
    }
    fn bitcode(
        &self,
        unit: &[u8],
        target: &Target,
        opt_level: u8,
    ) -> Result<Vec<u8>, BackendError> {
        cm_llvm::emit_bitcode(unit, target, opt_level).map_err(error)
    }
    fn both(
        &self,
        unit: &[u8],
        target: &Target,
        opt_level: u8,
    ) -> Result<(Vec<u8>, Vec<u8>), BackendError> {
        cm_llvm::emit_both(unit, target, opt_level).map_err(error)
    }
    fn object(
        &self,
        bitcode: &[u8],
        target: &Target,
        opt_level: u8,
    ) -> Result<Vec<u8>, BackendError> {
        cm_llvm::emit_object(bitcode, target, opt_level).map_err(error)
    }
    fn text(
        &self,
        bitcode: &[u8],
        target: &Target,
        opt_level: u8,
        kind: TextKind,
    ) -> Result<String, BackendError> {
        cm_llvm::emit_text(bitcode, target, opt_level, kind).map_err(error)
    }
}

fn error(error: impl std::fmt::Display) -> BackendError {
    BackendError(error.to_string())
}
