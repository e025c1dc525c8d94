//! Computes rvalues of constants, for passes.

use super::num::{self, Num};
use crate::{
    mir::*,
    ty::{Known, Ty},
};

/// Makes a constant of an operation on integer or `Bool` constants. Floating numbers are left to
/// the run time.
pub fn rvalue(value: &mut Rvalue) {
    let folded = match value {
        Rvalue::Unary(op, a) => bits(a).map(|(ty, num, a)| (ty, num::unary(*op, num, a))),
        Rvalue::Binary(op, a, b) => binary(*op, a, b),
        Rvalue::Cast(a, to) => match (bits(a), exact(*to)) {
            (Some((_, from, a)), Some(num)) => Some((*to, num::cast(from, num, a))),
            _ => None,
        },
        _ => None,
    };
    if let Some((ty, bits)) = folded {
        *value = Rvalue::Use(Operand::constant(ty, ConstValue::Int(bits)));
    }
}

fn binary(op: BinOp, a: &Operand, b: &Operand) -> Option<(Ty, u64)> {
    let ((ty, num, a), (_, _, b)) = (bits(a)?, bits(b)?);
    let value = num::binary(op, num, a, b)?;
    let compares =
        matches!(op, BinOp::Eq | BinOp::Ne | BinOp::Lt | BinOp::Le | BinOp::Gt | BinOp::Ge);
    Some((if compares { Known::get().bool } else { ty }, value))
}

/// An integer type or `Bool`.
fn exact(ty: Ty) -> Option<Num> {
    let pointer = ty.is_pointer_like();
    Num::of(&ty).filter(|num| matches!(num, Num::Int(..) | Num::Bool) && !pointer)
}

fn bits(operand: &Operand) -> Option<(Ty, Num, u64)> {
    let Operand::Const(constant) = operand else { return None };
    let num = exact(constant.ty)?;
    match constant.value {
        ConstValue::Int(bits) => Some((constant.ty, num, bits)),
        ConstValue::Zero => Some((constant.ty, num, 0)),
        _ => None,
    }
}
