//! LLVM's description of the machine that code is made for.

use crate::{EmitError, Result, Target};
use inkwell::{
    OptimizationLevel,
    targets::{self, CodeModel, InitializationConfig, RelocMode, TargetMachine, TargetTriple},
};
use std::{cell::RefCell, sync::Once};

thread_local! {
    /// Making one costs as much as compiling several functions. It is a description and keeps nothing
    /// of the modules it is used for.
    static LAST: RefCell<Option<(Target, u8, TargetMachine)>> = const { RefCell::new(None) };
}

/// Calls `f` with the machine of a target and level.
pub fn with<T>(
    target: &Target,
    opt_level: u8,
    f: impl FnOnce(&TargetMachine) -> Result<T>,
) -> Result<T> {
    let last = LAST.take().filter(|(t, level, _)| t == target && *level == opt_level);
    let machine = match last {
        Some((_, _, machine)) => machine,
        None => create(target, opt_level)?,
    };
    let result = f(&machine);
    LAST.set(Some((target.clone(), opt_level, machine)));
    result
}

/// Position-independent code in the small model: it can be linked into executables of any kind and
/// into the running process.
fn create(target: &Target, opt_level: u8) -> Result<TargetMachine> {
    static INITIALIZE: Once = Once::new();
    INITIALIZE.call_once(|| {
        let config = InitializationConfig {
            asm_parser: true,
            asm_printer: true,
            base: true,
            disassembler: false,
            info: true,
            machine_code: true,
        };
        #[cfg(target_arch = "x86_64")]
        targets::Target::initialize_x86(&config);
        #[cfg(target_arch = "aarch64")]
        targets::Target::initialize_aarch64(&config);
    });
    let level = match opt_level {
        0 => OptimizationLevel::None,
        1 => OptimizationLevel::Less,
        2 => OptimizationLevel::Default,
        _ => OptimizationLevel::Aggressive,
    };
    let triple = TargetTriple::create(&target.triple);
    targets::Target::from_triple(&triple)?
        .create_target_machine(
            &triple,
            &target.cpu,
            &target.features,
            level,
            RelocMode::PIC,
            CodeModel::Small,
        )
        .ok_or_else(|| EmitError::Unsupported(format!("target {}", target.triple)))
}
