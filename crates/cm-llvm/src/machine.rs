//! LLVM's description of the machine that code is made for.

use crate::{EmitError, Result, Target};
use inkwell::{
    OptimizationLevel,
    targets::{self, CodeModel, InitializationConfig, RelocMode, TargetMachine, TargetTriple},
};
use std::sync::Once;

/// Position-independent code in the small model: it can be linked into executables of any kind and
/// into the running process.
pub fn create(target: &Target, opt_level: u8) -> Result<TargetMachine> {
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
        targets::Target::initialize_x86(&config);
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
