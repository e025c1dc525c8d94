//! Assignments.

use crate::{
    Result,
    alias::Memory,
    body::{Body, inside_local, unfit},
    place::{field_offset, payload_offset},
};
use cm_mir::{
    mir::{CountOp, Decl, GlobalRef, Operand, Place, Rvalue},
    runtime::Rt,
    ty::{self, Ty, TyKind},
};
use inkwell::values::{BasicValueEnum, PointerValue};

impl<'ctx> Body<'_, 'ctx> {
    /// `place = value`.
    pub fn assign(&mut self, place: &Place, value: &Rvalue) -> Result<()> {
        match value {
            Rvalue::Use(operand) => {
                if self.cx.scalar(self.place_ty(place)?).is_some() {
                    let value = self.scalar(operand)?;
                    return self.set(place, value);
                }
                let (to, _) = self.place(place)?;
                self.store_operand(to, operand)
            }
            Rvalue::Aggregate(ty, operands) => {
                let (ty, offsets) = (*ty, part_offsets(*ty, operands.len()));
                self.assign_parts(place, ty, operands.iter(), |body, to| {
                    for (offset, operand) in offsets.iter().zip(operands) {
                        let part = body.offset(to, *offset)?;
                        body.store_operand(part, operand)?;
                    }
                    Ok(())
                })
            }
            Rvalue::Tagged(ty, tag, payload) => {
                let (ty, tag) = (*ty, u64::from(*tag));
                self.assign_parts(place, ty, payload.iter(), |body, to| {
                    let bits = body.cx.int(32).const_int(tag, false);
                    if let Some(payload) = payload {
                        let part = body.offset(to, payload_offset(ty))?;
                        body.store_operand_as(part, payload, Memory::Value)?;
                    }
                    body.store(to, bits.into(), TyKind::unsigned(32))
                })
            }
            Rvalue::Iface(object, table) => self.assign_iface(place, object, *table),
            _ => {
                let value = self.rvalue(value)?;
                self.set(place, value)
            }
        }
    }

    /// Writes an aggregate part by part. What it reads may be what it overwrites: then it is made
    /// in a temporary first.
    fn assign_parts<'o>(
        &mut self,
        place: &Place,
        ty: Ty,
        mut operands: impl Iterator<Item = &'o Operand>,
        write: impl FnOnce(&mut Self, PointerValue<'ctx>) -> Result<()>,
    ) -> Result<()> {
        let (to, _) = self.place(place)?;
        if operands.all(|operand| self.is_apart(place, operand)) {
            return write(self, to);
        }
        let temporary = self.temporary(ty)?;
        write(self, temporary)?;
        self.copy(to, temporary, ty)
    }

    /// Writing the place surely does not change the operand.
    fn is_apart(&self, place: &Place, operand: &Operand) -> bool {
        let Operand::Copy(source) = operand else { return true };
        match (inside_local(place), inside_local(source)) {
            (Some(to), Some(from)) => to != from,
            (Some(to), None) => !self.is_exposed(to),
            (None, Some(from)) => !self.is_exposed(from),
            (None, None) => false,
        }
    }

    fn assign_iface(&mut self, place: &Place, object: &Operand, table: GlobalRef) -> Result<()> {
        let object = self.pointer_operand(object)?;
        let table = self.cx.global(table);
        let (to, _) = self.place(place)?;
        let ptr = TyKind::Ptr.intern();
        self.store(to, object.into(), ptr)?;
        let second = self.offset(to, 8)?;
        self.store(second, table.into(), ptr)
    }

    /// The value of a right-hand side that is a scalar.
    fn rvalue(&mut self, value: &Rvalue) -> Result<BasicValueEnum<'ctx>> {
        match value {
            Rvalue::Unary(op, operand) => self.unary(*op, operand),
            Rvalue::Binary(op, left, right) => self.binary(*op, left, right),
            Rvalue::Cast(operand, ty) => self.cast(operand, *ty),
            Rvalue::AddrOf(place) => Ok(self.place(place)?.0.into()),
            Rvalue::PtrOffset(pointer, count, ty) => {
                let pointer = self.pointer_operand(pointer)?;
                let count = self.wide(count)?;
                Ok(self.element(pointer, count, *ty)?.into())
            }
            Rvalue::PtrDiff(left, right, ty) => self.pointer_difference(left, right, *ty),
            Rvalue::Tag(place) => {
                let (address, _) = self.place(place)?;
                self.load(address, TyKind::unsigned(32))
            }
            Rvalue::Closure(decl, captures) => Ok(self.closure(*decl, captures)?.into()),
            Rvalue::Use(_) | Rvalue::Aggregate(..) | Rvalue::Tagged(..) | Rvalue::Iface(..) => {
                Err(unfit("an aggregate in a register"))
            }
        }
    }

    fn pointer_difference(
        &mut self,
        left: &Operand,
        right: &Operand,
        ty: Ty,
    ) -> Result<BasicValueEnum<'ctx>> {
        let word = self.cx.word();
        let (left, right) = (self.pointer_operand(left)?, self.pointer_operand(right)?);
        let left = self.builder.build_ptr_to_int(left, word, "")?;
        let right = self.builder.build_ptr_to_int(right, word, "")?;
        let bytes = self.builder.build_int_sub(left, right, "")?;
        let size = word.const_int(ty::layout(ty).size.max(1), false);
        Ok(self.builder.build_int_signed_div(bytes, size, "")?.into())
    }

    /// A new function value: code address, then captures.
    fn closure(&mut self, decl: Decl, captures: &[Operand]) -> Result<PointerValue<'ctx>> {
        let types = captures.iter().map(|c| self.operand_ty(c)).collect::<Result<Vec<_>>>()?;
        let ty = ty::closure_object(&types);
        let alloc = self.cx.runtime(Rt::Alloc);
        let size = self.cx.word().const_int(ty::layout(ty).size, false);
        let glue = match ty::is_counted(ty) {
            true => self.cx.glue(CountOp::Release, ty).as_global_value().as_pointer_value(),
            false => self.cx.ptr().const_null(),
        };
        let object = self.builder.build_direct_call(alloc, &[size.into(), glue.into()], "")?;
        let object = object
            .try_as_basic_value()
            .basic()
            .ok_or_else(|| unfit("an allocator without result"))?
            .into_pointer_value();
        let code = self.cx.function(decl, true).as_global_value().as_pointer_value();
        self.store(object, code.into(), TyKind::Ptr.intern())?;
        for (index, capture) in (1..).zip(captures) {
            let part = self.offset(object, field_offset(ty, index))?;
            self.store_operand(part, capture)?;
        }
        Ok(object)
    }
}

/// Where the parts of a struct or array are.
fn part_offsets(ty: Ty, count: usize) -> Vec<u64> {
    match ty.get() {
        TyKind::Array(elem, _) => {
            let size = ty::layout(*elem).size;
            (0..count as u64).map(|index| index * size).collect()
        }
        TyKind::Struct { fields, .. } => ty::field_offsets(fields).0,
        _ => Vec::new(),
    }
}
