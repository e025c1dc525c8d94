//! Binary operators, comparison, logic, `?:`.

use super::{
    common::{TY, base, common_int, common_number, int_of, is_error, is_numeric},
    consteval::limits,
    ctx::Ctx,
};
use crate::{
    decl::{self, Method},
    thir::{
        ConstValue, Conversion, ExprId, ExprKind, Instance, InstanceKind, Pattern, TemplatePart,
    },
    ty::{Ty, TyKind},
};
use cm_base::At;
use cm_mir::runtime::FormatSpec;
use cm_syntax::ast::{self, BinaryOp, Operator, UnaryOp};
use thin_vec::{ThinVec, thin_vec};

fn is_comparison(op: BinaryOp) -> bool {
    use BinaryOp::{Eq, Ge, Gt, Le, Lt, Ne};
    matches!(op, Eq | Ne | Lt | Gt | Le | Ge)
}

impl<'a> Ctx<'a> {
    /// A binary operator on two expressions.
    pub fn binary(&mut self, op: BinaryOp, l: ast::ExprId, r: ast::ExprId, at: At) -> ExprId {
        if matches!(op, BinaryOp::And | BinaryOp::Or) {
            return self.logical(op, l, r, at);
        }
        let compare = is_comparison(op);
        let borrow = if compare { self.borrow_state(l) } else { None };
        let left = self.expr(l, None);
        // A literal without a type, or a variant of a generic enum, takes it from the left side.
        let hint = match *self.ty(left) {
            TyKind::Struct(..) | TyKind::Enum(..) | TyKind::Array(..) | TyKind::Slice(_) => {
                Some(self.ty(left))
            }
            _ => None,
        };
        let second = if compare { self.borrow_state(r) } else { None };
        let tags = compare && (self.is_bare_variant(l) || self.is_bare_variant(r));
        let right = if tags { self.tag_operand(r, hint) } else { self.expr(r, hint) };
        self.end_borrow(second);
        self.end_borrow(borrow);
        self.binary_values(op, left, right, at, tags)
    }

    fn logical(&mut self, op: BinaryOp, l: ast::ExprId, r: ast::ExprId, at: At) -> ExprId {
        let left = self.expr(l, None);
        let right = self.expr(r, None);
        for side in [left, right] {
            let ty = self.ty(side);
            if is_error(ty) {
                return self.poison(at);
            }
            if ty != TY.bool {
                return self.error(at, "Logical operators require bool operands");
            }
        }
        let kind = match op {
            BinaryOp::And => ExprKind::And(left, right),
            _ => ExprKind::Or(left, right),
        };
        self.push(TY.bool, at, kind)
    }

    /// A binary operator on two values. `tags`: one side is a variant without its payload.
    pub fn binary_values(
        &mut self,
        op: BinaryOp,
        left: ExprId,
        right: ExprId,
        at: At,
        tags: bool,
    ) -> ExprId {
        if let (TyKind::Int(_), TyKind::Int(_)) = (&*self.ty(left), &*self.ty(right)) {
            // Most operators: no other rule concerns two integers.
            return match is_comparison(op) {
                true => self.compare_ints(op, left, right, at),
                false => self.arithmetic(op, left, right, at),
            };
        }
        let (left, right) = (self.decay(left), self.decay(right));
        let (lt, rt) = (self.ty(left), self.ty(right));
        if is_error(lt) || is_error(rt) {
            return self.poison(at);
        }
        if op == BinaryOp::Add && (is_text(lt) || is_text(rt)) {
            return self.concat(left, right, at);
        }
        if !tags && let Some(call) = self.operator_call(op, left, right, at) {
            return call;
        }
        let (left, right) = (self.enum_as_int(left, rt), self.enum_as_int(right, lt));
        if is_comparison(op) {
            return self.comparison(op, left, right, at, tags);
        }
        if let Some(expr) = self.pointer_arithmetic(op, left, right, at) {
            return expr;
        }
        self.arithmetic(op, left, right, at)
    }

