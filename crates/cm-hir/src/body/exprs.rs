//! Expressions: dispatch, names, members, places.

use super::{
    common::{TY, base, is_error, is_numeric, pointer},
    consteval::literal_int,
    ctx::Ctx,
    layout,
    ownership::{Const, Use},
};
use crate::{
    decl::{self, Resolution, TypeDef},
    queries::GlobalUse,
    thir::{Builtin, ConstValue, Conversion, ExprId, ExprKind, Instance, InstanceKind},
    ty::{GenericArg, IntTy, Ty, TyKind},
};
use cm_base::At;
use cm_db::DefId;
use cm_syntax::ast::{self, ExprKind as Ast, UnaryOp};

impl<'a> Ctx<'a> {
    /// Checks an expression. `expected` is the type its context wants: it gives types to literals
    /// that have none of their own, and converts nothing.
    pub fn expr(&mut self, id: ast::ExprId, expected: Option<Ty>) -> ExprId {
        match self.arena[id].kind {
            // Most expressions are leaves, for which the stack need not be looked at.
            Ast::Path(..) | Ast::Literal(_) => self.expr_kind(id, expected),
            _ => stacker::maybe_grow(96 << 10, 2 << 20, || self.expr_kind(id, expected)),
        }
    }

    /// Checks an expression and converts it; `wrong` says what to report if that is impossible.
    pub fn expr_as(
        &mut self,
        id: ast::ExprId,
        to: Ty,
        at: At,
        wrong: impl FnOnce(Ty) -> String,
    ) -> ExprId {
        let expr = self.expr(id, Some(to));
        match self.coerce(expr, to, false) {
            Some(done) => done,
            None => {
                let from = self.ty(expr);
                self.error_in(at, self.arena[id].at, wrong(from))
            }
        }
    }

    /// Checks an expression that must be a `bool`.
    pub fn condition(&mut self, id: ast::ExprId, at: At, message: &str) -> ExprId {
        let expr = self.expr(id, Some(TY.bool));
        let ty = self.ty(expr);
        if ty == TY.bool || is_error(ty) {
            return expr;
        }
        match self.arena[self.strip(id)].kind {
            Ast::Assign(None, ..) => {
                let message = format!("{message}; '==' compares, '=' assigns");
                self.error_in(at, self.arena[id].at, message)
            }
            _ => self.error_in(at, self.arena[id].at, format!("{message}, got '{ty}'")),
        }
    }

    fn expr_kind(&mut self, id: ast::ExprId, expected: Option<Ty>) -> ExprId {
        let arena = self.arena;
        let ast::Expr { at, kind } = &arena[id];
        let at = *at;
        match kind {
            Ast::Error => self.poison(at),
            Ast::Literal(literal) => self.literal(literal, at),
            Ast::Template(parts) => self.template(parts, at),
            Ast::Null => self.constant(TY.null, at, ConstValue::Zero),
            Ast::SelfValue => self.self_value(at),
            Ast::Path(path, args) => self.path(path, args, at, expected),
            Ast::TypePath { ty, member } => {
                let ty = self.lower(*ty);
                self.member_value(ty, *member, at)
            }
            Ast::Struct { ty, fields } => self.struct_literal(*ty, fields, at, expected),
            Ast::Array(elements) => self.array_literal(elements, at, expected),
            Ast::Paren(inner) => self.expr(*inner, expected),
            Ast::Lambda(lambda) => self.lambda(lambda, at, expected),
            Ast::Match(m) => self.match_expr(m, at, expected),
            Ast::SizeofType(ty) => {
                let ty = self.sizeof_operand_type(*ty);
                self.size_constant(ty, at, |layout| layout.size)
            }
            Ast::SizeofExpr(inner) => {
                let ty = self.type_of_operand(*inner);
                self.size_constant(ty, at, |layout| layout.size)
            }
            Ast::AlignofType(ty) => {
                let ty = self.sizeof_operand_type(*ty);
                self.size_constant(ty, at, |layout| layout.align)
            }
            Ast::TypeofType(ty) => {
                let ty = self.sizeof_operand_type(*ty);
                self.type_name(ty, at)
            }
            Ast::TypeofExpr(inner) => {
                let ty = self.type_of_operand(*inner);
                self.type_name(ty, at)
            }
            Ast::Unary(op, operand) => self.unary(*op, *operand, at, expected),
            Ast::Postfix(op, operand) => {
                self.inc_dec(*operand, *op == ast::PostfixOp::Dec, true, at)
            }
            Ast::Binary(op, left, right) => self.binary(*op, *left, *right, at),
            Ast::Assign(None, left, right) => self.assign(*left, *right, at),
            Ast::Assign(Some(op), left, right) => self.assign_op(*op, *left, *right, at),
            Ast::Ternary(cond, yes, no) => self.ternary(*cond, *yes, *no, at, expected),
            Ast::Cast(operand, ty) => {
                let to = self.lower(*ty);
                let borrow = self.borrow_state(*operand);
                let expr = self.expr(*operand, Some(to));
                self.end_borrow(borrow);
                self.cast(expr, to, at)
            }
            Ast::Call(callee, args) => self.call(*callee, args, at, expected),
            Ast::MethodCall { receiver, arrow, name, args } => {
                self.method_call(*receiver, *arrow, *name, args, at, expected)
            }
            Ast::Field { base, arrow, name } => self.field(*base, *arrow, *name, at),
            Ast::Index(base, index) => self.index(*base, *index, at),
            Ast::Slice(base, start, end) => self.sub_slice(*base, *start, *end, at),
        }
    }

