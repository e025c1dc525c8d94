//! Implicit conversions (`02-types.md` §2.16) and casts (§2.17).

use super::{
    common::{TY, base, int_of, is_error, is_numeric, pointer},
    consteval,
    ctx::Ctx,
};
use crate::{
    decl,
    thir::{ConstValue, Conversion, ExprId, ExprKind},
    ty::{IntTy, LiteralValue, Ty, TyKind, mentions_error},
};
use cm_base::At;

/// Conversions one after the other, each with the type it leads to.
type Steps = Vec<(Conversion, Ty)>;

/// How a value is to be converted.
enum Plan {
    /// Not possible.
    No,
    /// The same type.
    Same,
    /// One conversion.
    One(Conversion),
    /// Several.
    Many(Steps),
}

impl Plan {
    fn then(self, middle: Ty, last: Conversion, to: Ty) -> Plan {
        match self {
            Plan::No => Plan::No,
            Plan::Same => Plan::One(last),
            Plan::One(first) => Plan::Many(vec![(first, middle), (last, to)]),
            Plan::Many(mut steps) => {
                steps.push((last, to));
                Plan::Many(steps)
            }
        }
    }
}

impl Ctx<'_> {
    /// The expression converted to a type, or `None` if it is not assignable to it. `borrow`: an
    /// argument for a parameter, to which an interface value refers.
    pub fn coerce(&mut self, expr: ExprId, to: Ty, borrow: bool) -> Option<ExprId> {
        let from = self.ty(expr);
        if from == to || is_error(from) || is_error(to) {
            return Some(expr);
        }
        if let TyKind::Literal(over, values) = &*to
            && !self.literal_fits(expr, *over, values)
        {
            let at = self.at(expr);
            let shown = self.show_const(expr);
            self.report(at, format!("Invalid literal value {shown} for literal type '{to}'"));
            return Some(self.poison(at));
        }
        match self.plan(from, to, borrow) {
            // Something has been said about the type or the impl.
            Plan::No
                if mentions_error(from)
                    || mentions_error(to)
                    || decl::is_declared(self.db, from, to) =>
            {
                let at = self.at(expr);
                Some(self.poison(at))
            }
            Plan::No => None,
            Plan::Same => Some(expr),
            Plan::One(conversion) => Some(self.convert(expr, conversion, to)),
            Plan::Many(steps) => {
                Some(steps.into_iter().fold(expr, |e, (step, ty)| self.convert(e, step, ty)))
            }
        }
    }

    /// Whether a value of one type can be stored in a place of another.
    pub fn assignable(&mut self, from: Ty, to: Ty) -> bool {
        from == to
            || is_error(from)
            || is_error(to)
            || !matches!(self.plan(from, to, true), Plan::No)
    }

    /// One conversion. Constants are converted at once.
    pub fn convert(&mut self, expr: ExprId, conversion: Conversion, to: Ty) -> ExprId {
        let from = self.ty(expr);
        let slot = &mut self.exprs[expr.0 as usize];
        match (&slot.kind, &conversion) {
            (ExprKind::Const(value), Conversion::Numeric) => {
                if let Some(value) = consteval::convert_number(value, from, to) {
                    slot.kind = ExprKind::Const(value);
                    slot.ty = to;
                    return expr;
                }
            }
            (ExprKind::Const(_), Conversion::Identity)
                if !matches!(*to, TyKind::Pointer { .. } | TyKind::CStr) =>
            {
                slot.ty = to;
                return expr;
            }
            (ExprKind::Const(_), Conversion::Null) => {
                slot.ty = to;
                return expr;
            }
            _ => {}
        }
        let at = slot.at;
        self.push(to, at, ExprKind::Convert(conversion, expr))
    }

    fn plan(&mut self, from: Ty, to: Ty, borrow: bool) -> Plan {
        use Conversion::{Identity, Numeric};
        if from == to {
            return Plan::Same;
        }
        if let TyKind::Literal(over, _) = *from {
            return match self.plan(over, to, borrow) {
                Plan::No => Plan::No,
                Plan::Same => Plan::One(Identity),
                Plan::One(last) => Plan::Many(vec![(Identity, over), (last, to)]),
                Plan::Many(mut steps) => {
                    steps.insert(0, (Identity, over));
                    Plan::Many(steps)
                }
            };
        }
        match (&*from, &*to) {
            (_, TyKind::Literal(over, _)) => {
                return self.plan(from, *over, borrow).then(*over, Identity, to);
            }
            (TyKind::Int(_) | TyKind::Float(_), TyKind::Int(_) | TyKind::Float(_)) => {
                return Plan::One(Numeric);
            }
            (TyKind::Enum(..), TyKind::Int(_) | TyKind::Enum(..))
            | (TyKind::Int(_), TyKind::Enum(..))
                if self.integer_like(from) && self.integer_like(to) =>
            {
                let same = |ty| int_of(ty).is_none_or(|int| int == IntTy::Int);
                return Plan::One(if same(from) && same(to) { Identity } else { Numeric });
            }
            (TyKind::Null, TyKind::Pointer { .. } | TyKind::Function(..) | TyKind::CStr) => {
                return Plan::One(Conversion::Null);
            }
            (TyKind::Str, TyKind::CStr) => return Plan::One(Identity),
            (TyKind::CStr, TyKind::Str) => return Plan::One(Conversion::StrFromC),
            (TyKind::Str, TyKind::Pointer { to: target, .. })
                if matches!(**target, TyKind::Char) =>
            {
                return Plan::One(Identity);
            }
            (
                TyKind::Pointer { to: left, is_const: from_const },
                TyKind::Pointer { to: right, is_const: to_const },
            ) => {
                let void = |ty: Ty| matches!(*ty, TyKind::Void);
                let target = left == right || void(*left) || void(*right);
                return if target && (*to_const || !*from_const) {
                    Plan::One(Identity)
                } else {
                    Plan::No
                };
            }
            (TyKind::Array(element, _), TyKind::Pointer { to: target, .. })
                if element == target || matches!(**target, TyKind::Void) =>
            {
                let first = pointer(*element, false);
                return if element == target {
                    Plan::One(Conversion::ArrayToPointer)
                } else {
                    Plan::Many(vec![(Conversion::ArrayToPointer, first), (Identity, to)])
                };
            }
            (TyKind::Array(element, _), TyKind::Slice(target)) if element == target => {
                return Plan::One(Conversion::ArrayToSlice);
            }
            (_, TyKind::Union(members)) => return self.plan_union(from, to, members),
            // Arrays have the methods of slices.
            (TyKind::Array(element, _), TyKind::Interface(..)) => {
                let slice = TyKind::Slice(*element).intern();
                return match self.plan(slice, to, false) {
                    Plan::One(last) => {
                        Plan::Many(vec![(Conversion::ArrayToSlice, slice), (last, to)])
                    }
                    plan => plan,
                };
            }
            (_, TyKind::Interface(..)) => {
                return match decl::implements(self.db, from, to) {
                    Some(methods) => {
                        Plan::One(Conversion::ToInterface { borrow, methods: methods.into() })
                    }
                    None => Plan::No,
                };
            }
            _ => {}
        }
        self.plan_default(from, to)
    }

    fn plan_union(&mut self, from: Ty, to: Ty, members: &[Ty]) -> Plan {
        if let Some(tag) = members.iter().position(|member| *member == from) {
            return Plan::One(Conversion::ToUnion(tag as u32));
        }
        for (tag, member) in members.iter().enumerate() {
            match self.plan(from, *member, false) {
                Plan::No => {}
                plan => return plan.then(*member, Conversion::ToUnion(tag as u32), to),
            }
        }
        Plan::No
    }

    fn plan_default(&mut self, from: Ty, to: Ty) -> Plan {
        if matches!(*to, TyKind::Struct(..))
            && let Some(field) = decl::default_field(self.db, to)
            && !matches!(*from, TyKind::Struct(..))
        {
            return self.plan(from, field.ty, false).then(
                field.ty,
                Conversion::ToDefault(field.index),
                to,
            );
        }
        if matches!(*from, TyKind::Struct(..))
            && let Some(field) = decl::default_field(self.db, from)
        {
            let first = (Conversion::FromDefault(field.index), field.ty);
            return match self.plan(field.ty, to, false) {
                Plan::No => Plan::No,
                Plan::Same => Plan::One(first.0),
                Plan::One(last) => Plan::Many(vec![first, (last, to)]),
                Plan::Many(mut steps) => {
                    steps.insert(0, first);
                    Plan::Many(steps)
                }
            };
        }
        Plan::No
    }

    /// A constant is in the list of a literal type; other expressions are not checked.
    fn literal_fits(&mut self, expr: ExprId, over: Ty, values: &[LiteralValue]) -> bool {
        let ExprKind::Const(value) = self.kind(expr) else { return true };
        let from = base(self.ty(expr));
        let found = match value {
            ConstValue::Str(text) if over == TY.str => LiteralValue::Str(*text),
            number if is_numeric(from) && is_numeric(over) => {
                match consteval::convert_number(number, from, over) {
                    Some(ConstValue::Int(n)) => LiteralValue::Int(n.into()),
                    Some(ConstValue::Float(bits)) => LiteralValue::Float(bits),
                    _ => return true,
                }
            }
            _ => return true,
        };
        values.contains(&found)
    }

    /// A constant as messages show it.
    fn show_const(&self, expr: ExprId) -> String {
        match self.kind(expr) {
            ExprKind::Const(ConstValue::Int(n)) => i128::from(*n).to_string(),
            ExprKind::Const(ConstValue::Float(bits)) => f64::from_bits(*bits).to_string(),
            ExprKind::Const(ConstValue::Str(text)) => format!("\"{text}\""),
            _ => String::new(),
        }
    }

    /// `e as T`.
    pub fn cast(&mut self, expr: ExprId, to: Ty, at: At) -> ExprId {
        let from = self.ty(expr);
        if is_error(from) || is_error(to) {
            return self.poison(at);
        }
        if from == to {
            return expr;
        }
        if let TyKind::Literal(over, _) = *from {
            let expr = self.convert(expr, Conversion::Identity, over);
            return self.cast(expr, to, at);
        }
        if let TyKind::Literal(over, _) = *to {
            let expr = self.cast(expr, over, at);
            return self.convert(expr, Conversion::Identity, to);
        }
        let conversion = match (&*from, &*to) {
            (TyKind::Union(members), _) => {
                members.iter().position(|m| *m == to).map(|tag| Conversion::FromUnion(tag as u32))
            }
            (TyKind::Null, TyKind::Int(int)) if int.bits() == 64 => {
                let pointer = self.convert(expr, Conversion::Null, TY.void_ptr);
                return self.convert(pointer, Conversion::Address, to);
            }
            (TyKind::Array(element, _), TyKind::Pointer { .. }) => {
                let first = pointer(*element, false);
                let expr = self.convert(expr, Conversion::ArrayToPointer, first);
                if first == to {
                    return expr;
                }
                return self.convert(expr, Conversion::Identity, to);
            }
            _ => self.cast_kind(from, to),
        };
        match conversion {
            Some(conversion) => {
                let cast = self.convert(expr, conversion, to);
                self.exprs[cast.0 as usize].at = at;
                cast
            }
            None => match self.coerce(expr, to, false) {
                Some(done) => done,
                None => self.error(at, format!("Cannot cast '{from}' to '{to}'")),
            },
        }
    }

    fn cast_kind(&self, from: Ty, to: Ty) -> Option<Conversion> {
        let address = |ty: Ty| {
            matches!(*ty, TyKind::Int(IntTy::Long | IntTy::Ulong | IntTy::Isize | IntTy::Usize))
        };
        let bytes = |ty: Ty| match *ty {
            TyKind::Pointer { to, .. } => matches!(*to, TyKind::Char | TyKind::Void),
            _ => false,
        };
        let (left, right) = (self.integer_like(from), self.integer_like(to));
        Some(match (&*from, &*to) {
            (TyKind::Float(_), _) if right && !is_numeric(to) => return None,
            (TyKind::Bool | TyKind::Char, _) if right => Conversion::Numeric,
            (_, TyKind::Bool | TyKind::Char) if left => Conversion::Numeric,
            _ if left && right => Conversion::Numeric,
            (TyKind::Pointer { .. }, TyKind::Pointer { .. }) => Conversion::Identity,
            (TyKind::Pointer { .. }, TyKind::Int(_)) | (TyKind::Int(_), TyKind::Pointer { .. }) => {
                Conversion::Address
            }
            (TyKind::Function(..), TyKind::Pointer { to, .. }) if matches!(**to, TyKind::Void) => {
                Conversion::Address
            }
            (TyKind::Str, TyKind::CStr) => Conversion::Identity,
            (TyKind::Str | TyKind::CStr, TyKind::Pointer { .. }) if bytes(to) => {
                Conversion::Address
            }
            (TyKind::Str | TyKind::CStr, TyKind::Int(_)) if address(to) => Conversion::Address,
            (TyKind::CStr, TyKind::Str) => Conversion::StrFromC,
            (TyKind::Pointer { .. }, TyKind::Str) if bytes(from) => Conversion::StrFromC,
            (TyKind::Int(_), TyKind::Str) if address(from) => Conversion::StrFromC,
            (TyKind::Pointer { .. }, TyKind::CStr) if bytes(from) => Conversion::Address,
            (TyKind::Int(_), TyKind::CStr) if address(from) => Conversion::Address,
            _ => return None,
        })
    }
}
