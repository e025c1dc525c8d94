//! Places and assignments.

use super::{Lower, guard};
use crate::{
    builder::{constant_int, number, pointer, word},
    types,
};
use cm_hir::{
    thir::{Conversion, ExprId, ExprKind, LocalId},
    ty::{Ty, TyKind},
};
use cm_mir::{
    mir::{self, BinOp, ConstValue, Operand, Place, Projection, Rvalue},
    ty::{self as mty},
};

const OUT_OF_BOUNDS: &str = "index out of bounds";

impl Lower<'_, '_> {
    /// The expression denotes a memory location.
    pub(super) fn is_place(&self, mut expr: ExprId) -> bool {
        loop {
            match self.kind(expr) {
                ExprKind::Local(_) | ExprKind::Global(_) | ExprKind::Deref(_) => return true,
                ExprKind::Field(base, _) => expr = *base,
                ExprKind::Index(base, _) => match types::underlying(self.hir_ty(*base)).get() {
                    TyKind::Array(..) => expr = *base,
                    _ => return true,
                },
                _ => return false,
            }
        }
    }

    /// Where the expression's value is: its own place, or a temporary that it is put into.
    pub(super) fn place(&mut self, expr: ExprId) -> Place {
        match self.kind(expr) {
            ExprKind::Local(local) => self.local(*local),
            _ => guard(|| self.place_inner(expr)),
        }
    }

    fn place_inner(&mut self, expr: ExprId) -> Place {
        match self.kind(expr) {
            ExprKind::Global(def) => {
                let decl = crate::item::global_ref(self.cx.db, *def, self.hir_ty(expr));
                self.cx.refs.insert(crate::Item::Global(*def));
                Place { base: mir::Base::Global(decl), projections: Default::default() }
            }
            ExprKind::Deref(pointer) => {
                let ty = self.ty_of(expr);
                let pointer = self.operand(*pointer);
                self.builder.deref(pointer, ty)
            }
            ExprKind::Field(base, field) => self.place(*base).project(Projection::Field(*field)),
            ExprKind::Index(base, index) => self.element(*base, *index),
            ExprKind::Const(value) if !types::zero_has_slices(self.cx.db, self.hir_ty(expr)) => {
                let init = self.cx.constant(self.hir_ty(expr), value);
                let symbol = self.cx.part();
                self.cx.global(symbol, init, true)
            }
            _ => {
                let ty = self.ty_of(expr);
                let temp = self.builder.temp(ty);
                self.into(temp.into(), expr);
                temp.into()
            }
        }
    }

    /// The address of where the expression's value is, stable.
    pub(super) fn address_of(&mut self, expr: ExprId) -> Operand {
        let place = self.place(expr);
        let address = self.builder.address(place);
        self.builder.stable(address, pointer())
    }

    /// The place in a form that later writes do not change.
    fn pin(&mut self, place: Place, ty: mty::Ty) -> Place {
        if !place.projections.iter().any(|step| matches!(step, Projection::Deref(_))) {
            return place;
        }
        let address = self.builder.address(place);
        let address = self.builder.stable(address, pointer());
        self.builder.deref(address, ty)
    }

    fn element(&mut self, base: ExprId, index: ExprId) -> Place {
        let ty = types::underlying(self.hir_ty(base));
        let writes = self.cx.writes(index);
        match ty.get() {
            TyKind::Array(_, len) => {
                let mut array = self.place(base);
                if writes {
                    let ty = self.cx.ty(ty);
                    array = self.pin(array, ty);
                }
                let index = self.index(index);
                let index = self.in_bounds(index, number(*len));
                array.project(Projection::Index(index))
            }
            TyKind::Slice(elem) => {
                let elem = *elem;
                let slice = self.value(base);
                let index = self.index(index);
                let len = self.builder.len(slice.clone());
                let index = self.in_bounds(index, len);
                self.slice_element(slice, elem, index)
            }
            TyKind::Pointer { to, .. } => {
                let to = self.cx.ty(*to);
                let base = if writes { self.value(base) } else { self.operand(base) };
                let index = self.signed_index(index);
                let element = self.builder.compute(pointer(), Rvalue::PtrOffset(base, index, to));
                self.builder.deref(element, to)
            }
            TyKind::CStr => {
                let base = if writes { self.value(base) } else { self.operand(base) };
                let (index, byte) = (self.signed_index(index), mty::TyKind::unsigned(8));
                let element = Rvalue::PtrOffset(base, index, byte);
                let element = self.builder.compute(pointer(), element);
                self.builder.deref(element, byte)
            }
            _ => self.place(base),
        }
    }

    /// An element of a slice that is not null, at a `word` known to be in range.
    pub(super) fn slice_element(&mut self, slice: Operand, elem: Ty, index: Operand) -> Place {
        let elem = self.cx.ty(elem);
        let data = Operand::copy(self.builder.slice_field(slice, 0));
        let index = self.builder.cast(index, word(), mty::TyKind::signed(64));
        let element = self.builder.compute(pointer(), Rvalue::PtrOffset(data, index, elem));
        self.builder.deref(element, elem)
    }

