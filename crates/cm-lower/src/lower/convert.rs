//! Conversions.

use super::Lower;
use crate::{
    builder::{number, pointer},
    types,
};
use cm_hir::{
    thir::{Conversion, ExprId},
    ty::{Ty, TyKind},
};
use cm_mir::{
    mir::{BinOp, ConstValue, CountOp, Operand, Projection, Rvalue},
    runtime::Rt,
    ty as mty,
};

impl Lower<'_, '_> {
    /// A conversion of `value` to `to`.
    pub(super) fn convert(&mut self, conversion: &Conversion, value: ExprId, to: Ty) -> Operand {
        let (source, target) = (self.ty_of(value), self.cx.ty(to));
        match conversion {
            Conversion::Identity | Conversion::Numeric | Conversion::Address => {
                let operand = self.operand(value);
                self.reinterpret(operand, source, target)
            }
            Conversion::StrFromC => {
                let operand = self.operand(value);
                let address = self.reinterpret(operand, source, pointer());
                self.builder.runtime(Rt::StrFromC, vec![address])
            }
            Conversion::Null => {
                self.discard(value);
                Operand::constant(target, ConstValue::Zero)
            }
            Conversion::ArrayToPointer => {
                let place = self.place(value).project(Projection::Index(number(0)));
                self.builder.address(place)
            }
            Conversion::ArrayToSlice => self.array_to_slice(value),
            Conversion::ToUnion(member) => {
                let TyKind::Union(members) = types::underlying(to).get() else {
                    return self.operand(value);
                };
                let is_null = *members[*member as usize].get() == TyKind::Null;
                let payload = self.operand(value);
                let tag = types::union_tag(members, *member);
                let payload = (!is_null).then_some(payload);
                self.builder.compute(target, Rvalue::Tagged(target, tag, payload))
            }
            Conversion::FromUnion(member) => self.extract(value, *member),
            Conversion::ToInterface { borrow, methods } => {
                self.interface_value(value, to, *borrow, methods)
            }
            Conversion::ToDefault(field) => {
                let temp = self.builder.temp(target);
                self.struct_into(temp.into(), to, &[(*field, value)]);
                Operand::copy(temp)
            }
            Conversion::FromDefault(field) => {
                Operand::copy(self.place(value).project(Projection::Field(*field)))
            }
        }
    }

    /// A scalar as a value of another type of scalars.
    fn reinterpret(&mut self, operand: Operand, source: mty::Ty, target: mty::Ty) -> Operand {
        if source == target {
            return operand;
        }
        match source.get() {
            mty::TyKind::Str => {
                let bytes = self.bytes(operand);
                self.builder.cast(bytes, pointer(), target)
            }
            mty::TyKind::Func => {
                let code = self.code(operand);
                self.builder.cast(code, pointer(), target)
            }
            _ => self.builder.cast(operand, source, target),
        }
    }

    fn array_to_slice(&mut self, value: ExprId) -> Operand {
        let TyKind::Array(elem, len) = types::underlying(self.hir_ty(value)).get() else {
            return self.operand(value);
        };
        let operand = self.operand(value);
        let slice = self.new_slice(*elem, *len, *len);
        let elements = self.slice_elements(slice.clone(), *elem, *len);
        self.builder.count(CountOp::Forget, elements.clone());
        self.builder.store(elements, operand);
        slice
    }

    fn extract(&mut self, value: ExprId, member: u32) -> Operand {
        let TyKind::Union(members) = types::underlying(self.hir_ty(value)).get() else {
            return self.operand(value);
        };
        let tag = types::union_tag(members, member);
        let place = self.place(value);
        let tag_ty = mty::TyKind::unsigned(32);
        let actual = self.builder.compute(tag_ty, Rvalue::Tag(place.clone()));
        let expected = Operand::constant(tag_ty, ConstValue::Int(u64::from(tag)));
        let fine = self.builder.binary(BinOp::Eq, tag_ty, actual, expected);
        self.builder.check(fine, "the union holds a value of another type");
        if *members[member as usize].get() == TyKind::Null {
            return Operand::constant(pointer(), ConstValue::Zero);
        }
        Operand::copy(place.project(Projection::Variant(tag)))
    }
}