    /// Plain enums count as `int`.
    fn enum_as_int(&mut self, expr: ExprId, _other: Ty) -> ExprId {
        match self.is_plain_enum(self.ty(expr)) {
            true => self.convert(expr, Conversion::Identity, TY.int),
            false => expr,
        }
    }

    fn arithmetic(&mut self, op: BinaryOp, left: ExprId, right: ExprId, at: At) -> ExprId {
        let (lt, rt) = (self.ty(left), self.ty(right));
        let ints = int_of(lt).zip(int_of(rt));
        let result = match op {
            BinaryOp::Shl | BinaryOp::Shr => ints.map(|_| lt),
            BinaryOp::BitAnd | BinaryOp::BitOr | BinaryOp::BitXor => {
                ints.map(|(l, r)| TY.int_ty(common_int(l, r)))
            }
            _ => common_number(lt, rt),
        };
        let Some(ty) = result else {
            let message = match op {
                BinaryOp::Add => "Add operator requires numeric operands",
                BinaryOp::Sub => "Sub operator requires numeric operands",
                _ => "Arithmetic operators require numeric operands",
            };
            return self.error(at, format!("{message}, got '{lt}' and '{rt}'"));
        };
        if matches!(op, BinaryOp::Shl | BinaryOp::Shr) {
            return self.push(ty, at, ExprKind::Binary(op, left, right));
        }
        let left = self.number_to(left, ty);
        let right = self.number_to(right, ty);
        self.push(ty, at, ExprKind::Binary(op, left, right))
    }

    fn number_to(&mut self, expr: ExprId, to: Ty) -> ExprId {
        if self.ty(expr) == to { expr } else { self.convert(expr, Conversion::Numeric, to) }
    }

    fn pointer_arithmetic(
        &mut self,
        op: BinaryOp,
        left: ExprId,
        right: ExprId,
        at: At,
    ) -> Option<ExprId> {
        let (lt, rt) = (self.ty(left), self.ty(right));
        let element = |ty: Ty| match *ty {
            TyKind::Pointer { to, .. } if !matches!(*to, TyKind::Void) => Some(to),
            _ => None,
        };
        let (pointer, offset, negative) = match (op, element(lt), element(rt)) {
            (BinaryOp::Sub, Some(l), Some(r)) if l == r => {
                return Some(self.push(TY.long, at, ExprKind::PointerDiff(left, right)));
            }
            (BinaryOp::Add, Some(_), None) => (left, right, false),
            (BinaryOp::Add, None, Some(_)) => (right, left, false),
            (BinaryOp::Sub, Some(_), None) => (left, right, true),
            _ => return None,
        };
        int_of(self.ty(offset))?;
        let ty = self.ty(pointer);
        Some(self.push(ty, at, ExprKind::PointerOffset { pointer, offset, negative }))
    }

    // ---- comparison

    fn comparison(&mut self, op: BinaryOp, l: ExprId, r: ExprId, at: At, tags: bool) -> ExprId {
        let (lt, rt) = (self.ty(l), self.ty(r));
        let equality = matches!(op, BinaryOp::Eq | BinaryOp::Ne);
        let simple = |ctx: &mut Self, l, r| ctx.push(TY.bool, at, ExprKind::Binary(op, l, r));
        match (&*lt, &*rt) {
            (TyKind::Int(_), TyKind::Int(_)) => return self.compare_ints(op, l, r, at),
            (TyKind::Int(_) | TyKind::Float(_), TyKind::Int(_) | TyKind::Float(_)) => {
                let ty = self.float_for_comparison(lt, rt);
                let (l, r) = (self.number_to(l, ty), self.number_to(r, ty));
                return simple(self, l, r);
            }
            (TyKind::Char, TyKind::Char) => return simple(self, l, r),
            (TyKind::Bool, TyKind::Bool) if equality => return simple(self, l, r),
            (TyKind::Str | TyKind::CStr, TyKind::Str | TyKind::CStr) => {
                let l = self.coerce(l, TY.str, false).unwrap_or(l);
                let r = self.coerce(r, TY.str, false).unwrap_or(r);
                return self.push(TY.bool, at, ExprKind::CompareStr(op, l, r));
            }
            (TyKind::Pointer { .. }, TyKind::Pointer { .. })
                if self.comparable_pointers(lt, rt) =>
            {
                return simple(self, l, r);
            }
            (TyKind::Null, TyKind::Null) if equality => return simple(self, l, r),
            (TyKind::Pointer { .. } | TyKind::Function(..) | TyKind::CStr, TyKind::Null) => {
                let r = self.convert(r, Conversion::Null, lt);
                return simple(self, l, r);
            }
            (TyKind::Null, TyKind::Pointer { .. } | TyKind::Function(..) | TyKind::CStr) => {
                let l = self.convert(l, Conversion::Null, rt);
                return simple(self, l, r);
            }
            (TyKind::Function(..), TyKind::Function(..)) if lt == rt && equality => {
                return simple(self, l, r);
            }
            (TyKind::Union(members), TyKind::Null) if equality => {
                return self.compare_null(op, l, members, at);
            }
            (TyKind::Null, TyKind::Union(members)) if equality => {
                return self.compare_null(op, r, members, at);
            }
            _ => {}
        }
        if equality && let Some(expr) = self.compare_deep(op, l, r, at, tags) {
            return expr;
        }
        self.error(at, format!("Types '{lt}' and '{rt}' cannot be compared with '{}'", op.symbol()))
    }

