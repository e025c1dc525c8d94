//! Expressions as operands, as values in memory, and for their effect alone.

use super::{Lower, guard};
use crate::{builder::truth, consts, types};
use cm_hir::{
    thir::{Builtin, Conversion, ExprId, ExprKind, TemplatePart},
    ty::{Ty, TyKind},
};
use cm_mir::{
    mir::{self, Operand, Place, Projection, Rvalue},
    ty as mty,
};
use cm_syntax::ast::UnaryOp;

/// Evaluating the expression may write to memory that other expressions read. `child` answers
/// for its parts.
pub(super) fn writes(kind: &ExprKind, child: &mut dyn FnMut(ExprId) -> bool) -> bool {
    use ExprKind as E;
    match kind {
        E::Error | E::Const(_) | E::Local(_) | E::Global(_) | E::Function(_) => false,
        E::Lambda(_) | E::Move(_) => false,
        E::Unary(_, a) | E::Field(a, _) | E::Deref(a) | E::AddrOf(a) | E::Convert(_, a) => {
            child(*a)
        }
        E::Binary(_, a, b)
        | E::CompareMixed(_, a, b)
        | E::CompareStr(_, a, b)
        | E::PointerOffset { pointer: a, offset: b, .. }
        | E::PointerDiff(a, b)
        | E::And(a, b)
        | E::Or(a, b)
        | E::Index(a, b) => child(*a) || child(*b),
        E::Ternary(a, b, c) => child(*a) || child(*b) || child(*c),
        E::Struct(fields) => fields.iter().any(|(_, value)| child(*value)),
        E::Array(items) => items.iter().any(|item| child(*item)),
        E::Variant(_, payload) => payload.is_some_and(child),
        E::Template(parts) => parts.iter().any(|part| match part {
            TemplatePart::Text(_) => false,
            TemplatePart::Value(value, _) => child(*value),
        }),
        E::Builtin(call) => mutates(&call.builtin) || call.args.iter().any(|arg| child(*arg)),
        E::CompareDeep { .. }
        | E::Assign(..)
        | E::AssignOp { .. }
        | E::IncDec { .. }
        | E::Call(..)
        | E::MethodCall { .. }
        | E::CallValue(..)
        | E::CallInterface { .. }
        | E::Construct(..)
        | E::Match(_) => true,
    }
}

fn mutates(builtin: &Builtin) -> bool {
    matches!(
        builtin,
        Builtin::SlicePush
            | Builtin::SlicePop
            | Builtin::SliceRemove
            | Builtin::SliceClear
            | Builtin::Intrinsic(..)
    )
}

