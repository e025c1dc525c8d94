//! Conversions between scalars (`02-types.md` §2.17).

use crate::{
    Result,
    body::{Body, unfit},
};
use cm_mir::{
    mir::Operand,
    runtime::Rt,
    ty::{Ty, TyKind},
};
use inkwell::{
    types::BasicTypeEnum,
    values::{BasicValueEnum, FloatValue, IntValue, PointerValue},
};

impl<'ctx> Body<'_, 'ctx> {
    /// An operand converted to a scalar type.
    pub fn cast(&mut self, operand: &Operand, to: Ty) -> Result<BasicValueEnum<'ctx>> {
        let from = self.operand_ty(operand)?;
        let value = self.scalar(operand)?;
        if from == to {
            return Ok(value);
        }
        let target = self.cx.scalar(to).ok_or_else(|| unfit("a conversion to an aggregate"))?;
        match (value, target) {
            (_, _) if *to.get() == TyKind::Bool => Ok(self.is_not_zero(value, from)?.into()),
            (BasicValueEnum::IntValue(v), BasicTypeEnum::PointerType(_)) => {
                let wide = self.resize(v, is_signed(from), 64)?;
                let pointer = self.builder.build_int_to_ptr(wide, self.cx.ptr(), "")?;
                self.pointer_cast(pointer, TyKind::Ptr.intern(), to)
            }
            (BasicValueEnum::IntValue(v), BasicTypeEnum::IntType(t)) => {
                Ok(self.resize(v, is_signed(from), t.get_bit_width())?.into())
            }
            (BasicValueEnum::IntValue(v), BasicTypeEnum::FloatType(t)) if is_signed(from) => {
                Ok(self.builder.build_signed_int_to_float(v, t, "")?.into())
            }
            (BasicValueEnum::IntValue(v), BasicTypeEnum::FloatType(t)) => {
                Ok(self.builder.build_unsigned_int_to_float(v, t, "")?.into())
            }
            (BasicValueEnum::FloatValue(v), BasicTypeEnum::FloatType(t)) => {
                Ok(self.builder.build_float_cast(v, t, "")?.into())
            }
            (BasicValueEnum::FloatValue(v), BasicTypeEnum::IntType(_)) => {
                self.float_to_int(v, from, to)
            }
            (BasicValueEnum::PointerValue(v), BasicTypeEnum::IntType(t)) => {
                let v = self.pointer_cast(v, from, TyKind::Ptr.intern())?.into_pointer_value();
                let word = self.builder.build_ptr_to_int(v, self.cx.word(), "")?;
                Ok(self.resize(word, false, t.get_bit_width())?.into())
            }
            (BasicValueEnum::PointerValue(v), BasicTypeEnum::PointerType(_)) => {
                self.pointer_cast(v, from, to)
            }
            _ => Err(unfit("a conversion between these types")),
        }
    }

    /// Truncates, or extends by the sign of the source.
    fn resize(&self, value: IntValue<'ctx>, signed: bool, bits: u32) -> Result<IntValue<'ctx>> {
        let ty = self.cx.int(bits as u8);
        Ok(match value.get_type().get_bit_width().cmp(&bits) {
            std::cmp::Ordering::Greater => self.builder.build_int_truncate(value, ty, "")?,
            std::cmp::Ordering::Equal => value,
            std::cmp::Ordering::Less if signed => self.builder.build_int_s_extend(value, ty, "")?,
            std::cmp::Ordering::Less => self.builder.build_int_z_extend(value, ty, "")?,
        })
    }

    /// Rounds toward zero; out of range gives the nearest bound and NaN gives 0.
    fn float_to_int(
        &mut self,
        value: FloatValue<'ctx>,
        from: Ty,
        to: Ty,
    ) -> Result<BasicValueEnum<'ctx>> {
        let name = if is_signed(to) { "llvm.fptosi.sat" } else { "llvm.fptoui.sat" };
        let target = self.cx.scalar(to).ok_or_else(|| unfit("a conversion to an aggregate"))?;
        let types = [target, value.get_type().into()];
        let function = self.cx.intrinsic(name, (to, from), &types);
        let call = self.builder.build_direct_call(function, &[value.into()], "")?;
        call.try_as_basic_value().basic().ok_or_else(|| unfit("an intrinsic without result"))
    }

    /// From one role of a pointer to another.
    fn pointer_cast(
        &mut self,
        value: PointerValue<'ctx>,
        from: Ty,
        to: Ty,
    ) -> Result<BasicValueEnum<'ctx>> {
        match (from.get(), to.get()) {
            (TyKind::Str, TyKind::Str) | (TyKind::Func, TyKind::Func) => Ok(value.into()),
            (TyKind::Str, _) => Ok(self.foreign_string(value)?.into()),
            (TyKind::Func, TyKind::Ptr) => Ok(self.code_address(value)?.into()),
            (_, TyKind::Str) => self.copy_foreign_string(value),
            _ => Ok(value.into()),
        }
    }

    /// A string from foreign bytes.
    pub fn copy_foreign_string(
        &mut self,
        bytes: PointerValue<'ctx>,
    ) -> Result<BasicValueEnum<'ctx>> {
        let copy = self.cx.runtime(Rt::StrFromC);
        let call = self.builder.build_direct_call(copy, &[bytes.into()], "")?;
        call.try_as_basic_value().basic().ok_or_else(|| unfit("a string without value"))
    }

    /// The bytes of a string for foreign eyes: never null.
    pub fn foreign_string(&mut self, value: PointerValue<'ctx>) -> Result<PointerValue<'ctx>> {
        let empty = self.cx.zeros();
        let is = self.builder.build_is_not_null(value, "")?;
        Ok(self.builder.build_select(is, value, empty, "")?.into_pointer_value())
    }

    /// The code behind a function value; null for null.
    pub fn code_address(&mut self, value: PointerValue<'ctx>) -> Result<PointerValue<'ctx>> {
        // Loads through the value or, if that is null, from words of zeros.
        let zero = self.cx.zeros();
        let is = self.builder.build_is_not_null(value, "")?;
        let object = self.builder.build_select(is, value, zero, "")?.into_pointer_value();
        Ok(self.load(object, TyKind::Ptr.intern())?.into_pointer_value())
    }
}

fn is_signed(ty: Ty) -> bool {
    matches!(ty.get(), TyKind::Int { signed: true, .. })
}
