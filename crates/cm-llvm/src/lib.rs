//! Code generation: the bytes of a unit to LLVM bitcode and object code.
//!
//! [`emit_bitcode`] and [`emit_object`] are pure functions of their arguments: each call has an LLVM
//! context of its own, and nothing of the machine or the process gets into the bytes.
#![expect(
    unsafe_code,
    reason = "inkwell's address computations are unsafe: LLVM trusts their types"
)]

mod abi;
mod alias;
mod arith;
mod asm;
mod body;
mod call;
mod cast;
mod classify;
mod constant;
mod count;
mod diagnostics;
mod inline;
mod machine;
mod module;
mod place;
mod registers;
mod rvalue;

pub use cm_backend_api::{Target, TextKind};

use cm_mir::unit::Unit;
use diagnostics::Diagnostics;
use inkwell::{
    builder::BuilderError,
    context::Context,
    memory_buffer::MemoryBuffer,
    module::Module,
    passes::PassBuilderOptions,
    support::LLVMString,
    targets::{FileType, TargetMachine},
};
use std::fmt;

/// Why nothing could be emitted.
#[derive(Debug)]
pub enum EmitError {
    /// The bytes are not an encoded unit.
    Unit,
    /// The unit uses what this back end cannot do.
    Unsupported(String),
    /// LLVM refused.
    Llvm(String),
}

impl fmt::Display for EmitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EmitError::Unit => f.write_str("not a code-generation unit"),
            EmitError::Unsupported(what) => write!(f, "not supported by this back end: {what}"),
            EmitError::Llvm(message) => write!(f, "LLVM: {message}"),
        }
    }
}

impl std::error::Error for EmitError {}

impl From<BuilderError> for EmitError {
    fn from(error: BuilderError) -> Self {
        EmitError::Llvm(error.to_string())
    }
}

impl From<LLVMString> for EmitError {
    fn from(message: LLVMString) -> Self {
        EmitError::Llvm(message.to_string())
    }
}

/// The result of emitting something.
pub type Result<T> = std::result::Result<T, EmitError>;

/// Names this version of the code generator and of LLVM; part of the cache keys of what they make.
pub fn identity() -> String {
    let (major, minor, patch) = inkwell::support::get_llvm_version();
    let (version, code) = (env!("CARGO_PKG_VERSION"), env!("CM_LLVM_FINGERPRINT"));
    format!("cm-llvm {version} {code} llvm {major}.{minor}.{patch}")
}

/// The optimized bitcode of an encoded [`Unit`].
pub fn emit_bitcode(unit: &[u8], target: &Target, opt_level: u8) -> Result<Vec<u8>> {
    optimized(unit, target, opt_level, |_, module, _| Ok(bitcode_of(module)))
}

/// What [`emit_bitcode`] gives for a unit, and what [`emit_object`] gives for that, in less time.
pub fn emit_both(unit: &[u8], target: &Target, opt_level: u8) -> Result<(Vec<u8>, Vec<u8>)> {
    if opt_level > 0 {
        // Optimizing code generation looks at the order of uses, which bitcode does not keep.
        let bitcode = emit_bitcode(unit, target, opt_level)?;
        let object = emit_object(&bitcode, target, opt_level)?;
        return Ok((bitcode, object));
    }
    optimized(unit, target, opt_level, |context, module, machine| {
        let bitcode = bitcode_of(module);
        Ok((bitcode, code_of(context, module, machine, FileType::Object)?))
    })
}

fn optimized<T>(
    unit: &[u8],
    target: &Target,
    opt_level: u8,
    then: impl FnOnce(&Context, &Module<'_>, &TargetMachine) -> Result<T>,
) -> Result<T> {
    let mut unit = Unit::decode(unit).ok_or(EmitError::Unit)?;
    if opt_level > 1 {
        unit.functions
            .iter_mut()
            .chain(&mut unit.imports)
            .for_each(|f| cm_mir::passes::optimize(f, opt_level));
    }
    let context = Context::create();
    machine::with(target, opt_level, |machine| {
        let module = module::lower(&context, &unit, machine, opt_level)?;
        if cfg!(debug_assertions) {
            module.verify()?;
        }
        if opt_level > 0 {
            let passes = format!("default<O{}>", opt_level.min(3));
            module.run_passes(&passes, machine, PassBuilderOptions::create())?;
        }
        then(&context, &module, machine)
    })
}

fn bitcode_of(module: &Module<'_>) -> Vec<u8> {
    module.write_bitcode_to_memory().as_slice().to_vec()
}

/// The relocatable object of bitcode that [`emit_bitcode`] made for the same target and level.
pub fn emit_object(bitcode: &[u8], target: &Target, opt_level: u8) -> Result<Vec<u8>> {
    machine_code(bitcode, target, opt_level, FileType::Object)
}

/// A readable form of bitcode that [`emit_bitcode`] made for the same target and level.
pub fn emit_text(bitcode: &[u8], target: &Target, opt_level: u8, kind: TextKind) -> Result<String> {
    let text = match kind {
        TextKind::Assembly => machine_code(bitcode, target, opt_level, FileType::Assembly)?,
        TextKind::Ir => {
            let context = Context::create();
            parse(&context, bitcode)?.print_to_string().to_bytes().to_vec()
        }
    };
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn machine_code(bitcode: &[u8], target: &Target, opt_level: u8, kind: FileType) -> Result<Vec<u8>> {
    let context = Context::create();
    let module = parse(&context, bitcode)?;
    machine::with(target, opt_level, |machine| code_of(&context, &module, machine, kind))
}

/// Consumes what the module means: it cannot be used afterwards.
fn code_of(
    context: &Context,
    module: &Module<'_>,
    machine: &TargetMachine,
    kind: FileType,
) -> Result<Vec<u8>> {
    let diagnostics = Diagnostics::attach(context);
    let code = machine.write_to_memory_buffer(module, kind)?.as_slice().to_vec();
    diagnostics.check()?;
    Ok(code)
}

fn parse<'ctx>(context: &'ctx Context, bitcode: &[u8]) -> Result<Module<'ctx>> {
    let buffer = MemoryBuffer::create_from_memory_range_copy(bitcode, "unit");
    Ok(Module::parse_bitcode_from_buffer(&buffer, context)?)
}