    /// "Integer with floating converts the integer to the floating type."
    fn float_for_comparison(&self, lt: Ty, rt: Ty) -> Ty {
        match (&*lt, &*rt) {
            (TyKind::Int(_), TyKind::Float(_)) => rt,
            (TyKind::Float(_), TyKind::Int(_)) => lt,
            _ => common_number(lt, rt).unwrap_or(lt),
        }
    }

    fn comparable_pointers(&self, lt: Ty, rt: Ty) -> bool {
        match (&*lt, &*rt) {
            (TyKind::Pointer { to: l, .. }, TyKind::Pointer { to: r, .. }) => {
                l == r || matches!(**l, TyKind::Void) || matches!(**r, TyKind::Void)
            }
            _ => false,
        }
    }

    fn compare_ints(&mut self, op: BinaryOp, l: ExprId, r: ExprId, at: At) -> ExprId {
        let (Some(left), Some(right)) = (int_of(self.ty(l)), int_of(self.ty(r))) else {
            return self.poison(at);
        };
        // A literal that fits the other side's type is of that type.
        let fits = |ctx: &Self, expr, int| match ctx.kind(expr) {
            ExprKind::Const(ConstValue::Int(n)) => {
                let (min, max) = limits(int);
                (min..=max).contains(&i128::from(*n))
            }
            _ => false,
        };
        let ty = if left.signed() == right.signed() {
            common_int(left, right)
        } else if fits(self, r, left) {
            left
        } else if fits(self, l, right) {
            right
        } else {
            return self.push(TY.bool, at, ExprKind::CompareMixed(op, l, r));
        };
        let ty = TY.int_ty(ty);
        let (l, r) = (self.number_to(l, ty), self.number_to(r, ty));
        self.push(TY.bool, at, ExprKind::Binary(op, l, r))
    }

    /// A union and `null`, as a match on the null member.
    fn compare_null(&mut self, op: BinaryOp, value: ExprId, members: &[Ty], at: At) -> ExprId {
        let Some(tag) = members.iter().position(|member| matches!(**member, TyKind::Null)) else {
            let ty = self.ty(value);
            return self.error(at, format!("Types '{ty}' and 'null' cannot be compared"));
        };
        let is_null = op == BinaryOp::Eq;
        let yes = self.constant(TY.bool, at, ConstValue::Bool(is_null));
        let no = self.constant(TY.bool, at, ConstValue::Bool(!is_null));
        let arms = vec![
            super::patterns::value_arm(Pattern::Member(tag as u32), yes),
            super::patterns::value_arm(Pattern::Wildcard, no),
        ];
        let value = crate::thir::Match { scrutinee: value, arms };
        self.push(TY.bool, at, ExprKind::Match(Box::new(value)))
    }

