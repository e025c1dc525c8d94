//! Reference counts: calls of the run-time library, field by field, or of glue.

use crate::{Result, alias::Memory, body::Body, place::field_offset};
use cm_mir::{
    glue::{Shape, shape},
    mir::{CountOp, Operand, Place},
    runtime::Rt,
    ty::{Ty, TyKind},
};
use inkwell::{
    IntPredicate,
    values::{PointerValue, ValueKind},
};

impl<'ctx> Body<'_, 'ctx> {
    /// Counts the references in a place.
    pub fn count(&mut self, op: CountOp, place: &Place) -> Result<()> {
        let ty = self.place_ty(place)?;
        if op == CountOp::Forget {
            return Ok(());
        }
        if self.cx.scalar(ty).is_some() && ty.is_reference() {
            let object = self.pointer_operand(&Operand::copy(place.clone()))?;
            return self.count_object(op, ty, object);
        }
        let (address, _) = self.place(place)?;
        self.count_at(op, ty, address)
    }

    fn count_at(&mut self, op: CountOp, ty: Ty, address: PointerValue<'ctx>) -> Result<()> {
        match shape(ty) {
            Shape::Nothing => Ok(()),
            Shape::Reference if *ty.get() == TyKind::Iface => self.count_iface(op, address),
            Shape::Reference => {
                let object = self.load(address, ty)?.into_pointer_value();
                self.count_object(op, ty, object)
            }
            Shape::Fields(fields) => {
                let TyKind::Struct { fields: types, .. } = ty.get() else { return Ok(()) };
                fields.into_iter().try_for_each(|index| {
                    let part = self.offset(address, field_offset(ty, index))?;
                    self.count_at(op, types[index as usize], part)
                })
            }
            Shape::Function => {
                let glue = self.cx.glue(op, ty);
                let one = self.cx.word().const_int(1, false);
                self.builder.build_direct_call(glue, &[address.into(), one.into()], "")?;
                Ok(())
            }
        }
    }

    fn count_object(&mut self, op: CountOp, ty: Ty, object: PointerValue<'ctx>) -> Result<()> {
        let rt = match (op, ty.get()) {
            (CountOp::Retain, _) => Rt::Retain,
            (_, TyKind::Str) => Rt::ReleaseStr,
            (_, TyKind::Slice) => Rt::ReleaseSlice,
            _ => Rt::Release,
        };
        let function = self.cx.runtime(rt);
        if self.cx.opt_level == 0 {
            self.builder.build_direct_call(function, &[object.into()], "")?;
            return Ok(());
        }
        // Where a value is known to be null, nothing remains of this.
        self.unless_null(object, |this| {
            let call = this.builder.build_direct_call(function, &[object.into()], "")?;
            match call.try_as_basic_value() {
                ValueKind::Instruction(call) if op == CountOp::Retain => {
                    this.cx.tags.set(call, Memory::Count)
                }
                _ => Ok(()),
            }
        })
    }

    /// An interface value owns its object if its table begins with glue.
    fn count_iface(&mut self, op: CountOp, address: PointerValue<'ctx>) -> Result<()> {
        let ptr = TyKind::Ptr.intern();
        let table = self.offset(address, 8)?;
        let table = self.load(table, ptr)?.into_pointer_value();
        self.unless_null(table, |this| {
            let glue = this.load(table, ptr)?.into_pointer_value();
            this.unless_null(glue, |this| {
                let object = this.load(address, ptr)?.into_pointer_value();
                let rt = if op == CountOp::Retain { Rt::Retain } else { Rt::Release };
                let function = this.cx.runtime(rt);
                this.builder.build_direct_call(function, &[object.into()], "")?;
                Ok(())
            })
        })
    }

    fn unless_null(
        &mut self,
        pointer: PointerValue<'ctx>,
        then: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        let [some, after] = [(); 2].map(|()| self.new_block());
        let null = self.cx.ptr().const_null();
        let is = self.builder.build_int_compare(IntPredicate::NE, pointer, null, "")?;
        self.builder.build_conditional_branch(is, some, after)?;
        self.builder.position_at_end(some);
        then(self)?;
        self.builder.build_unconditional_branch(after)?;
        self.builder.position_at_end(after);
        Ok(())
    }
}