    /// A literal without interpolation.
    pub fn literal(&mut self, literal: &ast::Literal, at: At) -> ExprId {
        let (ty, value) = match *literal {
            ast::Literal::Int(n) => (literal_int(n), ConstValue::int(i128::from(n))),
            ast::Literal::Float(bits) => (TY.double, ConstValue::Float(bits)),
            ast::Literal::Char(c) => (TY.char, ConstValue::Char(c)),
            ast::Literal::Str(text) => (TY.str, ConstValue::Str(text)),
            ast::Literal::Bool(b) => (TY.bool, ConstValue::Bool(b)),
        };
        self.constant(ty, at, value)
    }

    // ---- names

    fn self_value(&mut self, at: At) -> ExprId {
        if !self.has_self {
            return self.error(at, "Undefined variable 'self'");
        }
        let local = self.import(crate::thir::LocalId(0));
        let pointer = self.locals[local.0 as usize].ty;
        let expr = self.push(pointer, at, ExprKind::Local(local));
        match *pointer {
            TyKind::Pointer { to, .. } => self.push(to, at, ExprKind::Deref(expr)),
            _ => self.poison(at),
        }
    }

    fn path(
        &mut self,
        path: &ast::Path,
        args: &[ast::TypeArg],
        at: At,
        expected: Option<Ty>,
    ) -> ExprId {
        if let [only] = path.segments.as_slice()
            && args.is_empty()
            && let Some(local) = self.lookup(only.name)
        {
            return self.local(local, at, Use::Read);
        }
        match self.resolve_path(path) {
            Ok(found) => self.resolved_value(found, path, args, at, expected),
            Err(problem) => {
                self.problem(problem);
                self.poison(at)
            }
        }
    }

    /// What a path names; type parameters may stand before a `::`.
    pub fn resolve_path(&mut self, path: &ast::Path) -> Result<Resolution, decl::Problem> {
        if let [first, _] = path.segments.as_slice() {
            let found = self.scope.generics.iter().find(|(name, _)| *name == first.name);
            if let Some((_, GenericArg::Type(_))) = found {
                return Ok(Resolution::TypeParam(found.expect("just matched").1));
            }
        }
        self.resolve(path)
    }

    /// A local variable as a value.
    pub fn local(&mut self, local: crate::thir::LocalId, at: At, how: Use) -> ExprId {
        self.check_use(local, at, how);
        let ty = self.locals[local.0 as usize].ty;
        self.push(ty, at, ExprKind::Local(local))
    }

