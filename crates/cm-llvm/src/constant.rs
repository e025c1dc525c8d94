//! Constants, in registers and in static memory.

use crate::{EmitError, Result, abi, module::Cx};
use cm_mir::{
    mir::{Const, ConstValue, CountOp},
    ty::{self, Ty, TyKind},
};
use inkwell::values::{BasicValueEnum, PointerValue};

/// A constant of a scalar type, as it is in a register.
pub fn scalar<'ctx>(cx: &mut Cx<'ctx>, constant: &Const) -> Result<BasicValueEnum<'ctx>> {
    let ty = cx.scalar(constant.ty).ok_or_else(|| unfit(constant))?;
    Ok(match &constant.value {
        ConstValue::Zero => ty.const_zero(),
        ConstValue::Int(bits) if ty.is_int_type() => {
            // LLVM 22 refuses bits beyond the width.
            let width = ty.into_int_type().get_bit_width();
            let mask = u64::MAX >> (64 - width);
            ty.into_int_type().const_int(bits & mask, false).into()
        }
        ConstValue::Int(bits) if ty.is_pointer_type() => {
            cx.word().const_int(*bits, false).const_to_pointer(cx.ptr()).into()
        }
        ConstValue::Float(bits) if ty.is_float_type() => {
            let value = match constant.ty.get() {
                TyKind::F32 => f64::from(f32::from_bits(*bits as u32)),
                _ => f64::from_bits(*bits),
            };
            ty.into_float_type().const_float(value).into()
        }
        ConstValue::Str(text) => cx.string(*text).into(),
        ConstValue::Function(decl) => cx.function_value(*decl).into(),
        ConstValue::Code(decl) => {
            cx.function(*decl, false).as_global_value().as_pointer_value().into()
        }
        ConstValue::Glue(ty) => {
            let glue = cx.glue(CountOp::Release, *ty);
            glue.as_global_value().as_pointer_value().into()
        }
        ConstValue::Address(global) => cx.global(*global).into(),
        ConstValue::Slice(elements) => slice(cx, elements)?,
        _ => return Err(unfit(constant)),
    })
}

/// A constant of any type, as it is in memory.
pub fn memory<'ctx>(cx: &mut Cx<'ctx>, constant: &Const) -> Result<BasicValueEnum<'ctx>> {
    let ty = constant.ty;
    match (&constant.value, ty.get()) {
        (ConstValue::Zero, _) => Ok(cx.memory(ty).const_zero()),
        (ConstValue::Aggregate(fields), TyKind::Struct { fields: types, .. }) => {
            let offsets = ty::field_offsets(types).0;
            parts(cx, ty, offsets.into_iter().zip(fields))
        }
        (ConstValue::Aggregate(elements), TyKind::Array(elem, _)) => {
            let size = ty::layout(*elem).size;
            parts(cx, ty, (0..).map(|index| index * size).zip(elements))
        }
        (ConstValue::Tagged(tag, payload), TyKind::Tagged { variants, .. }) => {
            let tag = Const { ty: TyKind::unsigned(32), value: ConstValue::Int(u64::from(*tag)) };
            let payload = payload.iter().map(|payload| (ty::payload_offset(variants), &**payload));
            parts(cx, ty, std::iter::once((0, &tag)).chain(payload))
        }
        (ConstValue::Int(bits), TyKind::Bool) => {
            Ok(cx.context.i8_type().const_int(bits & 1, false).into())
        }
        _ => scalar(cx, constant),
    }
}

/// A packed struct of constants at increasing offsets, with zeros between them.
fn parts<'ctx, 'a>(
    cx: &mut Cx<'ctx>,
    whole: Ty,
    parts: impl Iterator<Item = (u64, &'a Const)>,
) -> Result<BasicValueEnum<'ctx>> {
    let mut fields: Vec<BasicValueEnum> = Vec::new();
    let mut end = 0;
    for (offset, part) in parts {
        if offset > end {
            fields.push(cx.bytes(offset - end).const_zero().into());
        }
        fields.push(memory(cx, part)?);
        end = offset + ty::layout(part.ty).size;
    }
    let size = ty::layout(whole).size;
    if size > end {
        fields.push(cx.bytes(size - end).const_zero().into());
    }
    Ok(cx.context.const_struct(&fields, true).into())
}

/// A static slice: reference count, header, elements (`docs/abi.md`).
fn slice<'ctx>(cx: &mut Cx<'ctx>, elements: &[Const]) -> Result<BasicValueEnum<'ctx>> {
    let values = elements.iter().map(|e| memory(cx, e)).collect::<Result<Vec<_>>>()?;
    let contents = cx.context.const_struct(&values, true);
    let length = cx.word().const_int(elements.len() as u64, false);
    let object = |cx: &Cx<'ctx>, data: PointerValue<'ctx>| {
        let count = cx.immortal().into();
        let fields = [count, data.into(), length.into(), length.into(), contents.into()];
        cx.context.const_struct(&fields, false)
    };
    // The header points into its own object, which must exist before its initializer.
    let global = cx.private(&object(cx, cx.ptr().const_null()), false);
    let header = cx.offset_const(global.as_pointer_value(), abi::COUNT);
    let data = cx.offset_const(header, ty::layout(ty::slice_header()).size);
    global.set_initializer(&object(cx, data));
    Ok(header.into())
}

fn unfit(constant: &Const) -> EmitError {
    EmitError::Unsupported(format!("the constant {constant:?} here"))
}
