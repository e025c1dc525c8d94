//! `==` of arrays, slices and payload enums: a function for each type that is reached.

use super::{Cx, Lower, guard};
use crate::{
    builder::{Builder, boolean, number, pointer, truth, word},
    types,
};
use cm_hir::{
    enum_type,
    thir::{ConstValue, ExprId, ExprKind, Instance},
    ty::{Ty, TyKind},
};
use cm_mir::{
    mir::{self, Abi, BinOp, Decl, FnDecl, Operand, Place, Projection, RESULT, Rvalue, Terminator},
    runtime::Rt,
    ty as mty,
};
use cm_syntax::ast::BinaryOp;

/// `==` of struct types.
type Equalities = [(Ty, Instance)];

impl Lower<'_, '_> {
    /// Compares values that are no scalars, or the tags of two enum values.
    pub(super) fn compare_deep(
        &mut self,
        op: BinaryOp,
        (left, right): (ExprId, ExprId),
        tags: bool,
        eqs: &Equalities,
    ) -> Operand {
        let ty = types::underlying(self.hir_ty(left));
        let equal = if tags {
            let (left, right) = (self.tag(left), self.tag(right));
            self.builder.binary(BinOp::Eq, mty::TyKind::unsigned(32), left, right)
        } else {
            let (left, right) = self.compared(left, right);
            self.cx.equal(&mut self.builder, ty, left, right, eqs)
        };
        self.equality(op, equal)
    }

    /// The tag of an enum value.
    fn tag(&mut self, value: ExprId) -> Operand {
        let ty = mty::TyKind::unsigned(32);
        match self.kind(value) {
            ExprKind::Const(ConstValue::Tag(tag)) | ExprKind::Variant(tag, None) => {
                Operand::constant(ty, mir::ConstValue::Int(u64::from(*tag)))
            }
            ExprKind::Const(ConstValue::Variant(variant)) => {
                Operand::constant(ty, mir::ConstValue::Int(u64::from(variant.0)))
            }
            _ => {
                let place = self.place(value);
                self.builder.compute(ty, Rvalue::Tag(place))
            }
        }
    }

    /// Where the two values are. The left one is copied if evaluating the right one may change it.
    fn compared(&mut self, left: ExprId, right: ExprId) -> (Place, Place) {
        let left = if self.cx.writes(right) {
            let ty = self.ty_of(left);
            let left = self.value(left);
            self.builder.place_of(left, ty)
        } else {
            self.place(left)
        };
        (left, self.place(right))
    }
}