    fn resolved_value(
        &mut self,
        found: Resolution,
        path: &ast::Path,
        args: &[ast::TypeArg],
        at: At,
        expected: Option<Ty>,
    ) -> ExprId {
        let last = *path.segments.last().expect("a path has a segment");
        match found {
            Resolution::Functions(defs) => self.function_value(&defs, args, at, expected),
            Resolution::Global(def) => self.global(def, at),
            Resolution::Variant(def, index) => {
                self.variant_value(def, index, path, args, at, expected)
            }
            Resolution::TypeParam(GenericArg::Value(value)) => {
                let ty = self.value_param_type(last.name);
                self.constant(ty, at, ConstValue::int(value))
            }
            Resolution::TypeParam(GenericArg::Type(ty)) if path.segments.len() > 1 => {
                self.member_value(ty, last, at)
            }
            Resolution::Member(_, member) => {
                let ty = self.path_prefix_type(path, args);
                self.member_value(ty, member, at)
            }
            Resolution::Type(_) | Resolution::TypeParam(_) | Resolution::Prelude(_) => {
                self.error(at, format!("Undefined variable '{}'", last.name))
            }
        }
    }

    /// The type named by all segments of a path but the last.
    pub fn path_prefix_type(&mut self, path: &ast::Path, args: &[ast::TypeArg]) -> Ty {
        let count = path.segments.len().saturating_sub(1).max(1);
        let prefix = ast::Path { segments: path.segments[..count].to_vec().into() };
        self.path_type(&prefix, args)
    }

    /// The type that a path with arguments names.
    pub fn path_type(&mut self, path: &ast::Path, args: &[ast::TypeArg]) -> Ty {
        match decl::resolve_type(self.db, &self.scope, path) {
            Ok(Resolution::TypeParam(GenericArg::Type(ty))) => ty,
            Ok(Resolution::Type(def)) => {
                let (expected, got) = (decl::type_generics(self.db, def).len(), args.len());
                if expected != got {
                    let name = path.segments.last().expect("a path has a segment").name;
                    let message =
                        format!("Type '{name}' expects {expected} type arguments, got {got}");
                    self.report(path.segments[0].at, message);
                    self.poisoned = true;
                    return TY.error;
                }
                let args = self.lower_args(args);
                let ty = decl::type_of(self.db, def, args);
                self.poisoned |= is_error(ty);
                ty
            }
            Ok(_) => {
                self.poisoned = true;
                TY.error
            }
            Err(problem) => {
                self.problem(problem);
                TY.error
            }
        }
    }

    fn value_param_type(&self, name: cm_base::Name) -> Ty {
        let params = self.signature.map_or(&[][..], |signature| &signature.generics);
        params
            .iter()
            .find(|param| param.name == name)
            .and_then(|param| param.value)
            .unwrap_or(TY.int)
    }

    /// A function as a value.
    fn function_value(
        &mut self,
        defs: &[DefId],
        args: &[ast::TypeArg],
        at: At,
        expected: Option<Ty>,
    ) -> ExprId {
        let mut found = None;
        for def in defs {
            let Some(signature) = self.signature_of(*def) else { continue };
            let Some((ty, args)) = self.function_type(*def, signature, args, expected) else {
                continue;
            };
            let kind = if signature.foreign { InstanceKind::Foreign } else { InstanceKind::Source };
            let instance = Instance { def: *def, kind, args };
            if Some(ty) == expected || found.is_none() {
                found = Some((ty, instance));
            }
        }
        match found {
            Some((ty, instance)) => self.push(ty, at, ExprKind::Function(Box::new(instance))),
            None => self.error(at, "Cannot infer type parameters of the function"),
        }
    }

    fn global(&mut self, def: DefId, at: At) -> ExprId {
        match crate::global_use(self.db, def).as_deref() {
            Some(GlobalUse { ty, constant: Some(value) }) if !is_aggregate(value) => {
                self.constant(*ty, at, value.clone())
            }
            Some(global) => self.push(global.ty, at, ExprKind::Global(Box::new(def))),
            None => {
                self.poisoned = true;
                let ty = decl::global_ty(self.db, def);
                self.push(ty, at, ExprKind::Error)
            }
        }
    }

