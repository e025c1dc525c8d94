//! The table of the dynamic library.

use crate::Llvm;
use cm_backend_api::{
    Backend, BackendError, TextKind,
    abi::{Buffer, Bytes, Options, Outcome, Table, VERSION},
};
use std::panic::{AssertUnwindSafe, catch_unwind};

static TABLE: Table = Table { version: VERSION, identity, bitcode, both, object, text, free };

/// The functions of this library.
#[unsafe(no_mangle)]
pub extern "C" fn cm_backend_table() -> *const Table {
    &TABLE
}

extern "C" fn identity() -> Buffer {
    Buffer::new(Llvm.identity().into_bytes())
}

extern "C" fn bitcode(unit: Bytes, options: *const Options) -> Outcome {
    outcome(|| {
        // SAFETY: the caller lends them for this call.
        let (unit, options) = unsafe { (unit.get(), &*options) };
        // SAFETY: as above.
        let target = unsafe { options.target() };
        Ok((Llvm.bitcode(unit, &target, options.opt_level)?, 0))
    })
}

extern "C" fn both(unit: Bytes, options: *const Options) -> Outcome {
    outcome(|| {
        // SAFETY: the caller lends them for this call.
        let (unit, options) = unsafe { (unit.get(), &*options) };
        // SAFETY: as above.
        let target = unsafe { options.target() };
        let (mut bytes, object) = Llvm.both(unit, &target, options.opt_level)?;
        let length = bytes.len();
        bytes.extend_from_slice(&object);
        Ok((bytes, length))
    })
}

extern "C" fn object(bitcode: Bytes, options: *const Options) -> Outcome {
    outcome(|| {
        // SAFETY: the caller lends them for this call.
        let (bitcode, options) = unsafe { (bitcode.get(), &*options) };
        // SAFETY: as above.
        let target = unsafe { options.target() };
        Ok((Llvm.object(bitcode, &target, options.opt_level)?, 0))
    })
}

extern "C" fn text(bitcode: Bytes, options: *const Options, kind: u8) -> Outcome {
    outcome(|| {
        // SAFETY: the caller lends them for this call.
        let (bitcode, options) = unsafe { (bitcode.get(), &*options) };
        // SAFETY: as above.
        let target = unsafe { options.target() };
        let kind = if kind == 0 { TextKind::Ir } else { TextKind::Assembly };
        Ok((Llvm.text(bitcode, &target, options.opt_level, kind)?.into_bytes(), 0))
    })
}

extern "C" fn free(buffer: Buffer) {
    // SAFETY: all buffers are made here, and callers give each back once.
    drop(unsafe { buffer.take() });
}

/// A panic must not leave the library.
fn outcome(call: impl FnOnce() -> Result<(Vec<u8>, usize), BackendError>) -> Outcome {
    let result = catch_unwind(AssertUnwindSafe(call))
        .unwrap_or_else(|_| Err(BackendError("the back end panicked".to_owned())));
    match result {
        Ok((bytes, length)) => Outcome { ok: 1, length, buffer: Buffer::new(bytes) },
        Err(error) => Outcome { ok: 0, length: 0, buffer: Buffer::new(error.0.into_bytes()) },
    }
}
