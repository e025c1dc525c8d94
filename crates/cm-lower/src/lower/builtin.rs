//! Built-in functions and methods.

use super::Lower;
use crate::{
    builder::{number, pointer, signed, truth, word},
    types,
};
use cm_base::Name;
use cm_hir::{
    thir::{Builtin, ExprId},
    ty::{Ty, TyKind},
};
use cm_mir::{
    mir::{BinOp, ConstValue, CountOp, Operand, Place, Projection, Rvalue},
    runtime::Rt,
    ty::{self as mty, is_counted},
};

/// The element count of an array or slice, and where its elements are.
struct Elements {
    elem: Ty,
    len: Operand,
    /// A pointer to the first.
    data: Operand,
}

impl Lower<'_, '_> {
    /// A built-in with a result of type `ret`.
    pub(super) fn builtin(&mut self, builtin: &Builtin, args: &[ExprId], ret: Ty) -> Operand {
        use Builtin as B;
        match builtin {
            B::Print => self.runtime(Rt::Print, args, ret),
            B::Println => self.runtime(Rt::Println, args, ret),
            B::StrLen => self.len(args[0], ret),
            B::StrAt => self.runtime(Rt::StrAt, args, ret),
            B::StrFirst => {
                let text = self.operand(args[0]);
                self.builder.runtime(Rt::StrAt, vec![text, signed(0)])
            }
            B::StrLast => self.last_byte(args[0]),
            B::StrSlice => self.slice_string(args),
            B::StrIndexOf => self.runtime(Rt::StrIndexOf, args, ret),
            B::StrIncludes => {
                let operands = self.operands(args);
                let position = self.builder.runtime(Rt::StrIndexOf, operands);
                self.builder.binary(BinOp::Ge, mty::TyKind::signed(64), position, signed(0))
            }
            B::StrStartsWith => self.runtime(Rt::StrStartsWith, args, ret),
            B::StrEndsWith => self.runtime(Rt::StrEndsWith, args, ret),
            B::StrUpper => self.runtime(Rt::StrUpper, args, ret),
            B::StrLower => self.runtime(Rt::StrLower, args, ret),
            B::StrTrim => self.runtime(Rt::StrTrim, args, ret),
            B::StrRepeat => self.runtime(Rt::StrRepeat, args, ret),
            B::StrReplace => self.runtime(Rt::StrReplace, args, ret),
            B::StrHash => self.runtime(Rt::StrHash, args, ret),
            B::SliceLen => self.len(args[0], ret),
            B::SliceCap => self.capacity(args[0], ret),
            B::SlicePush => self.push(args[0], args[1]),
            B::SlicePop => self.pop(args[0], ret),
            B::SliceRemove => self.remove(args[0], args[1]),
            B::SliceClear => self.clear(args[0]),
            B::SubSlice => self.sub_slice(args),
            B::First => self.end_element(args[0], ret, false),
            B::Last => self.end_element(args[0], ret, true),
            B::DataPointer => self.elements(args[0]).data,
            B::Intrinsic(name, of) => self.intrinsic(*name, *of, args, ret),
        }
    }

    /// A call of a run-time function, with arguments and result converted as numbers.
    fn runtime(&mut self, rt: Rt, args: &[ExprId], ret: Ty) -> Operand {
        let mut operands = self.operands(args);
        for ((operand, arg), param) in operands.iter_mut().zip(args).zip(rt.params()) {
            let ty = self.ty_of(*arg);
            *operand = self.builder.cast(operand.clone(), ty, param);
        }
        let result = self.builder.runtime(rt, operands);
        let ret = self.cx.ty(ret);
        match ret.get() {
            mty::TyKind::Void => result,
            _ => self.builder.cast(result, rt.ret(), ret),
        }
    }

    fn last_byte(&mut self, text: ExprId) -> Operand {
        let text = self.value(text);
        let len = self.builder.len(text.clone());
        let last = self.builder.binary(BinOp::Sub, word(), len, number(1));
        let last = self.builder.cast(last, word(), mty::TyKind::signed(64));
        self.builder.runtime(Rt::StrAt, vec![text, last])
    }