    /// `T::m` as a value: a variant, or a static method.
    fn member_value(&mut self, ty: Ty, member: ast::Ident, at: At) -> ExprId {
        if is_error(ty) {
            return self.poison(at);
        }
        if let TyKind::Enum(..) = *ty
            && let Some(index) = self.variant_index(ty, member.name)
        {
            return self.variant(ty, index, None, at);
        }
        match decl::method(self.db, ty, member.name) {
            Some(method) => {
                let instance = self.instance(&method, &[]);
                let Some(signature) = self.signature_of(method.def) else { return self.poison(at) };
                if signature.has_self {
                    let name = member.name;
                    return self
                        .error(at, format!("Method '{name}' of '{ty}' is not a static method"));
                }
                let ty = self.instance_type(&instance);
                self.push(ty, at, ExprKind::Function(Box::new(instance)))
            }
            None if matches!(*ty, TyKind::Enum(..)) => {
                let meant = self.meant_variant(ty, member.name);
                self.error(at, format!("Unknown variant '{}' of enum '{ty}'{meant}", member.name))
            }
            None => {
                let meant = self.meant_method(ty, member.name);
                self.error(at, format!("Unknown method '{}' for type '{ty}'{meant}", member.name))
            }
        }
    }

    // ---- type queries

    /// The type of an operand that is not evaluated.
    pub fn type_of_operand(&mut self, id: ast::ExprId) -> Ty {
        let expr = self.expr(id, None);
        self.ty(expr)
    }

    /// The operand of `sizeof` as a type; a name that is only a variable is one too.
    fn sizeof_operand_type(&mut self, id: ast::TypeId) -> Ty {
        if let ast::TypeKind::Path(path, args) = &self.arena[id].kind
            && args.is_empty()
        {
            let is_type = decl::resolve_type(self.db, &self.scope, path).is_ok();
            if !is_type {
                let at = self.arena[id].at;
                let expr = self.path(path, args, at, None);
                return self.ty(expr);
            }
        }
        self.lower(id)
    }

    fn size_constant(&mut self, ty: Ty, at: At, pick: fn(layout::Layout) -> u64) -> ExprId {
        if is_error(ty) {
            return self.poison(at);
        }
        let value = pick(layout::of(self.db, ty));
        self.constant(TY.int_ty(IntTy::Uint), at, ConstValue::int(i128::from(value)))
    }

    fn type_name(&mut self, ty: Ty, at: At) -> ExprId {
        if is_error(ty) {
            return self.poison(at);
        }
        let name = cm_base::Name::new(&ty.to_string());
        self.constant(TY.str, at, ConstValue::Str(name))
    }

    // ---- members and elements

    fn field(&mut self, base: ast::ExprId, arrow: bool, name: ast::Ident, at: At) -> ExprId {
        let expr = self.expr(base, None);
        let Some(expr) = self.receiver(expr, arrow, at, "Cannot use '.' on pointer type") else {
            return self.poison(at);
        };
        self.field_of(expr, name.name, at)
    }

    /// The object behind `.` or `->`.
    pub fn receiver(&mut self, expr: ExprId, arrow: bool, at: At, wrong: &str) -> Option<ExprId> {
        let ty = self.ty(expr);
        match *ty {
            TyKind::Error => None,
            TyKind::Pointer { to, .. } if arrow => Some(self.push(to, at, ExprKind::Deref(expr))),
            TyKind::Pointer { .. } => {
                self.report(at, format!("{wrong} '{ty}'; use '->'"));
                None
            }
            _ if arrow => {
                self.report(at, format!("Cannot dereference non-pointer type '{ty}'"));
                None
            }
            _ => Some(expr),
        }
    }

    /// `e.f`.
    pub fn field_of(&mut self, expr: ExprId, name: cm_base::Name, at: At) -> ExprId {
        let ty = self.ty(expr);
        if !matches!(*ty, TyKind::Struct(..)) {
            return self.error(at, format!("Field access on non-struct type '{ty}'"));
        }
        let Some(field) = decl::field(self.db, ty, name) else {
            let meant = self.meant_field(ty, name);
            return self.error(at, format!("Unknown field '{name}' in struct '{ty}'{meant}"));
        };
        if field.private && !self.inside_impl_of(ty) {
            return self.error(at, format!("Cannot access private field '{name}'"));
        }
        self.poisoned |= is_error(field.ty);
        self.push(field.ty, at, ExprKind::Field(expr, field.index))
    }