    /// Arrays, slices and payload enums.
    fn compare_deep(
        &mut self,
        op: BinaryOp,
        left: ExprId,
        right: ExprId,
        at: At,
        tags: bool,
    ) -> Option<ExprId> {
        let (lt, rt) = (self.ty(left), self.ty(right));
        let sequences = matches!(*lt, TyKind::Array(..) | TyKind::Slice(_));
        let (left, right) = match (&*lt, &*rt) {
            _ if lt == rt => (left, right),
            (TyKind::Array(..), TyKind::Slice(_)) => (self.coerce(left, rt, false)?, right),
            (TyKind::Slice(_), TyKind::Array(..)) => (left, self.coerce(right, lt, false)?),
            _ => return None,
        };
        if !sequences && !matches!(*lt, TyKind::Enum(..)) {
            return None;
        }
        let mut eqs = Vec::new();
        if !tags {
            let ty = self.ty(left);
            self.collect_eqs(ty, &mut eqs, &mut Vec::new())?;
        }
        Some(self.push(
            TY.bool,
            at,
            ExprKind::CompareDeep { op, left, right, tags, eqs: eqs.into() },
        ))
    }

    /// The `==` functions of the structs inside a type. `None`: something has none.
    fn collect_eqs(
        &mut self,
        ty: Ty,
        out: &mut Vec<(Ty, Instance)>,
        seen: &mut Vec<Ty>,
    ) -> Option<()> {
        match &*base(ty) {
            TyKind::Int(_)
            | TyKind::Float(_)
            | TyKind::Bool
            | TyKind::Char
            | TyKind::Str
            | TyKind::CStr
            | TyKind::Pointer { .. }
            | TyKind::Function(..) => Some(()),
            TyKind::Array(element, _) | TyKind::Slice(element) => {
                self.collect_eqs(*element, out, seen)
            }
            TyKind::Enum(..) => {
                if seen.contains(&ty) {
                    return Some(());
                }
                seen.push(ty);
                let info = self.enum_type(ty)?;
                for payload in info.variants.iter().filter_map(|(_, _, payload)| *payload) {
                    self.collect_eqs(payload, out, seen)?;
                }
                Some(())
            }
            TyKind::Struct(..) => {
                if out.iter().all(|(found, _)| *found != ty) {
                    let method = self.binary_method(ty, BinaryOp::Eq)?;
                    let instance = self.instance(&method, &[]);
                    out.push((ty, instance));
                }
                Some(())
            }
            _ => None,
        }
    }

    // ---- operators of user types

    /// The function that defines a binary operator for a type of its left operand.
    pub fn binary_method(&mut self, ty: Ty, op: BinaryOp) -> Option<Method> {
        decl::operator(self.db, ty, Operator::Binary(op), 1)
    }

    /// A method as an instance, with arguments for its own type parameters.
    pub fn instance(&self, method: &Method, own: &[crate::ty::GenericArg]) -> Instance {
        let kind = match method.derived {
            Some(derived) => InstanceKind::Derived(derived),
            None => InstanceKind::Source,
        };
        let mut args = method.args.clone();
        args.extend_from_slice(own);
        Instance { def: method.def, kind, args }
    }

    /// A unary operator that the operand's type defines.
    pub fn unary_operator(&mut self, op: UnaryOp, operand: ExprId, at: At) -> Option<ExprId> {
        let operator = match op {
            UnaryOp::Neg => Operator::Binary(BinaryOp::Sub),
            UnaryOp::Not => Operator::Not,
            _ => Operator::BitNot,
        };
        let ty = self.ty(operand);
        if !has_operators(ty) {
            return None;
        }
        if let TyKind::Interface(..) = *ty {
            let (slot, types) = decl::interface_operator(self.db, ty, operator, 0)?;
            let kind = ExprKind::CallInterface { object: operand, slot, args: ThinVec::new() };
            return Some(self.push(types.ret, at, kind));
        }
        let method = decl::operator(self.db, ty, operator, 0)?;
        let instance = self.instance(&method, &[]);
        let ret = self.instance_ret(&instance);
        Some(self.push(
            ret,
            at,
            ExprKind::MethodCall {
                method: Box::new(instance),
                receiver: operand,
                args: ThinVec::new(),
            },
        ))
    }