    fn slice_string(&mut self, args: &[ExprId]) -> Operand {
        let mut operands = self.operands(args);
        for (operand, arg) in operands.iter_mut().zip(args).skip(1) {
            let ty = self.ty_of(*arg);
            *operand = self.builder.cast(operand.clone(), ty, mty::TyKind::signed(64));
        }
        // A missing end is the length; larger bounds are clamped to it.
        operands.resize(3, signed(i64::MAX));
        self.builder.runtime(Rt::StrSlice, operands)
    }

    fn elem(&mut self, expr: ExprId) -> Ty {
        match types::underlying(self.hir_ty(expr)).get() {
            TyKind::Slice(elem) | TyKind::Array(elem, _) => *elem,
            _ => TyKind::Error.intern(),
        }
    }

    fn elements(&mut self, expr: ExprId) -> Elements {
        let elem = self.elem(expr);
        if let TyKind::Array(_, len) = types::underlying(self.hir_ty(expr)).get() {
            let place = self.place(expr);
            let first = place.project(Projection::Index(number(0)));
            let data = self.builder.compute(pointer(), Rvalue::AddrOf(first));
            return Elements { elem, len: number(*len), data };
        }
        let slice = self.value(expr);
        let len = self.builder.variable(word(), "".into());
        let data = self.builder.variable(pointer(), "".into());
        self.builder.store(len, number(0));
        self.builder.store(data, Operand::constant(pointer(), ConstValue::Zero));
        self.unless_null(slice, |this, slice| {
            for (field, local) in [(0, data), (1, len)] {
                let place = this.builder.slice_field(slice.clone(), field);
                this.builder.store(local, Operand::copy(place));
            }
        });
        let len = self.builder.stable(Operand::copy(len), word());
        let data = self.builder.stable(Operand::copy(data), pointer());
        Elements { elem, len, data }
    }

    fn unless_null(&mut self, slice: Operand, then: impl FnOnce(&mut Self, Operand)) {
        let [good, after] = std::array::from_fn(|_| self.builder.block());
        let null = self.builder.is_null(slice.clone(), mty::TyKind::Slice.intern());
        self.builder.branch(null, after, good);
        self.builder.at(good);
        then(self, slice);
        self.builder.goto(after);
        self.builder.at(after);
    }

    /// The length of an array, slice or string.
    fn len(&mut self, list: ExprId, ret: Ty) -> Operand {
        let len = match types::underlying(self.hir_ty(list)).get() {
            TyKind::Array(_, len) => {
                self.discard(list);
                number(*len)
            }
            _ => {
                let list = self.operand(list);
                self.builder.len(list)
            }
        };
        let ret = self.cx.ty(ret);
        self.builder.cast(len, word(), ret)
    }

    fn capacity(&mut self, slice: ExprId, ret: Ty) -> Operand {
        let slice = self.value(slice);
        let capacity = self.builder.capacity(slice);
        let ret = self.cx.ty(ret);
        self.builder.cast(capacity, word(), ret)
    }

    fn push(&mut self, slice: ExprId, value: ExprId) -> Operand {
        let elem = self.elem(slice);
        let address = if self.cx.writes(value) {
            // Evaluating the value may move what the slice is in: hold on to the handle.
            self.handle(slice, elem)
        } else {
            self.address_of(slice)
        };
        let value = self.pushed(value);
        let (size, glue) = (self.size(elem), self.glue(elem));
        let place = self.builder.runtime(Rt::SlicePush, vec![address, size, glue]);
        let lowered = self.cx.ty(elem);
        let place = self.builder.deref(place, lowered);
        self.builder.count(CountOp::Forget, place.clone());
        self.builder.store(place, value);
        truth(false)
    }

    /// What is pushed. If it is read through a pointer, it is read before elements move.
    fn pushed(&mut self, value: ExprId) -> Operand {
        let ty = self.ty_of(value);
        let operand = self.operand(value);
        let through = |step: &Projection| matches!(step, Projection::Deref(_));
        match &operand {
            Operand::Copy(place) if place.projections.iter().any(through) => {
                self.builder.stable(operand, ty)
            }
            _ => operand,
        }
    }