    /// The code being checked is in an impl of this type, so its private members are visible.
    pub fn inside_impl_of(&self, ty: Ty) -> bool {
        match (self.scope.self_ty.as_deref(), &*ty) {
            (Some(TyKind::Struct(a, _)), TyKind::Struct(b, _))
            | (Some(TyKind::Enum(a, _)), TyKind::Enum(b, _)) => a == b,
            (Some(own), _) => *own == *ty,
            (None, _) => false,
        }
    }

    fn index(&mut self, base_id: ast::ExprId, index: ast::ExprId, at: At) -> ExprId {
        let left = self.expr(base_id, None);
        let index = self.integer_index(index, at);
        let ty = base(self.ty(left));
        let element = match *ty {
            TyKind::Error => return self.poison(at),
            TyKind::Array(element, _) | TyKind::Slice(element) => element,
            TyKind::Pointer { to, .. } if !matches!(*to, TyKind::Void) => to,
            TyKind::Str => {
                if self.bad(index) {
                    return self.poison(at);
                }
                let left = self.decay(left);
                return self.push(
                    TY.char,
                    at,
                    ExprKind::builtin(Builtin::StrAt, vec![left, index]),
                );
            }
            _ => return self.error(at, format!("Index access on non-array type '{ty}'")),
        };
        let element = if self.bad(index) { TY.error } else { element };
        self.push(element, at, ExprKind::Index(left, index))
    }

    /// An index or bound: any integer type.
    pub fn integer_index(&mut self, id: ast::ExprId, at: At) -> ExprId {
        let index = self.expr(id, None);
        let index = self.decay(index);
        let ty = self.ty(index);
        match *ty {
            TyKind::Int(_) | TyKind::Error => index,
            _ if self.is_plain_enum(ty) => self.convert(index, Conversion::Identity, TY.int),
            _ => self.error(at, "Array index must be an integer type"),
        }
    }

    fn sub_slice(
        &mut self,
        base_id: ast::ExprId,
        start: Option<ast::ExprId>,
        end: Option<ast::ExprId>,
        at: At,
    ) -> ExprId {
        let left = self.expr(base_id, None);
        let left = self.decay(left);
        let ty = self.ty(left);
        let mut args = vec![left];
        match start {
            Some(start) => {
                let start = self.integer_index(start, at);
                args.push(start);
            }
            None => {
                let zero = self.constant(TY.int, at, ConstValue::int(0));
                args.push(zero);
            }
        }
        if let Some(end) = end {
            let end = self.integer_index(end, at);
            args.push(end);
        }
        match *ty {
            TyKind::Error => self.poison(at),
            TyKind::Str => self.push(TY.str, at, ExprKind::builtin(Builtin::StrSlice, args)),
            TyKind::Array(element, _) | TyKind::Slice(element) => {
                let ty = TyKind::Slice(element).intern();
                self.push(ty, at, ExprKind::builtin(Builtin::SubSlice, args))
            }
            _ => self.error(at, format!("Index access on non-array type '{ty}'")),
        }
    }

    /// A value of a literal type as one of the type it is over.
    pub fn decay(&mut self, expr: ExprId) -> ExprId {
        let ty = self.ty(expr);
        match *ty {
            TyKind::Literal(over, _) => self.convert(expr, Conversion::Identity, over),
            _ => expr,
        }
    }

    // ---- unary operators

    fn unary(&mut self, op: UnaryOp, id: ast::ExprId, at: At, expected: Option<Ty>) -> ExprId {
        match op {
            UnaryOp::AddrOf => return self.address_of(id, at, expected),
            UnaryOp::Move => return self.move_value(id, at, expected),
            UnaryOp::PreInc => return self.inc_dec(id, false, false, at),
            UnaryOp::PreDec => return self.inc_dec(id, true, false, at),
            UnaryOp::Await => {
                let platform = cm_db::settings(self.db, redgreen::Root).platform;
                let problem = decl::async_problem(platform);
                return self.error(at, problem.unwrap_or("'await' is not supported yet"));
            }
            UnaryOp::Deref => return self.deref(id, at),
            UnaryOp::Neg | UnaryOp::Not | UnaryOp::BitNot => {}
        }
        let operand = self.expr(id, None);
        let operand = self.decay(operand);
        let ty = self.ty(operand);
        if is_error(ty) {
            return self.poison(at);
        }
        if let Some(call) = self.unary_operator(op, operand, at) {
            return call;
        }
        let operand = match self.is_plain_enum(ty) && op != UnaryOp::Not {
            true => self.convert(operand, Conversion::Identity, TY.int),
            false => operand,
        };
        let ty = self.ty(operand);
        let (fits, message) = match op {
            UnaryOp::Neg => (is_numeric(ty), "Negation requires numeric operand"),
            UnaryOp::Not => (ty == TY.bool, "Logical not requires bool operand"),
            _ => (matches!(*ty, TyKind::Int(_)), "Bitwise not requires integer operand"),
        };
        if !fits {
            return self.error(at, message);
        }
        let expr = self.push(ty, at, ExprKind::Unary(op, operand));
        // A negated literal is a constant like any other.
        if matches!(self.kind(operand), ExprKind::Const(_))
            && let Ok(value) = self.eval(expr)
        {
            self.exprs[expr.0 as usize].kind = ExprKind::Const(value);
        }
        expr
    }