    /// A binary operator that the left operand's type defines, directly or through `==` and `<`.
    fn operator_call(
        &mut self,
        op: BinaryOp,
        left: ExprId,
        right: ExprId,
        at: At,
    ) -> Option<ExprId> {
        let ty = self.ty(left);
        if !has_operators(ty) {
            return None;
        }
        if let Some(call) = self.defined_operator(op, left, right, at) {
            return Some(call);
        }
        let (basic, swap, negate) = match op {
            BinaryOp::Ne => (BinaryOp::Eq, false, true),
            BinaryOp::Gt => (BinaryOp::Lt, true, false),
            BinaryOp::Le => (BinaryOp::Lt, true, true),
            BinaryOp::Ge => (BinaryOp::Lt, false, true),
            _ => return None,
        };
        let call = match swap {
            false => self.defined_operator(basic, left, right, at)?,
            true if !self.defines_operator(self.ty(right), basic) => return None,
            // The left operand is still evaluated first.
            true => self.let_in(left, at, |ctx, left| {
                let call = ctx.defined_operator(basic, right, left, at);
                call.unwrap_or_else(|| ctx.poison(at))
            }),
        };
        Some(match negate && !self.bad(call) {
            true => self.push(TY.bool, at, ExprKind::Unary(UnaryOp::Not, call)),
            false => call,
        })
    }

    fn defines_operator(&mut self, ty: Ty, op: BinaryOp) -> bool {
        match *ty {
            TyKind::Interface(..) => {
                decl::interface_operator(self.db, ty, Operator::Binary(op), 1).is_some()
            }
            _ => self.binary_method(ty, op).is_some(),
        }
    }

    /// A call of the operator that the receiver's type itself defines.
    fn defined_operator(
        &mut self,
        op: BinaryOp,
        receiver: ExprId,
        argument: ExprId,
        at: At,
    ) -> Option<ExprId> {
        let ty = self.ty(receiver);
        if !matches!(*ty, TyKind::Interface(..)) {
            let method = self.binary_method(ty, op)?;
            return Some(self.call_operator(&method, op, receiver, argument, at));
        }
        let (slot, types) = decl::interface_operator(self.db, ty, Operator::Binary(op), 1)?;
        let Some(argument) = self.coerce(argument, types.params[0], true) else {
            return Some(self.unfit_operand(op, receiver, argument, at));
        };
        let kind = ExprKind::CallInterface { object: receiver, slot, args: thin_vec![argument] };
        Some(self.push(types.ret, at, kind))
    }

    fn unfit_operand(&mut self, op: BinaryOp, left: ExprId, right: ExprId, at: At) -> ExprId {
        let (own, got, shown) = (self.ty(left), self.ty(right), op.symbol());
        let message = match op {
            BinaryOp::Add => "Add operator requires numeric operands".to_owned(),
            BinaryOp::Sub => "Sub operator requires numeric operands".to_owned(),
            _ if is_comparison(op) => {
                format!("Types '{own}' and '{got}' cannot be compared with '{shown}'")
            }
            _ => "Arithmetic operators require numeric operands".to_owned(),
        };
        self.error(at, message)
    }

    fn call_operator(
        &mut self,
        method: &Method,
        op: BinaryOp,
        receiver: ExprId,
        argument: ExprId,
        at: At,
    ) -> ExprId {
        let instance = self.instance(method, &[]);
        let own = self.ty(receiver);
        // A derived operator takes its argument by value, of the same type.
        let param = match method.derived {
            Some(_) => own,
            None => self.instance_param(&instance, 0),
        };
        let ret = match method.derived {
            Some(_) => TY.bool,
            None => self.instance_ret(&instance),
        };
        let Some(argument) = self.coerce(argument, param, true) else {
            return self.unfit_operand(op, receiver, argument, at);
        };
        let args = vec![argument];
        self.push(
            ret,
            at,
            ExprKind::MethodCall { method: Box::new(instance), receiver, args: args.into() },
        )
    }