    /// An index as a `word`: negative ones become huge. Stable.
    fn index(&mut self, expr: ExprId) -> Operand {
        let ty = self.ty_of(expr);
        let operand = self.operand(expr);
        if let (Operand::Const(constant), mty::TyKind::Int { bits, signed }) = (&operand, ty.get())
            && let ConstValue::Int(value) = constant.value
        {
            let shift = 64 - u32::from(*bits);
            let extended = if *signed { ((value << shift) as i64 >> shift) as u64 } else { value };
            return number(extended);
        }
        let operand = self.builder.cast(operand, ty, word());
        self.builder.stable(operand, word())
    }

    /// An index as a signed 64-bit integer. Stable.
    pub(super) fn signed_index(&mut self, expr: ExprId) -> Operand {
        let (ty, to) = (self.ty_of(expr), mty::TyKind::signed(64));
        let operand = self.operand(expr);
        let operand = self.builder.cast(operand, ty, to);
        self.builder.stable(operand, to)
    }

    fn in_bounds(&mut self, index: Operand, len: Operand) -> Operand {
        if let (Some(index), Some(len)) = (constant_int(&index), constant_int(&len))
            && index < len
        {
            return number(index);
        }
        let fine = self.builder.binary(BinOp::Lt, word(), index.clone(), len);
        self.builder.check(fine, OUT_OF_BOUNDS);
        index
    }

    /// Finding the place reads nothing that could change, so it may be done before its turn.
    fn is_fixed(&self, mut place: ExprId) -> bool {
        loop {
            match self.kind(place) {
                ExprKind::Local(_) | ExprKind::Global(_) => return true,
                ExprKind::Field(base, _) => place = *base,
                _ => return false,
            }
        }
    }

    /// `place = value`; the stored value.
    pub(super) fn assign(&mut self, place: ExprId, value: ExprId) -> Operand {
        if let ExprKind::Convert(Conversion::ToDefault(field), value) = self.kind(value) {
            let value = self.value(*value);
            let place = self.place(place);
            self.builder.store(place.clone().project(Projection::Field(*field)), value);
            return Operand::copy(place);
        }
        if self.ty_of(place).is_scalar() && self.is_fixed(place) {
            // A scalar is written in one step, after all that is read for it.
            let place = self.place(place);
            self.into(place.clone(), value);
            return Operand::copy(place);
        }
        let value = if self.cx.writes(place) { self.value(value) } else { self.operand(value) };
        let place = self.place(place);
        self.builder.store(place, value.clone());
        value
    }

    /// `place op= value`; the stored value.
    pub(super) fn assign_op(
        &mut self,
        place: ExprId,
        value: ExprId,
        (old, operand): (LocalId, LocalId),
        result: ExprId,
    ) -> Operand {
        let ty = self.ty_of(place);
        let pure = !self.cx.writes(result);
        if pure && !self.cx.writes(place) && self.is_place(value) {
            let value = self.place(value);
            self.cx.vars[operand.0 as usize] = Some(value);
        } else {
            let operand = self.declare(operand);
            self.into(operand, value);
        }
        let target = self.place(place);
        if pure && ty.is_scalar() {
            self.cx.vars[old.0 as usize] = Some(target.clone());
            self.into(target.clone(), result);
            return Operand::copy(target);
        }
        let target = self.pin(target, ty);
        let old = self.declare(old);
        self.builder.store(old, Operand::copy(target.clone()));
        let result = self.value(result);
        self.builder.store(target, result.clone());
        result
    }

    /// `++` and `--`; the old or the new value.
    pub(super) fn inc_dec(&mut self, expr: ExprId, decrement: bool, postfix: bool) -> Operand {
        let ty = self.ty_of(expr);
        let place = self.place(expr);
        let old = self.builder.compute(ty, Rvalue::Use(Operand::copy(place.clone())));
        let new = self.next(expr, old.clone(), decrement);
        let new = self.builder.compute(ty, new);
        self.builder.store(place, new.clone());
        if postfix { old } else { new }
    }

    /// `++` and `--` for their effect.
    pub(super) fn step(&mut self, expr: ExprId, decrement: bool) {
        let place = self.place(expr);
        let new = self.next(expr, Operand::copy(place.clone()), decrement);
        self.builder.assign(place, new);
    }

    /// The number or pointer that follows `old`, a value of the expression's type.
    fn next(&mut self, expr: ExprId, old: Operand, decrement: bool) -> Rvalue {
        let ty = self.ty_of(expr);
        let op = if decrement { BinOp::Sub } else { BinOp::Add };
        if let TyKind::Pointer { to, .. } = types::underlying(self.hir_ty(expr)).get() {
            let step = crate::builder::signed(if decrement { -1 } else { 1 });
            return Rvalue::PtrOffset(old, step, self.cx.ty(*to));
        }
        let one = match ty.get() {
            mty::TyKind::F32 => ConstValue::Float(u64::from(1f32.to_bits())),
            mty::TyKind::F64 => ConstValue::Float(1f64.to_bits()),
            _ => ConstValue::Int(1),
        };
        Rvalue::Binary(op, old, Operand::constant(ty, one))
    }
}