    /// The address of a copy of a slice's handle, which is not null.
    fn handle(&mut self, slice: ExprId, elem: Ty) -> Operand {
        let ty = mty::TyKind::Slice.intern();
        let address = self.address_of(slice);
        let place = self.builder.deref(address, ty);
        let [null, after] = std::array::from_fn(|_| self.builder.block());
        let is_null = self.builder.is_null(Operand::copy(place.clone()), ty);
        self.builder.branch(is_null, null, after);
        self.builder.at(null);
        let fresh = self.new_slice(elem, 0, 4);
        self.builder.store(place.clone(), fresh);
        self.builder.goto(after);
        self.builder.at(after);
        let copy = self.builder.variable(ty, "".into());
        self.builder.store(copy, Operand::copy(place));
        self.builder.address(copy.into())
    }

    fn pop(&mut self, slice: ExprId, ret: Ty) -> Operand {
        let elem = self.elem(slice);
        let slice = self.value(slice);
        let count = self.builder.len(slice.clone());
        self.element_or_zero(elem, ret, count.clone(), true, |this| {
            let last = this.builder.binary(BinOp::Sub, word(), count, number(1));
            let len = this.builder.slice_field(slice.clone(), 1);
            this.builder.store(len, last.clone());
            this.slice_element(slice, elem, last)
        })
    }

    /// The element at the place that `place` computes, or its zero value if `count` is 0. If it is
    /// taken, the place has no value any more.
    fn element_or_zero(
        &mut self,
        elem: Ty,
        ret: Ty,
        count: Operand,
        take: bool,
        place: impl FnOnce(&mut Self) -> Place,
    ) -> Operand {
        let lowered = self.cx.ty(elem);
        let result = self.builder.temp(lowered);
        let [some, none, after] = std::array::from_fn(|_| self.builder.block());
        let any = self.builder.binary(BinOp::Ne, word(), count, number(0));
        self.builder.branch(any, some, none);
        self.builder.at(none);
        self.zero(result.into(), elem);
        self.builder.goto(after);
        self.builder.at(some);
        let place = place(self);
        self.builder.store(result, Operand::copy(place.clone()));
        if take {
            self.release(elem, place);
        }
        self.builder.goto(after);
        self.builder.at(after);
        let ret = self.cx.ty(ret);
        self.builder.cast(Operand::copy(result), lowered, ret)
    }

    fn end_element(&mut self, list: ExprId, ret: Ty, last: bool) -> Operand {
        let Elements { elem, len, data } = self.elements(list);
        self.element_or_zero(elem, ret, len.clone(), false, |this| {
            let lowered = this.cx.ty(elem);
            let mut index = signed(0);
            if last {
                let last = this.builder.binary(BinOp::Sub, word(), len, number(1));
                index = this.builder.cast(last, word(), mty::TyKind::signed(64));
            }
            let element = Rvalue::PtrOffset(data, index, lowered);
            let element = this.builder.compute(pointer(), element);
            this.builder.deref(element, lowered)
        })
    }

    fn remove(&mut self, slice: ExprId, index: ExprId) -> Operand {
        let elem = self.elem(slice);
        let slice = self.value(slice);
        let index = self.signed_index(index);
        let size = self.size(elem);
        self.unless_null(slice, |this, slice| {
            this.release_at(slice.clone(), elem, index.clone());
            this.builder.runtime(Rt::SliceRemove, vec![slice, size, index]);
        });
        truth(false)
    }

    /// The references in a place go away with its value.
    fn release(&mut self, ty: Ty, place: Place) {
        let lowered = self.cx.ty(ty);
        if is_counted(lowered) {
            self.builder.count(CountOp::Release, place);
        }
    }

    /// The same; and what is there afterwards is zero, since whoever owns the place releases it too.
    fn vacate(&mut self, ty: Ty, place: Place) {
        let lowered = self.cx.ty(ty);
        if is_counted(lowered) {
            self.builder.count(CountOp::Release, place.clone());
            self.builder.count(CountOp::Forget, place.clone());
            self.builder.store(place, Operand::constant(lowered, ConstValue::Zero));
        }
    }

