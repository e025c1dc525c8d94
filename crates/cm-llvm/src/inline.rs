//! What optimized code does itself instead of calling the run-time library.

use crate::{
    Result,
    alias::Memory,
    body::{Body, unfit},
};
use cm_mir::{mir::Operand, runtime::Rt, ty::TyKind};
use inkwell::{
    IntPredicate,
    values::{BasicValueEnum, PointerValue},
};

impl<'ctx> Body<'_, 'ctx> {
    /// The result of a function of the library, if no call is needed for it, or only a rare one.
    pub fn inline(&mut self, rt: Rt, args: &[Operand]) -> Result<Option<BasicValueEnum<'ctx>>> {
        Ok(match (rt, args) {
            (Rt::StrAt, [text, index]) => Some(self.byte_at(text, index)?),
            (Rt::SlicePush, [place, size, glue]) => Some(self.push(place, size, glue)?.into()),
            _ => None,
        })
    }

    /// The byte of a string at an index, or the 0 of static zeros: without a branch, and without the
    /// call that would do the same.
    fn byte_at(&mut self, text: &Operand, index: &Operand) -> Result<BasicValueEnum<'ctx>> {
        let (text, index) = (self.pointer_operand(text)?, self.int_operand(index)?);
        let length = self.length(text, TyKind::Str.intern())?.into_int_value();
        let inside = self.builder.build_int_compare(IntPredicate::ULT, index, length, "")?;
        // The address means nothing if the index is out of range; then it is not used.
        let byte = self.element(text, index, TyKind::unsigned(8))?;
        let zeros = self.cx.zeros();
        let byte = self.builder.build_select(inside, byte, zeros, "")?.into_pointer_value();
        self.load(byte, TyKind::unsigned(8))
    }

    /// Makes room for one more element and gives its address. Only where there is no room, the library is called.
    fn push(
        &mut self,
        place: &Operand,
        size: &Operand,
        glue: &Operand,
    ) -> Result<PointerValue<'ctx>> {
        let (slice, word) = (TyKind::Slice.intern(), TyKind::unsigned(64));
        let place = self.pointer_operand(place)?;
        let (size, glue) = (self.int_operand(size)?, self.pointer_operand(glue)?);
        let old = self.load(place, slice)?.into_pointer_value();
        let header = self.header(old)?;
        let field = |this: &Self, index: u64| {
            let field = this.offset(header, index * 8)?;
            Ok::<_, crate::EmitError>(this.load_as(field, word, Memory::Header)?.into_int_value())
        };
        let (len, capacity) = (field(self, 1)?, field(self, 2)?);
        let full = self.builder.build_int_compare(IntPredicate::EQ, len, capacity, "")?;
        let [grow, room, after] = [(); 3].map(|()| self.new_block());
        self.builder.build_conditional_branch(full, grow, room)?;

        // Nothing has room in static zeros. So a slice that has been pushed to is known not to be null.
        self.builder.position_at_end(room);
        let some = self.builder.build_is_not_null(old, "")?;
        let void = TyKind::Void.intern();
        let assume = self.cx.intrinsic("llvm.assume", (void, void), &[]);
        self.builder.build_direct_call(assume, &[some.into()], "")?;
        self.builder.build_unconditional_branch(after)?;

        self.builder.position_at_end(grow);
        let function = self.cx.runtime(Rt::SliceGrow);
        let args = [old.into(), size.into(), glue.into()];
        let grown = self.builder.build_direct_call(function, &args, "")?;
        let grown =
            grown.try_as_basic_value().basic().ok_or_else(|| unfit("a call without result"))?;
        self.store(place, grown, slice)?;
        self.builder.build_unconditional_branch(after)?;

        self.builder.position_at_end(after);
        let phi = self.builder.build_phi(self.cx.ptr(), "")?;
        phi.add_incoming(&[(&header, room), (&grown, grow)]);
        let header = phi.as_basic_value().into_pointer_value();
        let data = self.load_as(header, TyKind::Ptr.intern(), Memory::Header)?.into_pointer_value();
        let one = self.cx.word().const_int(1, false);
        let longer = self.builder.build_int_nuw_add(len, one, "")?;
        self.store_as(self.offset(header, 8)?, longer.into(), word, Memory::Header)?;
        let distance = self.builder.build_int_mul(len, size, "")?;
        self.element(data, distance, TyKind::unsigned(8))
    }
}