    /// Evaluates a value, then an expression that uses it: a match with one binding.
    pub fn let_in(
        &mut self,
        value: ExprId,
        at: At,
        then: impl FnOnce(&mut Self, ExprId) -> ExprId,
    ) -> ExprId {
        if matches!(self.kind(value), ExprKind::Local(_) | ExprKind::Const(_)) {
            return then(self, value);
        }
        let ty = self.ty(value);
        let local = self.hidden("value", ty);
        let read = self.push(ty, at, ExprKind::Local(local));
        let body = then(self, read);
        let arms = vec![super::patterns::value_arm(Pattern::Binding(local), body)];
        let result = self.ty(body);
        let kind = ExprKind::Match(Box::new(crate::thir::Match { scrutinee: value, arms }));
        self.push(result, at, kind)
    }

    // ---- text

    fn concat(&mut self, left: ExprId, right: ExprId, at: At) -> ExprId {
        // `a + b + c` is one new string, not two.
        let mut parts = match &mut self.exprs[left.0 as usize] {
            expr if matches!(expr.kind, ExprKind::Template(_)) => {
                match std::mem::replace(&mut expr.kind, ExprKind::Const(ConstValue::Zero)) {
                    ExprKind::Template(parts) => parts,
                    _ => ThinVec::new(),
                }
            }
            _ => match self.text_part(left, FormatSpec::default(), at) {
                Some(part) => thin_vec![part],
                None => return self.poison(at),
            },
        };
        match self.text_part(right, FormatSpec::default(), at) {
            Some(part) => parts.push(part),
            None => return self.poison(at),
        }
        self.push(TY.str, at, ExprKind::Template(parts))
    }

    /// A value as a piece of a string. `None`: it has no text, which was reported.
    pub fn text_part(&mut self, expr: ExprId, spec: FormatSpec, at: At) -> Option<TemplatePart> {
        if let ExprKind::Const(ConstValue::Str(text)) = *self.kind(expr)
            && spec == FormatSpec::default()
        {
            return Some(TemplatePart::Text(text));
        }
        let value = self.textual(expr, at)?;
        Some(TemplatePart::Value(value, spec))
    }

    // ---- ?:

    /// `c ? a : b`.
    pub fn ternary(
        &mut self,
        cond: ast::ExprId,
        yes: ast::ExprId,
        no: ast::ExprId,
        at: At,
        expected: Option<Ty>,
    ) -> ExprId {
        let cond = self.expr(cond, None);
        let cond = match *self.ty(cond) {
            TyKind::Bool | TyKind::Error => cond,
            TyKind::Int(_) => self.convert(cond, Conversion::Numeric, TY.bool),
            _ => self.error(at, "Ternary condition must be bool"),
        };
        let a = self.expr(yes, expected);
        let hint = match *self.ty(a) {
            TyKind::Null | TyKind::Error => expected,
            _ => expected.or(Some(self.ty(a))),
        };
        let b = self.expr(no, hint);
        let (at_a, at_b) = (self.ty(a), self.ty(b));
        if is_error(at_a) || is_error(at_b) || self.bad(cond) {
            return self.poison(at);
        }
        let ty = match common_number(base(at_a), base(at_b)) {
            Some(common) if at_a != at_b => common,
            _ if matches!(*at_a, TyKind::Null) => at_b,
            _ => at_a,
        };
        match (self.coerce(a, ty, false), self.coerce(b, ty, false)) {
            (Some(a), Some(b)) => self.push(ty, at, ExprKind::Ternary(cond, a, b)),
            _ => self.error(
                at,
                format!("Ternary branches have incompatible types '{at_a}' and '{at_b}'"),
            ),
        }
    }
}

/// `string` or `cstring`.
fn is_text(ty: Ty) -> bool {
    matches!(*ty, TyKind::Str)
}

/// Types whose operators are defined by programs.
fn has_operators(ty: Ty) -> bool {
    !is_numeric(ty)
        && !matches!(
            *ty,
            TyKind::Bool
                | TyKind::Char
                | TyKind::Str
                | TyKind::CStr
                | TyKind::Pointer { .. }
                | TyKind::Null
                | TyKind::Array(..)
                | TyKind::Slice(_)
        )
}
