//! ORC's LLJIT behind safe functions.

use crate::JitError;
use cm_runtime::Symbol;
use inkwell::{
    llvm_sys::{
        core::LLVMCreateMemoryBufferWithMemoryRangeCopy,
        error::{LLVMDisposeErrorMessage, LLVMErrorRef, LLVMGetErrorMessage},
        orc2::{ee::*, lljit::*, *},
        support::LLVMLoadLibraryPermanently,
    },
    targets::{InitializationConfig, Target},
};
use std::{
    ffi::{CStr, CString, c_char, c_void},
    ptr,
    sync::{Mutex, Once, PoisonError},
};

/// Messages that ORC reported on the side.
type Reports = Mutex<Vec<String>>;

/// A linker into this process.
pub struct Session {
    jit: LLVMOrcLLJITRef,
    reports: &'static Reports,
}

impl Session {
    pub fn new() -> Result<Session, JitError> {
        static INITIALIZE: Once = Once::new();
        INITIALIZE.call_once(|| {
            let config = InitializationConfig { asm_parser: false, ..Default::default() };
            // A failure shows when the session is created.
            let _ = Target::initialize_native(&config);
            // SAFETY: the math library has no initializers that could do harm. It is not always a
            // part of the process.
            unsafe { LLVMLoadLibraryPermanently(c"libm.so.6".as_ptr()) };
        });
        // SAFETY: the builder is used up by the creation; the reports live for ever.
        unsafe {
            let builder = LLVMOrcCreateLLJITBuilder();
            LLVMOrcLLJITBuilderSetObjectLinkingLayerCreator(builder, object_layer, ptr::null_mut());
            let mut jit = ptr::null_mut();
            check(LLVMOrcCreateLLJIT(&mut jit, builder))?;
            let reports: &'static Reports = Box::leak(Box::default());
            let execution = LLVMOrcLLJITGetExecutionSession(jit);
            let context = ptr::from_ref(reports).cast_mut().cast();
            LLVMOrcExecutionSessionSetErrorReporter(execution, report, context);
            Ok(Session { jit, reports })
        }
    }

    /// Makes functions of this process known by symbol.
    pub fn define_runtime(&self, symbols: &[(&str, Symbol)]) -> Result<(), JitError> {
        // SAFETY: each name is interned for the pair that takes it over, and the library for the unit.
        unsafe {
            let intern = |(name, symbol): &(&str, Symbol)| {
                let name = CString::new(*name).unwrap_or_default();
                let exported = LLVMJITSymbolGenericFlags::LLVMJITSymbolGenericFlagsExported as u8;
                let callable = LLVMJITSymbolGenericFlags::LLVMJITSymbolGenericFlagsCallable as u8;
                let flags =
                    LLVMJITSymbolFlags { GenericFlags: exported | callable, TargetFlags: 0 };
                LLVMOrcCSymbolMapPair {
                    Name: LLVMOrcLLJITMangleAndIntern(self.jit, name.as_ptr()),
                    Sym: LLVMJITEvaluatedSymbol { Address: symbol.0.addr() as u64, Flags: flags },
                }
            };
            let mut pairs: Vec<_> = symbols.iter().map(intern).collect();
            let unit = LLVMOrcAbsoluteSymbols(pairs.as_mut_ptr(), pairs.len());
            check(LLVMOrcJITDylibDefine(self.library(), unit))
        }
    }

    /// Finds what nobody defined among the libraries of this process.
    pub fn search_process(&self) -> Result<(), JitError> {
        // SAFETY: the generator is taken over by the library.
        unsafe {
            let mut generator = ptr::null_mut();
            let prefix = LLVMOrcLLJITGetGlobalPrefix(self.jit);
            check(LLVMOrcCreateDynamicLibrarySearchGeneratorForProcess(
                &mut generator,
                prefix,
                None,
                ptr::null_mut(),
            ))?;
            LLVMOrcJITDylibAddGenerator(self.library(), generator);
        }
        Ok(())
    }

    /// Adds an object, to be linked when something of it is needed.
    pub fn add(&self, name: &str, object: &[u8]) -> Result<(), JitError> {
        let name = CString::new(name).unwrap_or_default();
        // SAFETY: the buffer is a copy and is taken over by the library.
        unsafe {
            let buffer = LLVMCreateMemoryBufferWithMemoryRangeCopy(
                object.as_ptr().cast(),
                object.len(),
                name.as_ptr(),
            );
            check(LLVMOrcLLJITAddObjectFile(self.jit, self.library(), buffer))
        }
    }

    /// The address of a symbol, after linking all that it needs.
    pub fn look_up(&self, symbol: &CStr) -> Result<usize, JitError> {
        let mut address = 0;
        // SAFETY: the session is alive.
        let looked_up =
            check(unsafe { LLVMOrcLLJITLookup(self.jit, &mut address, symbol.as_ptr()) });
        let Err(JitError::Llvm(message)) = looked_up else { return Ok(address as usize) };
        let reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        let messages = || reports.iter().chain([&message]);
        let mut undefined: Vec<_> = messages().flat_map(|m| missing(m)).collect();
        undefined.sort();
        undefined.dedup();
        if undefined.is_empty() {
            return Err(JitError::Llvm(messages().cloned().collect::<Vec<_>>().join("\n")));
        }
        Err(JitError::Undefined(undefined))
    }

    fn library(&self) -> LLVMOrcJITDylibRef {
        // SAFETY: the session is alive.
        unsafe { LLVMOrcLLJITGetMainJITDylib(self.jit) }
    }
}

/// The symbols in a message of the form `Symbols not found: [ a, b ]`.
fn missing(message: &str) -> Vec<String> {
    let list =
        message.split_once("Symbols not found: [").and_then(|(_, rest)| rest.split_once(']'));
    list.map(|(names, _)| names.split(',').map(|name| name.trim().to_owned()).collect())
        .unwrap_or_default()
}

extern "C" fn object_layer(
    _context: *mut c_void,
    session: LLVMOrcExecutionSessionRef,
    _triple: *const c_char,
) -> LLVMOrcObjectLayerRef {
    // SAFETY: the session is alive and takes the layer over.
    unsafe {
        if std::env::var_os("CM_RTDYLD").is_some() {
            return LLVMOrcCreateRTDyldObjectLinkingLayerWithSectionMemoryManagerReserveAlloc(
                session, 1,
            );
        }
        let mut layer = ptr::null_mut();
        let _ = LLVMOrcCreateObjectLinkingLayerWithInProcessMemoryManager(&mut layer, session);
        layer
    }
}

extern "C" fn report(context: *mut c_void, error: LLVMErrorRef) {
    // SAFETY: the context is the reports of a session, which live for ever.
    let reports = unsafe { &*context.cast::<Reports>() };
    if let Err(JitError::Llvm(message)) = check(error) {
        reports.lock().unwrap_or_else(PoisonError::into_inner).push(message);
    }
}

/// Takes an error over.
fn check(error: LLVMErrorRef) -> Result<(), JitError> {
    if error.is_null() {
        return Ok(());
    }
    // SAFETY: the error is used up by its message, and that is ours.
    unsafe {
        let message = LLVMGetErrorMessage(error);
        let text = CStr::from_ptr(message).to_string_lossy().into_owned();
        LLVMDisposeErrorMessage(message);
        Err(JitError::Llvm(text))
    }
}
