//! Operators on numbers, characters, pointers and strings.

use super::Lower;
use crate::{
    builder::{boolean, truth, word},
    types,
};
use cm_hir::{thir::ExprId, ty::TyKind};
use cm_mir::{
    mir::{BinOp, ConstValue, Operand, Place, Rvalue},
    runtime::Rt,
    ty as mty,
};
use cm_syntax::ast::BinaryOp;

/// The operator of MIR.
pub(super) fn operator(op: BinaryOp) -> BinOp {
    match op {
        BinaryOp::Mul => BinOp::Mul,
        BinaryOp::Div => BinOp::Div,
        BinaryOp::Rem => BinOp::Rem,
        BinaryOp::Add => BinOp::Add,
        BinaryOp::Sub => BinOp::Sub,
        BinaryOp::Shl => BinOp::Shl,
        BinaryOp::Shr => BinOp::Shr,
        BinaryOp::Lt => BinOp::Lt,
        BinaryOp::Gt => BinOp::Gt,
        BinaryOp::Le => BinOp::Le,
        BinaryOp::Ge => BinOp::Ge,
        BinaryOp::Eq => BinOp::Eq,
        BinaryOp::Ne => BinOp::Ne,
        BinaryOp::BitAnd | BinaryOp::And => BinOp::And,
        BinaryOp::BitXor => BinOp::Xor,
        BinaryOp::BitOr | BinaryOp::Or => BinOp::Or,
    }
}

impl Lower<'_, '_> {
    /// A binary operator on operands of one type, or a shift.
    pub(super) fn arithmetic(&mut self, op: BinaryOp, left: ExprId, right: ExprId) -> Rvalue {
        let ty = self.ty_of(right);
        let (left, right) = self.pair(left, right);
        let integer = matches!(ty.get(), mty::TyKind::Int { .. });
        if !matches!(op, BinaryOp::Div | BinaryOp::Rem) || !integer {
            return Rvalue::Binary(operator(op), left, right);
        }
        let right = match &right {
            Operand::Const(value) if matches!(value.value, ConstValue::Int(n) if n != 0) => right,
            _ => {
                let right = self.builder.stable(right, ty);
                let zero = Operand::constant(ty, ConstValue::Int(0));
                let fine = self.builder.binary(BinOp::Ne, ty, right.clone(), zero);
                self.builder.check(fine, "division by zero");
                right
            }
        };
        Rvalue::Binary(operator(op), left, right)
    }

    /// Compares integers of different signedness by their values.
    pub(super) fn compare_mixed(&mut self, dest: Place, op: BinaryOp, left: ExprId, right: ExprId) {
        let (left_ty, right_ty) = (self.ty_of(left), self.ty_of(right));
        let (left, right) = self.pair(left, right);
        let narrow = |ty: mty::Ty| matches!(ty.get(), mty::TyKind::Int { bits, signed } if *signed || *bits < 64);
        let op = operator(op);
        let wide = mty::TyKind::signed(64);
        if narrow(left_ty) && narrow(right_ty) {
            let left = self.builder.cast(left, left_ty, wide);
            let right = self.builder.cast(right, right_ty, wide);
            return self.builder.assign(dest, Rvalue::Binary(op, left, right));
        }
        // One is a 64-bit unsigned integer: a negative one is less, others compare as unsigned.
        let signed_left = matches!(left_ty.get(), mty::TyKind::Int { signed: true, .. });
        let left = self.builder.stable(left, left_ty);
        let right = self.builder.stable(right, right_ty);
        let (signed, ty) = if signed_left { (&left, left_ty) } else { (&right, right_ty) };
        let zero = Operand::constant(ty, ConstValue::Int(0));
        let negative = self.builder.binary(BinOp::Lt, ty, signed.clone(), zero);
        let [less, other, after] = std::array::from_fn(|_| self.builder.block());
        self.builder.branch(negative, less, other);
        self.builder.at(less);
        let result = match op {
            BinOp::Lt | BinOp::Le => signed_left,
            BinOp::Gt | BinOp::Ge => !signed_left,
            op => op == BinOp::Ne,
        };
        self.builder.store(dest.clone(), truth(result));
        self.builder.goto(after);
        self.builder.at(other);
        let left = self.builder.cast(left, left_ty, word());
        let right = self.builder.cast(right, right_ty, word());
        self.builder.assign(dest, Rvalue::Binary(op, left, right));
        self.builder.goto(after);
        self.builder.at(after);
    }

    /// Compares strings.
    pub(super) fn compare_strings(&mut self, op: BinaryOp, left: ExprId, right: ExprId) -> Rvalue {
        let (left, right) = self.pair(left, right);
        match op {
            BinaryOp::Eq => Rvalue::Use(self.builder.runtime(Rt::StrEq, vec![left, right])),
            BinaryOp::Ne => {
                let equal = self.builder.runtime(Rt::StrEq, vec![left, right]);
                Rvalue::Use(self.builder.not(equal))
            }
            op => {
                let order = self.builder.runtime(Rt::StrCmp, vec![left, right]);
                let zero = Operand::constant(mty::TyKind::signed(32), ConstValue::Int(0));
                Rvalue::Binary(operator(op), order, zero)
            }
        }
    }

    /// `p + n` and `p - n`.
    pub(super) fn pointer_offset(
        &mut self,
        base: ExprId,
        offset: ExprId,
        negative: bool,
    ) -> Rvalue {
        let elem = match types::underlying(self.hir_ty(base)).get() {
            TyKind::Pointer { to, .. } => self.cx.ty(*to),
            _ => mty::TyKind::unsigned(8),
        };
        let base = if self.cx.writes(offset) { self.value(base) } else { self.operand(base) };
        let mut offset = self.signed_index(offset);
        if negative {
            let ty = mty::TyKind::signed(64);
            offset = self.builder.binary(BinOp::Sub, ty, crate::builder::signed(0), offset);
        }
        Rvalue::PtrOffset(base, offset, elem)
    }

    /// `p - q`.
    pub(super) fn pointer_difference(&mut self, left: ExprId, right: ExprId) -> Rvalue {
        let elem = match types::underlying(self.hir_ty(left)).get() {
            TyKind::Pointer { to, .. } => self.cx.ty(*to),
            _ => mty::TyKind::unsigned(8),
        };
        let (left, right) = self.pair(left, right);
        Rvalue::PtrDiff(left, right, elem)
    }

    /// `op` is `==`, or `!=`: then the opposite of `equal`.
    pub(super) fn equality(&mut self, op: BinaryOp, equal: Operand) -> Operand {
        match op {
            BinaryOp::Ne => self.builder.not(equal),
            _ => self.builder.stable(equal, boolean()),
        }
    }
}
