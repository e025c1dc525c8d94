//! Operators.

use crate::{
    Result, abi,
    alias::Memory,
    body::{Body, unfit},
};
use cm_mir::{
    mir::{BinOp, Operand, UnOp},
    ty::{Ty, TyKind},
};
use inkwell::{
    FloatPredicate, IntPredicate,
    values::{BasicValueEnum, FloatValue, IntValue, PointerValue},
};

impl<'ctx> Body<'_, 'ctx> {
    /// A unary operator.
    pub fn unary(&mut self, op: UnOp, operand: &Operand) -> Result<BasicValueEnum<'ctx>> {
        Ok(match (op, self.scalar(operand)?) {
            (UnOp::Len, BasicValueEnum::PointerValue(v)) => {
                let ty = self.operand_ty(operand)?;
                self.length(v, ty)?
            }
            (UnOp::Neg, BasicValueEnum::IntValue(v)) => self.builder.build_int_neg(v, "")?.into(),
            (UnOp::Neg, BasicValueEnum::FloatValue(v)) => {
                self.builder.build_float_neg(v, "")?.into()
            }
            (UnOp::Not | UnOp::BitNot, BasicValueEnum::IntValue(v)) => {
                self.builder.build_not(v, "")?.into()
            }
            _ => return Err(unfit("an operator of another type")),
        })
    }

    /// The length of a slice or string. That of null is read from static zeros, which takes no branch.
    pub fn length(&mut self, value: PointerValue<'ctx>, ty: Ty) -> Result<BasicValueEnum<'ctx>> {
        let (object, distance) = match ty.get() {
            TyKind::Str => {
                let header = abi::STRING_HEADER;
                let zeros = self.cx.zeros();
                let empty = self.cx.offset_const(zeros, header);
                (self.or_if_null(value, empty)?, -(header as i64))
            }
            _ => (self.header(value)?, 8),
        };
        let distance = self.cx.word().const_int(distance as u64, true);
        let length = self.element(object, distance, TyKind::unsigned(8))?;
        self.load_as(length, TyKind::unsigned(64), Memory::Header)
    }

    /// The header of a slice; that of null is static zeros. When optimized code looks at headers in
    /// this way alone, LLVM sees that what it reads before and after a bounds check is the same.
    pub fn header(&mut self, slice: PointerValue<'ctx>) -> Result<PointerValue<'ctx>> {
        let zeros = self.cx.zeros();
        self.or_if_null(slice, zeros)
    }

    fn or_if_null(
        &self,
        value: PointerValue<'ctx>,
        other: PointerValue<'ctx>,
    ) -> Result<PointerValue<'ctx>> {
        let is_null = self.builder.build_is_null(value, "")?;
        Ok(self.builder.build_select(is_null, other, value, "")?.into_pointer_value())
    }

    /// A binary operator.
    pub fn binary(
        &mut self,
        op: BinOp,
        left: &Operand,
        right: &Operand,
    ) -> Result<BasicValueEnum<'ctx>> {
        let ty = self.operand_ty(left)?;
        match (self.scalar(left)?, self.scalar(right)?) {
            (BasicValueEnum::IntValue(left), BasicValueEnum::IntValue(right)) => {
                let signed = matches!(ty.get(), TyKind::Int { signed: true, .. });
                Ok(self.int_binary(op, signed, left, right)?.into())
            }
            (BasicValueEnum::FloatValue(left), BasicValueEnum::FloatValue(right)) => {
                self.float_binary(op, left, right)
            }
            (BasicValueEnum::PointerValue(left), BasicValueEnum::PointerValue(right)) => {
                let predicate =
                    int_predicate(op, false).ok_or_else(|| unfit("arithmetic of pointers"))?;
                Ok(self.builder.build_int_compare(predicate, left, right, "")?.into())
            }
            _ => Err(unfit("operands of different types")),
        }
    }

    fn int_binary(
        &self,
        op: BinOp,
        signed: bool,
        left: IntValue<'ctx>,
        right: IntValue<'ctx>,
    ) -> Result<IntValue<'ctx>> {
        let b = &self.builder;
        if let Some(predicate) = int_predicate(op, signed) {
            return Ok(b.build_int_compare(predicate, left, right, "")?);
        }
        Ok(match op {
            BinOp::Add => b.build_int_add(left, right, "")?,
            BinOp::Sub => b.build_int_sub(left, right, "")?,
            BinOp::Mul => b.build_int_mul(left, right, "")?,
            BinOp::And => b.build_and(left, right, "")?,
            BinOp::Or => b.build_or(left, right, "")?,
            BinOp::Xor => b.build_xor(left, right, "")?,
            BinOp::Div if signed => self.signed_division(left, right)?,
            BinOp::Div => b.build_int_unsigned_div(left, right, "")?,
            BinOp::Rem if signed => {
                let right = self.never_minus_one(right)?.1;
                b.build_int_signed_rem(left, right, "")?
            }
            BinOp::Rem => b.build_int_unsigned_rem(left, right, "")?,
            BinOp::Shl => b.build_left_shift(left, self.shift_count(left, right)?, "")?,
            BinOp::Shr => b.build_right_shift(left, self.shift_count(left, right)?, signed, "")?,
            BinOp::Eq | BinOp::Ne | BinOp::Lt | BinOp::Le | BinOp::Gt | BinOp::Ge => {
                return Err(unfit("a comparison without predicate"));
            }
        })
    }

    /// MIN / -1 traps on some machines: divides by 1 and negates instead.
    fn signed_division(
        &self,
        left: IntValue<'ctx>,
        right: IntValue<'ctx>,
    ) -> Result<IntValue<'ctx>> {
        let (is_minus_one, divisor) = self.never_minus_one(right)?;
        let quotient = self.builder.build_int_signed_div(left, divisor, "")?;
        let Some(is_minus_one) = is_minus_one else { return Ok(quotient) };
        let negated = self.builder.build_int_neg(left, "")?;
        let value = self.builder.build_select(is_minus_one, negated, quotient, "")?;
        Ok(value.into_int_value())
    }

    /// The value with 1 for -1, and whether it was; `None` where it is known not to be.
    fn never_minus_one(
        &self,
        value: IntValue<'ctx>,
    ) -> Result<(Option<IntValue<'ctx>>, IntValue<'ctx>)> {
        let ty = value.get_type();
        if value.get_sign_extended_constant().is_some_and(|value| value != -1) {
            return Ok((None, value));
        }
        let minus_one = ty.const_all_ones();
        let is = self.builder.build_int_compare(IntPredicate::EQ, value, minus_one, "")?;
        let value = self.builder.build_select(is, ty.const_int(1, false), value, "")?;
        Ok((Some(is), value.into_int_value()))
    }

    /// The count in the type of the shifted value, modulo its width.
    fn shift_count(&self, value: IntValue<'ctx>, count: IntValue<'ctx>) -> Result<IntValue<'ctx>> {
        let ty = value.get_type();
        let (width, from) = (ty.get_bit_width(), count.get_type().get_bit_width());
        let count = match from.cmp(&width) {
            std::cmp::Ordering::Less => self.builder.build_int_z_extend(count, ty, "")?,
            std::cmp::Ordering::Equal => count,
            std::cmp::Ordering::Greater => self.builder.build_int_truncate(count, ty, "")?,
        };
        Ok(self.builder.build_and(count, ty.const_int(u64::from(width) - 1, false), "")?)
    }

    fn float_binary(
        &self,
        op: BinOp,
        left: FloatValue<'ctx>,
        right: FloatValue<'ctx>,
    ) -> Result<BasicValueEnum<'ctx>> {
        let b = &self.builder;
        let predicate = match op {
            BinOp::Add => return Ok(b.build_float_add(left, right, "")?.into()),
            BinOp::Sub => return Ok(b.build_float_sub(left, right, "")?.into()),
            BinOp::Mul => return Ok(b.build_float_mul(left, right, "")?.into()),
            BinOp::Div => return Ok(b.build_float_div(left, right, "")?.into()),
            BinOp::Rem => return Ok(b.build_float_rem(left, right, "")?.into()),
            BinOp::Eq => FloatPredicate::OEQ,
            BinOp::Ne => FloatPredicate::UNE,
            BinOp::Lt => FloatPredicate::OLT,
            BinOp::Le => FloatPredicate::OLE,
            BinOp::Gt => FloatPredicate::OGT,
            BinOp::Ge => FloatPredicate::OGE,
            BinOp::Shl | BinOp::Shr | BinOp::And | BinOp::Or | BinOp::Xor => {
                return Err(unfit("bits of a floating-point number"));
            }
        };
        Ok(b.build_float_compare(predicate, left, right, "")?.into())
    }

    /// Whether a scalar is not zero.
    pub fn is_not_zero(&self, value: BasicValueEnum<'ctx>, ty: Ty) -> Result<IntValue<'ctx>> {
        let b = &self.builder;
        Ok(match value {
            BasicValueEnum::IntValue(v) => {
                b.build_int_compare(IntPredicate::NE, v, v.get_type().const_zero(), "")?
            }
            BasicValueEnum::PointerValue(v) => b.build_is_not_null(v, "")?,
            BasicValueEnum::FloatValue(v) => {
                b.build_float_compare(FloatPredicate::UNE, v, v.get_type().const_zero(), "")?
            }
            _ => return Err(unfit(&format!("truth of a {ty:?}"))),
        })
    }
}

fn int_predicate(op: BinOp, signed: bool) -> Option<IntPredicate> {
    use IntPredicate::{EQ, NE, SGE, SGT, SLE, SLT, UGE, UGT, ULE, ULT};
    Some(match (op, signed) {
        (BinOp::Eq, _) => EQ,
        (BinOp::Ne, _) => NE,
        (BinOp::Lt, true) => SLT,
        (BinOp::Le, true) => SLE,
        (BinOp::Gt, true) => SGT,
        (BinOp::Ge, true) => SGE,
        (BinOp::Lt, false) => ULT,
        (BinOp::Le, false) => ULE,
        (BinOp::Gt, false) => UGT,
        (BinOp::Ge, false) => UGE,
        _ => return None,
    })
}
