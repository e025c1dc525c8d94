//! Struct and array literals, enum variants, lambdas.

use super::{
    common::{TY, is_error},
    ctx::{Ctx, Frame},
};
use crate::{
    decl::{self, Resolution, TypeDef},
    thir::{Block, ConstValue, ExprId, ExprKind, Lambda, LocalKind, Stmt, StmtKind},
    ty::{GenericArg, Ty, TyKind},
};
use cm_base::At;
use cm_db::DefId;
use cm_syntax::ast;
use rustc_hash::FxHashSet;

/// How deep arrays may be inside of one another; types are walked recursively from here on.
const MAX_ARRAY_DEPTH: usize = 200;

/// How many arrays are inside of one another in a type.
fn array_depth(ty: Ty) -> usize {
    let element = |ty: Ty| match *ty {
        TyKind::Array(element, _) => Some(element),
        _ => None,
    };
    std::iter::successors(element(ty), |ty| element(*ty)).count()
}

impl<'a> Ctx<'a> {
    /// `P { x: 1 }`, `{ x: 1 }`.
    pub fn struct_literal(
        &mut self,
        ty: Option<ast::TypeId>,
        fields: &'a [(ast::Ident, ast::ExprId)],
        at: At,
        expected: Option<Ty>,
    ) -> ExprId {
        let ty = match ty {
            Some(ty) => self.literal_type(ty, at, expected),
            None => expected.unwrap_or(TY.void),
        };
        // A union takes a literal of its only struct member.
        let ty = match &*ty {
            TyKind::Union(members) => {
                let mut structs = members.iter().filter(|m| matches!(***m, TyKind::Struct(..)));
                structs.next().copied().unwrap_or(ty)
            }
            _ => ty,
        };
        if !matches!(*ty, TyKind::Struct(..)) {
            for (_, value) in fields {
                self.expr(*value, None);
            }
            return match is_error(ty) {
                true => self.poison(at),
                false => self.error(at, "Unknown struct type of literal"),
            };
        }
        let mut seen = FxHashSet::default();
        let mut out = Vec::with_capacity(fields.len());
        for (name, value) in fields {
            let Some(field) = decl::field(self.db, ty, name.name) else {
                let meant = self.meant_field(ty, name.name);
                let message = format!("Unknown field '{}' in struct '{ty}'{meant}", name.name);
                self.report(name.at, message);
                self.expr(*value, None);
                continue;
            };
            if field.private && !self.inside_impl_of(ty) {
                self.report(name.at, format!("Cannot access private field '{}'", name.name));
            }
            if !seen.insert(field.index) {
                self.report(name.at, format!("Field '{}' is already defined", name.name));
            }
            let value = self.expr_as(*value, field.ty, name.at, |from| {
                let to = field.ty;
                format!("Type mismatch in field '{}': expected '{to}', got '{from}'", name.name)
            });
            out.push((field.index, value));
        }
        self.push(ty, at, ExprKind::Struct(out.into()))
    }

    /// The type before a struct literal; without arguments, a generic one takes those wanted.
    fn literal_type(&mut self, id: ast::TypeId, at: At, expected: Option<Ty>) -> Ty {
        let arena = self.arena;
        if let ast::TypeKind::Path(path, args) = &arena[id].kind {
            match decl::resolve_type(self.db, &self.scope, path) {
                Ok(Resolution::Type(TypeDef::Struct(def))) if args.is_empty() => {
                    if let Some(TyKind::Struct(wanted, _)) = expected.as_deref()
                        && *wanted == def
                    {
                        return expected.unwrap_or(TY.error);
                    }
                }
                Ok(_) => {}
                Err(problem) => {
                    let name = path.segments.last().map(|last| last.name);
                    if problem.message.starts_with("Unknown type")
                        && let Some(name) = name
                    {
                        self.report(at, format!("Unknown struct type '{name}'"));
                    } else {
                        self.problem(problem);
                    }
                    self.poisoned = true;
                    return TY.error;
                }
            }
        }
        let ty = self.lower(id);
        if !is_error(ty) && !matches!(*ty, TyKind::Struct(..)) {
            self.report(at, format!("Unknown struct type '{ty}'"));
            self.poisoned = true;
            return TY.error;
        }
        ty
    }

