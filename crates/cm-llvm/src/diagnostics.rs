//! Errors that LLVM finds while it makes machine code, those of inline assembly above all. Without a
//! handler it would print them and end the process.

use crate::{EmitError, Result};
use inkwell::{
    context::{AsContextRef, Context},
    llvm_sys::{
        LLVMDiagnosticSeverity,
        core::{
            LLVMContextSetDiagnosticHandler, LLVMDisposeMessage, LLVMGetDiagInfoDescription,
            LLVMGetDiagInfoSeverity,
        },
        prelude::LLVMDiagnosticInfoRef,
    },
};
use std::{
    cell::RefCell,
    ffi::{CStr, c_void},
};

/// The errors of a context.
pub struct Diagnostics<'a> {
    context: &'a Context,
    errors: Box<RefCell<Vec<String>>>,
}

impl<'a> Diagnostics<'a> {
    /// Collects the errors of a context from now on.
    pub fn attach(context: &'a Context) -> Self {
        let errors: Box<RefCell<Vec<String>>> = Box::default();
        let cell = std::ptr::from_ref(&*errors).cast_mut().cast();
        // SAFETY: the handler is detached before the errors are dropped.
        unsafe { LLVMContextSetDiagnosticHandler(context.as_ctx_ref(), Some(collect), cell) };
        Diagnostics { context, errors }
    }

    /// Fails if there were errors.
    pub fn check(&self) -> Result<()> {
        let errors = self.errors.borrow();
        if errors.is_empty() { Ok(()) } else { Err(EmitError::Llvm(errors.join("\n"))) }
    }
}

impl Drop for Diagnostics<'_> {
    fn drop(&mut self) {
        // SAFETY: no handler needs no errors.
        unsafe {
            let context = self.context.as_ctx_ref();
            LLVMContextSetDiagnosticHandler(context, None, std::ptr::null_mut());
        }
    }
}

extern "C" fn collect(info: LLVMDiagnosticInfoRef, errors: *mut c_void) {
    // SAFETY: LLVM gives what was attached, on the thread that uses the context; the message is ours.
    unsafe {
        if LLVMGetDiagInfoSeverity(info) as u32 != LLVMDiagnosticSeverity::LLVMDSError as u32 {
            return;
        }
        let message = LLVMGetDiagInfoDescription(info);
        let text = CStr::from_ptr(message).to_string_lossy().into_owned();
        LLVMDisposeMessage(message);
        (*errors.cast::<RefCell<Vec<String>>>()).borrow_mut().push(text);
    }
}