    fn deref(&mut self, id: ast::ExprId, at: At) -> ExprId {
        let operand = self.expr(id, None);
        match *self.ty(operand) {
            TyKind::Error => self.poison(at),
            TyKind::Pointer { to, .. } if !matches!(*to, TyKind::Void) => {
                self.push(to, at, ExprKind::Deref(operand))
            }
            _ => {
                let ty = self.ty(operand);
                self.error(at, format!("Cannot dereference non-pointer type '{ty}'"))
            }
        }
    }

    fn address_of(&mut self, id: ast::ExprId, at: At, expected: Option<Ty>) -> ExprId {
        let stripped = self.strip(id);
        if let Some(local) = self.plain_local(stripped) {
            self.borrow(local, at);
        }
        let wanted = match expected.as_deref() {
            Some(TyKind::Pointer { to, .. }) => Some(*to),
            Some(TyKind::Function(..)) => expected,
            _ => None,
        };
        let operand = self.expr(id, wanted);
        if self.bad(operand) {
            return self.poison(at);
        }
        if matches!(self.kind(operand), ExprKind::Function(_)) {
            return operand;
        }
        if !self.is_place(operand) {
            return self.error(at, "Cannot take the address of this expression");
        }
        let is_const = self.const_place(operand).is_some();
        let ty = pointer(self.ty(operand), is_const);
        self.push(ty, at, ExprKind::AddrOf(operand))
    }

    fn inc_dec(&mut self, id: ast::ExprId, decrement: bool, postfix: bool, at: At) -> ExprId {
        let place = self.place(id, Use::Modify);
        let ty = self.ty(place);
        if is_error(ty) {
            return self.poison(at);
        }
        match self.constant_behind(place, id) {
            Some(Const::Variable(name)) => {
                return self.error(at, format!("Cannot modify const variable '{name}'"));
            }
            Some(Const::Macro(name)) => {
                return self.error(at, format!("Cannot modify macro '{name}'"));
            }
            Some(Const::Pointer) | None => {}
        }
        let counts = match *base(ty) {
            TyKind::Pointer { to, .. } => !matches!(*to, TyKind::Void),
            _ => is_numeric(base(ty)) || self.is_plain_enum(ty),
        };
        if !counts {
            return self.error(at, "Increment/decrement requires numeric operand");
        }
        if !self.check_place(place, id, at) {
            return self.poison(at);
        }
        self.push(ty, at, ExprKind::IncDec { place, decrement, postfix })
    }

    /// The index of a variant by name.
    pub fn variant_index(&self, ty: Ty, name: cm_base::Name) -> Option<u32> {
        let info = self.enum_type(ty)?;
        let names = info.variants.iter().map(|(name, ..)| *name);
        info.index.position(name, names).map(|index| index as u32)
    }

    /// The definition of a struct or enum type's generics, if the path names one without arguments.
    pub fn is_generic_type(&self, def: TypeDef) -> bool {
        matches!(def, TypeDef::Struct(_) | TypeDef::Enum(_))
            && !decl::type_generics(self.db, def).is_empty()
    }
}

fn is_aggregate(value: &ConstValue) -> bool {
    matches!(value, ConstValue::Aggregate(_) | ConstValue::Tag(_) | ConstValue::Variant(_))
}
