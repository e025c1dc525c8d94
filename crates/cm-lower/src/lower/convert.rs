//! Conversions.

use super::Lower;
use crate::{
    builder::{number, pointer},
    item::ty_symbol,
    types,
};
use cm_hir::{
    thir::{Conversion, ExprId, Instance},
    ty::{Ty, TyKind},
};
use cm_mir::{
    mir::{BinOp, Const, ConstValue, CountOp, GlobalDecl, GlobalRef, Operand, Projection, Rvalue},
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

    fn interface_value(
        &mut self,
        value: ExprId,
        to: Ty,
        borrow: bool,
        methods: &[Instance],
    ) -> Operand {
        let borrow = borrow && self.is_place(value);
        let table = self.method_table(self.hir_ty(value), to, borrow, methods);
        let object = if borrow {
            self.address_of(value)
        } else {
            let ty = self.hir_ty(value);
            let operand = self.operand(value);
            let lowered = self.cx.ty(ty);
            let operand = self.builder.stable(operand, lowered);
            let size = self.size(ty);
            let glue = self.glue(ty);
            let object = self.builder.runtime(Rt::Alloc, vec![size, glue]);
            let place = self.builder.deref(object.clone(), lowered);
            self.builder.count(CountOp::Forget, place.clone());
            self.builder.store(place, operand);
            object
        };
        let ty = self.cx.ty(to);
        self.builder.compute(ty, Rvalue::Iface(object, table))
    }

    /// The table of the code addresses of the methods, one for each type, interface, way of holding the
    /// object, and function that converts: nothing compares them. Before the methods stands the glue
    /// of the object, or null if it is borrowed.
    fn method_table(
        &mut self,
        ty: Ty,
        interface: Ty,
        borrow: bool,
        methods: &[Instance],
    ) -> GlobalRef {
        if let Some(table) = self.cx.tables.get(&(ty, interface, borrow)) {
            return *table;
        }
        let (way, lowered) = (if borrow { "&" } else { "" }, self.cx.ty(ty));
        let types = format!("{way}{} as {}", ty_symbol(ty), ty_symbol(interface));
        let name = format!("{}{{{types}}}", self.cx.symbol);
        let array = mty::TyKind::Array(pointer(), 1 + methods.len() as u64).intern();
        let symbol = name.as_str().into();
        let decl = GlobalRef::new(GlobalDecl { symbol, ty: array });
        let code = methods.iter().map(|method| {
            let value = self.cx.decl(method).map_or(ConstValue::Zero, ConstValue::Code);
            Const { ty: pointer(), value }
        });
        let glue = if borrow { ConstValue::Zero } else { ConstValue::Glue(lowered) };
        let entries = std::iter::once(Const { ty: pointer(), value: glue }).chain(code);
        let init = Const { ty: array, value: ConstValue::Aggregate(entries.collect()) };
        self.cx.global(symbol, init, true);
        self.cx.tables.insert((ty, interface, borrow), decl);
        decl
    }
}