impl<'a> Lower<'_, 'a> {
    /// The kind of an expression, for as long as the body lives.
    pub(super) fn kind(&self, expr: ExprId) -> &'a ExprKind {
        let body = self.cx.body;
        &body[expr].kind
    }

    pub(super) fn hir_ty(&self, expr: ExprId) -> Ty {
        self.cx.body[expr].ty
    }

    /// Evaluates an expression. The operand may be a place that is read when the operand is used:
    /// see [`Lower::operands`].
    pub(super) fn operand(&mut self, expr: ExprId) -> Operand {
        match self.kind(expr) {
            // Most expressions are leaves, for which the stack need not be looked at.
            ExprKind::Local(local) => self.variable(*local),
            ExprKind::Const(value) => match consts::number(self.hir_ty(expr), value) {
                Some(number) => Operand::Const(Box::new(number)),
                None => self.operand_inner(expr),
            },
            _ => guard(|| self.operand_inner(expr)),
        }
    }

    fn operand_inner(&mut self, expr: ExprId) -> Operand {
        let ty = self.hir_ty(expr);
        match self.kind(expr) {
            ExprKind::Const(value) if !types::zero_has_slices(self.cx.db, ty) => {
                self.constant(ty, value)
            }
            ExprKind::Function(instance) => match self.cx.decl(instance) {
                Some(decl) => {
                    Operand::constant(mty::TyKind::Func.intern(), mir::ConstValue::Function(decl))
                }
                None => Operand::constant(mty::TyKind::Func.intern(), mir::ConstValue::Zero),
            },
            ExprKind::Assign(place, value) => self.assign(*place, *value),
            ExprKind::AssignOp { place, value, old, operand, result } => {
                self.assign_op(*place, *value, (*old, *operand), *result)
            }
            ExprKind::IncDec { place, decrement, postfix } => {
                self.inc_dec(*place, *decrement, *postfix)
            }
            ExprKind::Convert(conversion, value) => self.convert(conversion, *value, ty),
            ExprKind::Template(parts) => self.template(parts),
            ExprKind::Builtin(call) => self.builtin(&call.builtin, &call.args, ty),
            ExprKind::Local(_)
            | ExprKind::Global(_)
            | ExprKind::Deref(_)
            | ExprKind::Field(..)
            | ExprKind::Index(..) => Operand::copy(self.place(expr)),
            ExprKind::Error => Operand::constant(self.cx.ty(ty), mir::ConstValue::Zero),
            _ => {
                let lowered = self.cx.ty(ty);
                if matches!(lowered.get(), mty::TyKind::Void) {
                    self.discard(expr);
                    return Operand::constant(lowered, mir::ConstValue::Zero);
                }
                let temp = self.builder.temp(lowered);
                self.evaluate_into(temp.into(), expr);
                Operand::copy(temp)
            }
        }
    }

    /// An operand whose value does not change any more.
    pub(super) fn value(&mut self, expr: ExprId) -> Operand {
        let operand = self.operand(expr);
        let ty = self.ty_of(expr);
        self.builder.stable(operand, ty)
    }

    /// Evaluates arguments from left to right; each has the value that it had when its turn came.
    pub(super) fn operands(&mut self, exprs: &[ExprId]) -> Vec<Operand> {
        let mut rest = exprs.iter().rposition(|expr| self.cx.writes(*expr)).unwrap_or(0);
        let mut operands = Vec::with_capacity(exprs.len());
        for expr in exprs {
            operands.push(if rest > 0 { self.used(*expr) } else { self.argument(*expr) });
            rest = rest.saturating_sub(1);
        }
        operands
    }

    /// Two operands, as [`Lower::operands`].
    pub(super) fn pair(&mut self, left: ExprId, right: ExprId) -> (Operand, Operand) {
        let left = if self.cx.writes(right) { self.value(left) } else { self.operand(left) };
        (left, self.operand(right))
    }

    /// Evaluates into a place that nothing else can see yet.
    pub(super) fn into(&mut self, dest: Place, expr: ExprId) {
        match self.kind(expr) {
            ExprKind::Local(_) | ExprKind::Const(_) => self.evaluate_into(dest, expr),
            _ => guard(|| self.evaluate_into(dest, expr)),
        }
    }

    fn evaluate_into(&mut self, dest: Place, expr: ExprId) {
        let ty = self.hir_ty(expr);
        let rvalue = match self.kind(expr) {
            ExprKind::Const(value) => return self.constant_into(dest, ty, value),
            ExprKind::Unary(op, operand) => return self.unary(dest, *op, *operand),
            ExprKind::Binary(op, left, right) => self.arithmetic(*op, *left, *right),
            ExprKind::CompareMixed(op, left, right) => {
                return self.compare_mixed(dest, *op, *left, *right);
            }
            ExprKind::CompareStr(op, left, right) => self.compare_strings(*op, *left, *right),
            ExprKind::CompareDeep { op, left, right, tags, eqs } => {
                Rvalue::Use(self.compare_deep(*op, (*left, *right), *tags, eqs))
            }
            ExprKind::PointerOffset { pointer, offset, negative } => {
                self.pointer_offset(*pointer, *offset, *negative)
            }
            ExprKind::PointerDiff(left, right) => self.pointer_difference(*left, *right),
            ExprKind::And(..) | ExprKind::Or(..) => return self.short_circuit(dest, expr),
            ExprKind::Ternary(cond, then, otherwise) => {
                return self.ternary(*cond, *then, *otherwise, Some(dest));
            }
            ExprKind::Call(..)
            | ExprKind::MethodCall { .. }
            | ExprKind::CallValue(..)
            | ExprKind::CallInterface { .. } => return self.call(expr, Some(dest)),
            ExprKind::Construct(constructor, args) => {
                return self.construct(dest, ty, constructor, args);
            }
            ExprKind::Struct(fields) => return self.struct_into(dest, ty, fields),
            ExprKind::Array(items) => return self.array_into(dest, ty, items),
            ExprKind::Variant(tag, payload) => {
                let payload = match payload {
                    Some(payload) => Some(self.operand(*payload)),
                    None => types::payload(self.cx.db, ty, *tag)
                        .map(|ty| Operand::constant(self.cx.ty(ty), mir::ConstValue::Zero)),
                };
                Rvalue::Tagged(self.cx.ty(ty), *tag, payload)
            }
            ExprKind::AddrOf(place) => {
                let place = self.place(*place);
                Rvalue::Use(self.builder.address(place))
            }
            ExprKind::Move(local) => {
                let value = self.variable(*local);
                self.builder.store(dest, value);
                return self.moved(*local);
            }
            ExprKind::Lambda(lambda) => self.lambda(lambda),
            ExprKind::Match(of) => return self.match_(of, Some(dest), ty),
            ExprKind::Convert(Conversion::ToDefault(field), value) => {
                return self.struct_into(dest, ty, &[(*field, *value)]);
            }
            _ => Rvalue::Use(self.operand(expr)),
        };
        self.builder.assign(dest, rvalue);
    }

    /// Evaluates for the effect. A struct value that nobody keeps is destroyed.
    pub(super) fn discard(&mut self, expr: ExprId) {
        let ty = self.hir_ty(expr);
        match self.kind(expr) {
            ExprKind::Match(of) => self.match_(of, None, ty),
            ExprKind::Ternary(cond, then, otherwise) => {
                self.ternary(*cond, *then, *otherwise, None);
            }
            ExprKind::IncDec { place, decrement, .. } => self.step(*place, *decrement),
            ExprKind::Assign(..) | ExprKind::AssignOp { .. } => {
                self.operand(expr);
            }
            _ if self.is_place(expr) => {
                let place = self.place(expr);
                self.force(place, ty);
            }
            _ if self.cx.needs_drop(ty) => {
                let lowered = self.cx.ty(ty);
                let temp = self.builder.temp(lowered);
                self.into(temp.into(), expr);
                self.drop_place(temp.into(), ty);
            }
            ExprKind::Call(..)
            | ExprKind::MethodCall { .. }
            | ExprKind::CallValue(..)
            | ExprKind::CallInterface { .. } => self.call(expr, None),
            ExprKind::Convert(_, value) if matches!(ty.get(), TyKind::Void) => self.discard(*value),
            ExprKind::Error => {}
            _ => {
                self.operand(expr);
            }
        }
    }

    /// A place as a statement is read, which matters only in `must`.
    fn force(&mut self, place: Place, ty: Ty) {
        if self.builder.volatile {
            let ty = self.cx.ty(ty);
            self.builder.compute(ty, Rvalue::Use(Operand::copy(place)));
        }
    }

    fn unary(&mut self, dest: Place, op: UnaryOp, operand: ExprId) {
        let operand = self.operand(operand);
        let op = match op {
            UnaryOp::Neg => mir::UnOp::Neg,
            UnaryOp::BitNot => mir::UnOp::BitNot,
            _ => mir::UnOp::Not,
        };
        self.builder.assign(dest, Rvalue::Unary(op, operand));
    }

    /// A struct value from some of its fields; the others are zero.
    pub(super) fn struct_into(&mut self, dest: Place, ty: Ty, values: &[(u32, ExprId)]) {
        for (field, value) in values {
            self.into(dest.clone().project(Projection::Field(*field)), *value);
        }
        let fields = cm_hir::struct_type(self.cx.db, ty).as_deref().map_or(&[][..], |d| &d.fields);
        let mut given = vec![false; fields.len()];
        for (field, _) in values {
            given[*field as usize] = true;
        }
        for (index, (_, ty)) in fields.iter().enumerate().filter(|(index, _)| !given[*index]) {
            self.zero(dest.clone().project(Projection::Field(index as u32)), *ty);
        }
    }

    fn array_into(&mut self, dest: Place, ty: Ty, items: &[ExprId]) {
        let len = items.len() as u64;
        match types::underlying(ty).get() {
            TyKind::Slice(elem) => {
                let capacity = if len == 0 { 4 } else { len };
                let slice = self.new_slice(*elem, len, capacity);
                let data = self.slice_elements(slice.clone(), *elem, len);
                self.items_into(data, items);
                self.builder.store(dest, slice);
            }
            TyKind::Array(_, capacity) => {
                if len < *capacity {
                    self.zero(dest.clone(), ty);
                }
                self.items_into(dest, items);
            }
            _ => {}
        }
    }

    fn items_into(&mut self, array: Place, items: &[ExprId]) {
        for (index, item) in items.iter().enumerate() {
            let index = crate::builder::number(index as u64);
            self.into(array.clone().project(Projection::Index(index)), *item);
        }
    }

    /// Branches on a condition of type `bool`.
    pub(super) fn condition(&mut self, expr: ExprId, then: mir::BlockId, otherwise: mir::BlockId) {
        match self.kind(expr) {
            ExprKind::And(left, right) => guard(|| {
                let middle = self.builder.block();
                self.condition(*left, middle, otherwise);
                self.builder.at(middle);
                self.condition(*right, then, otherwise);
            }),
            ExprKind::Or(left, right) => guard(|| {
                let middle = self.builder.block();
                self.condition(*left, then, middle);
                self.builder.at(middle);
                self.condition(*right, then, otherwise);
            }),
            ExprKind::Unary(UnaryOp::Not, operand) => {
                guard(|| self.condition(*operand, otherwise, then));
            }
            _ => {
                let cond = self.operand(expr);
                self.builder.branch(cond, then, otherwise);
            }
        }
    }

    fn short_circuit(&mut self, dest: Place, expr: ExprId) {
        let [yes, no, after] = std::array::from_fn(|_| self.builder.block());
        self.condition(expr, yes, no);
        for (block, value) in [(yes, true), (no, false)] {
            self.builder.at(block);
            self.builder.store(dest.clone(), truth(value));
            self.builder.goto(after);
        }
        self.builder.at(after);
    }

    fn ternary(&mut self, cond: ExprId, then: ExprId, otherwise: ExprId, dest: Option<Place>) {
        let [yes, no, after] = std::array::from_fn(|_| self.builder.block());
        self.condition(cond, yes, no);
        for (block, value) in [(yes, then), (no, otherwise)] {
            self.builder.at(block);
            match &dest {
                Some(dest) => self.into(dest.clone(), value),
                None => self.discard(value),
            }
            self.builder.goto(after);
        }
        self.builder.at(after);
    }
}