    /// Releases an element of a slice that is not null, if there is one at the index.
    fn release_at(&mut self, slice: Operand, elem: Ty, index: Operand) {
        let lowered = self.cx.ty(elem);
        if !is_counted(lowered) {
            return;
        }
        let len = Operand::copy(self.builder.slice_field(slice.clone(), 1));
        let index = self.builder.cast(index, mty::TyKind::signed(64), word());
        let inside = self.builder.binary(BinOp::Lt, word(), index.clone(), len);
        let [release, after] = std::array::from_fn(|_| self.builder.block());
        self.builder.branch(inside, release, after);
        self.builder.at(release);
        let place = self.slice_element(slice, elem, index);
        self.release(elem, place);
        self.builder.goto(after);
        self.builder.at(after);
    }

    fn clear(&mut self, slice: ExprId) -> Operand {
        let elem = self.elem(slice);
        let lowered = self.cx.ty(elem);
        let slice = self.value(slice);
        self.unless_null(slice, |this, slice| {
            if is_counted(lowered) {
                this.each_element(slice.clone(), lowered, CountOp::Release);
            }
            let len = this.builder.slice_field(slice, 1);
            this.builder.store(len, number(0));
        });
        truth(false)
    }

    /// Counts the references in all elements of a slice that is not null.
    fn each_element(&mut self, slice: Operand, elem: mty::Ty, op: CountOp) {
        let len = Operand::copy(self.builder.slice_field(slice.clone(), 1));
        let len = self.builder.stable(len, word());
        let data = Operand::copy(self.builder.slice_field(slice, 0));
        let data = self.builder.stable(data, pointer());
        self.builder.count_up(len, |builder, index| {
            let index = builder.cast(index, word(), mty::TyKind::signed(64));
            let element = builder.compute(pointer(), Rvalue::PtrOffset(data, index, elem));
            let place = builder.deref(element, elem);
            builder.count(op, place);
        });
    }

    fn sub_slice(&mut self, args: &[ExprId]) -> Operand {
        let Elements { elem, len, data } = self.elements(args[0]);
        let size = self.size(elem);
        let bounds: Vec<Operand> = args[1..].iter().map(|arg| self.signed_index(*arg)).collect();
        let mut operands = vec![data.clone(), len, size];
        operands.extend(bounds);
        // A missing end is the length; larger bounds are clamped to it.
        operands.resize(5, signed(i64::MAX));
        operands.push(self.glue(elem));
        let slice = self.builder.runtime(Rt::SliceSub, operands);
        let lowered = self.cx.ty(elem);
        if is_counted(lowered) {
            self.each_element(slice.clone(), lowered, CountOp::Retain);
            // Until here the elements belong to the slice that they were copied from: it is still needed.
            self.builder.compute(pointer(), Rvalue::Use(data));
        }
        slice
    }

    /// Intrinsics of the bundled library.
    fn intrinsic(&mut self, name: Name, of: Option<Ty>, args: &[ExprId], ret: Ty) -> Operand {
        if let Some(ty) = of {
            return self.on_place(name, ty, args);
        }
        match name.as_str() {
            "__string__" => self.runtime(Rt::StrFromBytes, args, ret),
            "__eprint__" => self.runtime(Rt::Eprint, args, ret),
            "__panic__" => self.runtime(Rt::Panic, args, ret),
            "__alloc__" => self.runtime(Rt::Malloc, args, ret),
            _ => {
                self.operands(args);
                Operand::constant(self.cx.ty(ret), ConstValue::Zero)
            }
        }
    }
    /// What containers do with the places of their elements. The first argument points to one.
    fn on_place(&mut self, name: Name, ty: Ty, args: &[ExprId]) -> Operand {
        let lowered = self.cx.ty(ty);
        let operands = self.operands(args);
        let place = self.builder.deref(operands[0].clone(), lowered);
        match name.as_str() {
            // The value that was there is not destroyed: there was none.
            "__write__" => {
                self.builder.count(CountOp::Forget, place.clone());
                self.builder.store(place, operands[1].clone());
            }
            // The place has no value any more.
            "__take__" => {
                let value = self.builder.temp(lowered);
                self.builder.store(value, Operand::copy(place.clone()));
                self.vacate(ty, place);
                return Operand::copy(value);
            }
            _ => {
                self.drop_place(place.clone(), ty);
                self.vacate(ty, place);
            }
        }
        truth(false)
    }
}