    /// `[a, b]`: a slice where one is expected, else a fixed array.
    pub fn array_literal(
        &mut self,
        elements: &'a [ast::ExprId],
        at: At,
        expected: Option<Ty>,
    ) -> ExprId {
        let wanted = match expected.as_deref() {
            Some(TyKind::Union(members)) => {
                let is_sequence = |ty: &&Ty| matches!(***ty, TyKind::Array(..) | TyKind::Slice(_));
                members.iter().find(is_sequence).copied()
            }
            _ => expected,
        };
        let (element, mut ty) = match wanted.as_deref() {
            Some(TyKind::Array(element, len)) => {
                if elements.len() as u64 > *len {
                    let got = elements.len();
                    let to = wanted.unwrap_or(TY.error);
                    self.report(at, format!("Type mismatch: '{to}' cannot hold {got} elements"));
                    self.poisoned = true;
                }
                (Some(*element), wanted)
            }
            Some(TyKind::Slice(element)) => (Some(*element), wanted),
            Some(TyKind::Pointer { to, .. }) => (Some(*to), None),
            _ => (None, None),
        };
        let mut element = element;
        let mut out = Vec::with_capacity(elements.len());
        for id in elements {
            let value = match element {
                Some(to) => self.expr_as(*id, to, self.arena[*id].at, |from| {
                    format!("Type mismatch in array literal: expected '{to}', got '{from}'")
                }),
                None => {
                    let value = self.expr(*id, None);
                    element = Some(self.ty(value));
                    value
                }
            };
            out.push(value);
        }
        let Some(element) = element else {
            return self.error(at, "Cannot infer type of '[]'");
        };
        if is_error(element) {
            return self.poison(at);
        }
        if elements.is_empty() && ty.is_none() {
            return self.error(at, "Cannot infer type of '[]'");
        }
        let len = elements.len() as u64;
        let ty = *ty.get_or_insert_with(|| TyKind::Array(element, len).intern());
        if array_depth(ty) > MAX_ARRAY_DEPTH {
            return self.error(at, "nesting is too deep");
        }
        self.push(ty, at, ExprKind::Array(out.into()))
    }

    // ---- variants

    /// `E::V` as a value.
    pub fn variant_value(
        &mut self,
        def: DefId,
        index: u32,
        path: &ast::Path,
        args: &[ast::TypeArg],
        at: At,
        expected: Option<Ty>,
    ) -> ExprId {
        match self.enum_of_variant(def, path, args, expected) {
            Some(ty) => self.variant(ty, index, None, at),
            None => self.error(at, format!("Cannot infer type parameters of enum '{}'", def.path)),
        }
    }

    /// The enum type that `E::V` belongs to, as far as the context determines it.
    fn enum_of_variant(
        &mut self,
        def: DefId,
        path: &ast::Path,
        args: &[ast::TypeArg],
        expected: Option<Ty>,
    ) -> Option<Ty> {
        if !args.is_empty() {
            return Some(self.path_prefix_type(path, args));
        }
        let fits = |ty: &Ty| matches!(**ty, TyKind::Enum(found, _) if found == def);
        match expected.as_deref() {
            Some(TyKind::Enum(found, _)) if *found == def => return expected,
            Some(TyKind::Union(members)) => {
                if let Some(member) = members.iter().find(|ty| fits(ty)) {
                    return Some(*member);
                }
            }
            _ => {}
        }
        let generic = !decl::type_generics(self.db, TypeDef::Enum(def)).is_empty();
        (!generic).then(|| TyKind::Enum(def, Vec::new()).intern())
    }

    /// `E::V(payload)`.
    pub fn variant_call(
        &mut self,
        (def, index): (DefId, u32),
        path: &ast::Path,
        type_args: &[ast::TypeArg],
        args: &'a [ast::ExprId],
        at: At,
        expected: Option<Ty>,
    ) -> ExprId {
        if let Some(ty) = self.enum_of_variant(def, path, type_args, expected) {
            return self.variant_with(ty, index, args, at);
        }
        // The payload tells.
        let params = decl::type_generics(self.db, TypeDef::Enum(def));
        let generic =
            params.iter().map(|param| GenericArg::Type(TyKind::Param(param.name).intern()));
        let pattern = TyKind::Enum(def, generic.collect()).intern();
        let payload = self.enum_type(pattern).and_then(|info| info.variants[index as usize].2);
        let (Some(payload), [arg]) = (payload, args) else {
            return self.error(at, format!("Cannot infer type parameters of enum '{}'", def.path));
        };
        let value = self.expr(*arg, None);
        let mut bound = Vec::new();
        super::generics::unify(payload, self.ty(value), &mut bound);
        let mut list = Vec::new();
        for param in &params {
            match bound.iter().find(|(name, _)| *name == param.name) {
                Some((_, arg)) => list.push(*arg),
                None if self.bad(value) => return self.poison(at),
                None => {
                    let name = param.name;
                    return self.error(at, format!("Cannot infer type parameter '{name}'"));
                }
            }
        }
        let ty = TyKind::Enum(def, list).intern();
        self.variant(ty, index, Some(value), at)
    }

    /// A variant of a known enum type with arguments that are yet to be checked.
    pub fn variant_with(&mut self, ty: Ty, index: u32, args: &'a [ast::ExprId], at: At) -> ExprId {
        let payload = self
            .enum_type(ty)
            .and_then(|info| info.variants.get(index as usize))
            .and_then(|(_, _, payload)| *payload);
        match args {
            [] => self.variant(ty, index, None, at),
            [arg] => {
                let value = self.expr(*arg, payload);
                self.variant(ty, index, Some(value), at)
            }
            _ => {
                let got = args.len();
                self.error(at, format!("Variant of '{ty}' expects 1 argument, got {got}"))
            }
        }
    }

