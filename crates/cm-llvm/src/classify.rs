//! How C passes aggregates by value: on x86-64 by the System V ABI, on AArch64 by AAPCS64.

use crate::{abi::Pass, module::Cx};
use cm_mir::ty::{self, Ty, TyKind};
use inkwell::types::BasicTypeEnum;

/// Architectures whose conventions are known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arch {
    X86_64,
    Aarch64,
}

/// Registers that are left for parameters (System V: a struct is never split between registers and
/// memory).
pub struct Registers {
    general: usize,
    vector: usize,
}

impl Registers {
    pub fn new() -> Self {
        Registers { general: 6, vector: 8 }
    }

    /// A scalar parameter takes one.
    pub fn take(&mut self, is_float: bool) {
        let left = if is_float { &mut self.vector } else { &mut self.general };
        *left = left.saturating_sub(1);
    }

    /// Takes all or nothing.
    fn take_all(&mut self, general: usize, vector: usize) -> bool {
        if general > self.general || vector > self.vector {
            return false;
        }
        self.general -= general;
        self.vector -= vector;
        true
    }
}

/// How an aggregate is passed to a function.
pub fn parameter<'ctx>(cx: &Cx<'ctx>, ty: Ty, registers: &mut Registers) -> Pass<'ctx> {
    let Some(pieces) = pieces(cx, ty) else {
        return if cx.arch == Arch::X86_64 { Pass::ByVal } else { Pass::Copy };
    };
    if cx.arch == Arch::X86_64 {
        let vector = pieces.iter().filter(|(piece, _)| !piece.is_int_type()).count();
        if !registers.take_all(pieces.len() - vector, vector) {
            return Pass::ByVal;
        }
    }
    Pass::Pieces(pieces)
}

/// How an aggregate is returned.
pub fn result<'ctx>(cx: &Cx<'ctx>, ty: Ty) -> Pass<'ctx> {
    pieces(cx, ty).map_or(Pass::Sret, Pass::Pieces)
}

/// The registers an aggregate is passed in, and where in it their contents are; `None` for memory.
fn pieces<'ctx>(cx: &Cx<'ctx>, ty: Ty) -> Option<Vec<(BasicTypeEnum<'ctx>, u64)>> {
    let mut leaves = Vec::new();
    leaves_of(ty, 0, &mut leaves)?;
    let size = ty::layout(ty).size;
    if cx.arch == Arch::Aarch64
        && let Some((_, first)) = leaves.first()
        && leaves.len() <= 4
        && is_float(*first)
        && leaves.iter().all(|(_, leaf)| leaf == first)
    {
        let leaves = leaves.iter();
        return leaves.map(|(offset, leaf)| Some((cx.scalar(*leaf)?, *offset))).collect();
    }
    if size > 16 {
        return None;
    }
    let words = (0..size).step_by(8);
    Some(words.map(|start| (word(cx, &leaves, start, size), start)).collect())
}

/// The register for one word of an aggregate.
fn word<'ctx>(cx: &Cx<'ctx>, leaves: &[(u64, Ty)], start: u64, size: u64) -> BasicTypeEnum<'ctx> {
    let mut inside = leaves.iter().filter(|(offset, _)| (start..start + 8).contains(offset));
    let floats = inside.clone().count();
    if cx.arch == Arch::X86_64 && floats > 0 && inside.all(|(_, leaf)| is_float(*leaf)) {
        return match size - start {
            _ if floats == 2 => cx.context.f32_type().vec_type(2).into(),
            4 => cx.context.f32_type().into(),
            _ => match leaves.iter().find(|(offset, _)| *offset == start) {
                Some((_, leaf)) if *leaf.get() == TyKind::F32 => cx.context.f32_type().into(),
                _ => cx.context.f64_type().into(),
            },
        };
    }
    cx.word().into()
}

/// The scalars of an aggregate and their offsets; `None` if there are too many for registers.
fn leaves_of(ty: Ty, offset: u64, leaves: &mut Vec<(u64, Ty)>) -> Option<()> {
    if leaves.len() > 16 {
        return None;
    }
    match ty.get() {
        TyKind::Struct { fields, .. } => {
            for (start, field) in ty::field_offsets(fields).0.into_iter().zip(fields) {
                leaves_of(*field, offset + start, leaves)?;
            }
        }
        TyKind::Array(elem, len) => {
            for index in 0..*len {
                leaves_of(*elem, offset + index * ty::layout(*elem).size, leaves)?;
            }
        }
        TyKind::Tagged { .. } => return None,
        TyKind::Iface => {
            leaves.extend([(offset, TyKind::Ptr.intern()), (offset + 8, TyKind::Ptr.intern())])
        }
        _ => leaves.push((offset, ty)),
    }
    Some(())
}

/// A floating-point number.
pub fn is_float(ty: Ty) -> bool {
    matches!(ty.get(), TyKind::F32 | TyKind::F64)
}