impl Cx<'_> {
    /// Whether two values of a type are equal.
    fn equal(
        &mut self,
        builder: &mut Builder,
        ty: Ty,
        left: Place,
        right: Place,
        eqs: &Equalities,
    ) -> Operand {
        let lowered = self.ty(ty);
        if let mty::TyKind::Str = lowered.get() {
            let operands = vec![Operand::copy(left), Operand::copy(right)];
            return builder.runtime(Rt::StrEq, operands);
        }
        let is_slice = matches!(lowered.get(), mty::TyKind::Slice);
        if lowered.is_scalar() && !is_slice {
            return builder.binary(BinOp::Eq, lowered, Operand::copy(left), Operand::copy(right));
        }
        let result = builder.temp(boolean());
        if let Some((_, method)) = eqs.iter().find(|(known, _)| *known == ty)
            && let Some(decl) = self.decl(method)
        {
            let address = builder.address(left);
            let by_address = decl.params.get(1).is_some_and(|param| *param == pointer());
            let right = if by_address { builder.address(right) } else { Operand::copy(right) };
            builder.call(decl, vec![address, right], Some(result.into()));
            return Operand::copy(result);
        }
        let decl = self.equality_function(ty, eqs);
        let operands = vec![builder.address(left), builder.address(right)];
        builder.call(decl, operands, Some(result.into()));
        Operand::copy(result)
    }

    /// The function that compares two values of an array, slice or enum type, given by address.
    fn equality_function(&mut self, ty: Ty, eqs: &Equalities) -> Decl {
        if let Some(decl) = self.equalities.get(&ty) {
            return *decl;
        }
        let decl = Decl::new(FnDecl {
            symbol: self.part(),
            params: vec![pointer(), pointer()],
            ret: boolean(),
            abi: Abi::Cm,
        });
        self.equalities.insert(ty, decl);
        let mut builder = Builder::new(boolean());
        let lowered = self.ty(ty);
        let [left, right] = ["left", "right"].map(|name| {
            Place::from(builder.variable(pointer(), name.into()))
                .project(Projection::Deref(lowered))
        });
        guard(|| match ty.get() {
            TyKind::Array(elem, len) => {
                let [left, right] = [left, right].map(|array| {
                    let first = array.project(Projection::Index(number(0)));
                    builder.compute(pointer(), Rvalue::AddrOf(first))
                });
                self.equal_elements(&mut builder, *elem, number(*len), (left, right), eqs);
            }
            TyKind::Slice(elem) => {
                self.equal_slices(&mut builder, *elem, left, right, eqs);
            }
            _ => self.equal_payloads(&mut builder, ty, left, right, eqs),
        });
        builder.store(RESULT, truth(true));
        self.functions.push(builder.finish(decl, None));
        decl
    }

    fn equal_slices(
        &mut self,
        builder: &mut Builder,
        elem: Ty,
        left: Place,
        right: Place,
        eqs: &Equalities,
    ) {
        let slice = mty::TyKind::Slice.intern();
        let left = builder.stable(Operand::copy(left), slice);
        let right = builder.stable(Operand::copy(right), slice);
        let len = builder.len(left.clone());
        let other = builder.len(right.clone());
        let same = builder.binary(BinOp::Eq, word(), len.clone(), other);
        require(builder, same);
        // A null slice has no data, and nothing to compare.
        let any = builder.binary(BinOp::Ne, word(), len.clone(), number(0));
        let [some, none] = std::array::from_fn(|_| builder.block());
        builder.branch(any, some, none);
        builder.at(none);
        builder.store(RESULT, truth(true));
        builder.end(Terminator::Return);
        builder.at(some);
        let data = [left, right].map(|slice| {
            let data = builder.slice_field(slice, 0);
            builder.stable(Operand::copy(data), pointer())
        });
        let [left, right] = data;
        self.equal_elements(builder, elem, len, (left, right), eqs);
    }

    fn equal_elements(
        &mut self,
        builder: &mut Builder,
        elem: Ty,
        len: Operand,
        (left, right): (Operand, Operand),
        eqs: &Equalities,
    ) {
        let lowered = self.ty(elem);
        builder.count_up(len, |builder, index| {
            let index = builder.cast(index, word(), mty::TyKind::signed(64));
            let [left, right] = [left, right].map(|data| {
                let element = Rvalue::PtrOffset(data, index.clone(), lowered);
                let element = builder.compute(pointer(), element);
                builder.deref(element, lowered)
            });
            let equal = self.equal(builder, elem, left, right, eqs);
            require(builder, equal);
        });
    }

    fn equal_payloads(
        &mut self,
        builder: &mut Builder,
        ty: Ty,
        left: Place,
        right: Place,
        eqs: &Equalities,
    ) {
        let tag_ty = mty::TyKind::unsigned(32);
        let tag = builder.compute(tag_ty, Rvalue::Tag(left.clone()));
        let other = builder.compute(tag_ty, Rvalue::Tag(right.clone()));
        let same = builder.binary(BinOp::Eq, tag_ty, tag.clone(), other);
        require(builder, same);
        let payloads: Vec<(u32, Ty)> = match ty.get() {
            TyKind::Enum(..) => enum_type(self.db, ty).as_deref().map_or(Vec::new(), |def| {
                let with_tag = def.variants.iter().zip(0..);
                with_tag.filter_map(|((_, _, ty), tag)| Some((tag, (*ty)?))).collect()
            }),
            TyKind::Union(members) => (0..members.len() as u32)
                .filter(|index| *members[*index as usize].get() != TyKind::Null)
                .map(|index| (types::union_tag(members, index), members[index as usize]))
                .collect(),
            _ => Vec::new(),
        };
        let after = builder.block();
        let cases: Vec<_> =
            payloads.iter().map(|(tag, _)| (u64::from(*tag), builder.block())).collect();
        let targets: Vec<_> = cases.iter().map(|(_, block)| *block).collect();
        builder.end(Terminator::Switch { value: tag, cases, default: after });
        for ((tag, ty), target) in payloads.into_iter().zip(targets) {
            builder.at(target);
            let [left, right] =
                [&left, &right].map(|v| v.clone().project(Projection::Variant(tag)));
            let equal = self.equal(builder, ty, left, right, eqs);
            require(builder, equal);
            builder.goto(after);
        }
        builder.at(after);
    }
}

/// Returns false unless `cond` holds.
fn require(builder: &mut Builder, cond: Operand) {
    let [good, bad] = std::array::from_fn(|_| builder.block());
    builder.branch(cond, good, bad);
    builder.at(bad);
    builder.store(RESULT, truth(false));
    builder.end(Terminator::Return);
    builder.at(good);
}