    /// A variant with its payload.
    pub fn variant(&mut self, ty: Ty, index: u32, value: Option<ExprId>, at: At) -> ExprId {
        let info = self.enum_type(ty);
        let Some(info) = info else { return self.poison(at) };
        let Some((name, number, payload)) = info.variants.get(index as usize) else {
            return self.poison(at);
        };
        let value = match (value, payload) {
            (Some(value), Some(payload)) => match self.coerce(value, *payload, false) {
                Some(value) => Some(value),
                None => {
                    let got = self.ty(value);
                    let callee = format!("{}::{name}", info.name);
                    return self.error(
                        at,
                        format!("Argument type mismatch in call to '{callee}': expected {payload}, got {got}"),
                    );
                }
            },
            (None, None) => None,
            (given, _) => {
                let (want, got) = (u8::from(given.is_none()), u8::from(given.is_some()));
                let callee = format!("{}::{name}", info.name);
                return self
                    .error(at, format!("Variant '{callee}' expects {want} arguments, got {got}"));
            }
        };
        match info.payload {
            false => self.constant(ty, at, ConstValue::int(i128::from(*number))),
            true => self.push(ty, at, ExprKind::Variant(index, value)),
        }
    }

    /// `E::V` written without a payload.
    pub fn is_bare_variant(&self, id: ast::ExprId) -> bool {
        let (prefix, name) = match &self.arena[self.strip(id)].kind {
            ast::ExprKind::Path(path, _) if path.segments.len() > 1 => {
                return matches!(
                    decl::resolve_value(self.db, &self.scope, path),
                    Ok(Resolution::Variant(def, _)) if self.has_payload(def)
                );
            }
            ast::ExprKind::TypePath { ty, member } => (*ty, member.name),
            _ => return false,
        };
        let _ = (prefix, name);
        true
    }

    fn has_payload(&self, def: DefId) -> bool {
        let params = decl::type_generics(self.db, TypeDef::Enum(def));
        let generic =
            params.iter().map(|param| GenericArg::Type(TyKind::Param(param.name).intern()));
        let ty = TyKind::Enum(def, generic.collect()).intern();
        self.enum_type(ty).is_some_and(|info| info.payload)
    }

    /// The right side of a comparison of tags: a payload may be left out.
    pub fn tag_operand(&mut self, id: ast::ExprId, hint: Option<Ty>) -> ExprId {
        let at = self.arena[id].at;
        if let Some(ty) = hint
            && let ast::ExprKind::Path(path, _) = &self.arena[self.strip(id)].kind
            && let Ok(Resolution::Variant(def, index)) = self.resolve(path)
            && matches!(*ty, TyKind::Enum(found, _) if found == def)
        {
            return self.push(ty, at, ExprKind::Variant(index, None));
        }
        if let Some(ty) = hint
            && let ast::ExprKind::TypePath { member, .. } = &self.arena[self.strip(id)].kind
            && let Some(index) = self.variant_index(ty, member.name)
        {
            return self.push(ty, at, ExprKind::Variant(index, None));
        }
        self.expr(id, hint)
    }

    // ---- lambdas

    /// `(int a) => …`.
    pub fn lambda(&mut self, lambda: &'a ast::Lambda, at: At, expected: Option<Ty>) -> ExprId {
        let wanted = match expected.as_deref() {
            Some(TyKind::Function(_, ret)) => Some(*ret),
            _ => None,
        };
        let mut frame = Frame::new(None);
        frame.wanted = wanted;
        self.frames.push(frame);
        self.enter();
        let mut params = Vec::with_capacity(lambda.params.len());
        let mut types = Vec::with_capacity(lambda.params.len());
        for (ty, name) in &lambda.params {
            let ty = match ty {
                Some(ty) => self.lower(*ty),
                None => {
                    let message =
                        format!("Lambda parameter '{}' must have an explicit type", name.name);
                    self.report(at, message);
                    self.poisoned = true;
                    TY.error
                }
            };
            types.push(ty);
            params.push(self.declare(*name, ty, LocalKind::Param));
        }
        let block = match &lambda.body {
            ast::ArmBody::Block(block) => self.block(block),
            ast::ArmBody::Expr(body) => self.lambda_value(*body, wanted),
        };
        self.leave();
        let frame = self.frames.pop().expect("the frame of the lambda");
        let ret = frame.ret.unwrap_or(TY.void);
        let captures = frame.captures;
        let ty = TyKind::Function(types, ret).intern();
        self.push(ty, at, ExprKind::Lambda(Box::new(Lambda { captures, params, ret, block })))
    }

    /// The body of a lambda that is one expression.
    fn lambda_value(&mut self, body: ast::ExprId, wanted: Option<Ty>) -> Block {
        let value = self.expr(body, wanted);
        let (at, ty) = (self.at(value), self.ty(value));
        self.top().ret = Some(ty);
        let kind = match ty == TY.void {
            true => StmtKind::Expr(value),
            false => StmtKind::Return(Some(value)),
        };
        Block { stmts: vec![Stmt { at, kind }] }
    }
}
