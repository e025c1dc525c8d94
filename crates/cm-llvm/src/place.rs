//! Places: their addresses and types.

use crate::{
    Result,
    body::{Body, unfit},
};
use cm_mir::{
    mir::{Base, ConstValue, Operand, Place, Projection},
    ty::{self, Ty, TyKind},
};
use inkwell::values::{BasicValueEnum, IntValue, PointerValue};

impl<'ctx> Body<'_, 'ctx> {
    /// Address and type of a place.
    pub fn place(&mut self, place: &Place) -> Result<(PointerValue<'ctx>, Ty)> {
        let (base, mut projections) = (place.base, &place.projections[..]);
        let (mut address, mut ty) = match base {
            Base::Local(local) => match (self.local_value(local), projections) {
                (
                    Some(BasicValueEnum::PointerValue(pointer)),
                    [Projection::Deref(ty), rest @ ..],
                ) => {
                    projections = rest;
                    (self.referent(pointer, *ty)?, *ty)
                }
                _ => (self.local(local)?, self.local_ty(local)),
            },
            Base::Global(global) => (self.cx.global(global), global.ty),
        };
        let mut offset = 0;
        for projection in projections {
            let inner = step(ty, projection)?;
            match projection {
                Projection::Deref(_) => {
                    let cell = self.offset(address, offset)?;
                    address = self.load(cell, ty)?.into_pointer_value();
                    address = self.referent(address, inner)?;
                    offset = 0;
                }
                Projection::Index(index) => match constant_index(index) {
                    Some(index) => offset += index * ty::layout(inner).size,
                    None => {
                        let index = self.wide(index)?;
                        let array = self.offset(address, offset)?;
                        address = self.element(array, index, inner)?;
                        offset = 0;
                    }
                },
                Projection::Field(index) => offset += field_offset(ty, *index),
                Projection::Variant(_) => offset += payload_offset(ty),
            }
            ty = inner;
        }
        Ok((self.offset(address, offset)?, ty))
    }

    /// The memory that a pointer to a value of a type leads to.
    fn referent(&mut self, pointer: PointerValue<'ctx>, ty: Ty) -> Result<PointerValue<'ctx>> {
        match self.cx.opt_level > 0 && ty == ty::slice_header() {
            true => self.header(pointer),
            false => Ok(pointer),
        }
    }

    /// Type of a place.
    pub fn place_ty(&self, place: &Place) -> Result<Ty> {
        let base = match place.base {
            Base::Local(local) => self.local_ty(local),
            Base::Global(global) => global.ty,
        };
        place.projections.iter().try_fold(base, step)
    }

    /// An address some bytes further.
    pub fn offset(&self, address: PointerValue<'ctx>, bytes: u64) -> Result<PointerValue<'ctx>> {
        if bytes == 0 {
            return Ok(address);
        }
        let bytes = self.cx.word().const_int(bytes, false);
        // SAFETY: offsets into values come from their layout.
        let address = unsafe {
            self.builder.build_in_bounds_gep(self.cx.context.i8_type(), address, &[bytes], "")
        };
        Ok(address?)
    }

    /// An address some elements further.
    pub fn element(
        &self,
        address: PointerValue<'ctx>,
        index: IntValue<'ctx>,
        ty: Ty,
    ) -> Result<PointerValue<'ctx>> {
        // SAFETY: as valid as the program's own index is, which is in range or in its own care.
        let address =
            unsafe { self.builder.build_in_bounds_gep(self.cx.memory(ty), address, &[index], "") };
        Ok(address?)
    }

    /// An integer operand as a signed 64-bit one.
    pub fn wide(&mut self, operand: &Operand) -> Result<IntValue<'ctx>> {
        let ty = self.operand_ty(operand)?;
        let value = self.int_operand(operand)?;
        let word = self.cx.word();
        Ok(match ty.get() {
            TyKind::Int { signed: true, .. } => self.builder.build_int_s_extend(value, word, "")?,
            _ => self.builder.build_int_z_extend(value, word, "")?,
        })
    }
}

/// The type that a projection leads to.
fn step(ty: Ty, projection: &Projection) -> Result<Ty> {
    let inner = match (projection, ty.get()) {
        (Projection::Deref(inner), _) => Some(*inner),
        (Projection::Field(index), TyKind::Struct { fields, .. }) => {
            fields.get(*index as usize).copied()
        }
        (Projection::Index(_), TyKind::Array(elem, _)) => Some(*elem),
        (Projection::Variant(index), TyKind::Tagged { variants, .. }) => {
            variants.get(*index as usize).copied()
        }
        _ => None,
    };
    inner.ok_or_else(|| unfit("a projection of another type"))
}

fn constant_index(operand: &Operand) -> Option<u64> {
    match operand {
        Operand::Const(constant) => match constant.value {
            ConstValue::Int(index) => Some(index),
            ConstValue::Zero => Some(0),
            _ => None,
        },
        Operand::Copy(_) => None,
    }
}

/// Where a field of a struct begins.
pub fn field_offset(ty: Ty, index: u32) -> u64 {
    match ty.get() {
        TyKind::Struct { .. } => ty::part_offset(ty, index),
        _ => 0,
    }
}

/// Where the payload of a tagged value begins.
pub fn payload_offset(ty: Ty) -> u64 {
    match ty.get() {
        TyKind::Tagged { .. } => ty::part_offset(ty, 0),
        _ => 0,
    }
}
