//! Functions in all their forms, globals and macros.

use super::{Parse, Parser, items::global_kind};
use crate::{
    ast::{
        Arena, ArmBody, BinaryOp, Block, Body, Bound, ExprId, Function, GenericKind, GenericParam,
        Generics, Global, GlobalKind, Ident, ItemKind, Operator, Param, Primitive, Role, Signature,
        Stmt, StmtKind, TypeId, TypeKind,
    },
    token::TokenKind as T,
};
use cm_base::{Hashed, Name};
use std::sync::Arc;

/// The words before a function.
#[derive(Default)]
struct Modifiers {
    overload: bool,
    is_static: bool,
    inline: bool,
    is_async: bool,
    private: bool,
    constexpr: bool,
    extern_c: bool,
}

/// Where a parameter list stands.
#[derive(Clone, Copy, PartialEq)]
enum Params {
    /// In a function.
    Own,
    /// In a prototype: names may be missing, and `...` may end it.
    Foreign,
}

impl Parser<'_> {
    // ------------------------------------------------------------ functions and globals

    pub(super) fn function_or_global(&mut self, extern_c: bool) -> Parse<(Ident, ItemKind)> {
        let modifiers = Modifiers { extern_c, ..self.modifiers() };
        let generics = self.generics()?;
        let (is_const, ty) = self.declared_type()?;
        let name = self.ident()?;
        if self.kind().is_lparen() {
            let signature = self.signature(modifiers, generics, Role::Plain, Some(ty))?;
            return Ok((name, self.function(signature)));
        }
        let kind = global_kind(is_const || modifiers.constexpr);
        let value = self.global_value();
        Ok((name, self.global(kind, ty, value)))
    }

    fn global_value(&mut self) -> Option<ExprId> {
        let first = self.mark_behind();
        let value = match self.expect(T::Assign) {
            Ok(_) => self.expr_inside(),
            Err(failed) => Err(failed),
        };
        match value {
            Ok(value) => {
                self.semicolon();
                Some(value)
            }
            Err(_) => {
                self.skip_item(first);
                None
            }
        }
    }

    fn global(&mut self, kind: GlobalKind, ty: TypeId, value: Option<ExprId>) -> ItemKind {
        let arena = self.take_arena();
        ItemKind::Global(Arc::new(Global { kind, ty, value, arena }))
    }

    fn modifiers(&mut self) -> Modifiers {
        let mut modifiers = Modifiers::default();
        loop {
            let flag = match self.kind() {
                T::Overload => &mut modifiers.overload,
                T::Static => &mut modifiers.is_static,
                T::Inline => &mut modifiers.inline,
                T::Async => &mut modifiers.is_async,
                T::Private => &mut modifiers.private,
                T::Constexpr => &mut modifiers.constexpr,
                _ => return modifiers,
            };
            *flag = true;
            self.bump();
        }
    }

    /// The rest of a function after its signature: a block, or `;`.
    fn function(&mut self, signature: Signature) -> ItemKind {
        let signature = Hashed::new(signature);
        let mut body = None;
        if !self.eat(T::Semi) {
            let first = self.mark_behind();
            match self.block() {
                Ok(block) => {
                    let arena = self.take_arena();
                    body = Some(Hashed::new(Body { block, arena }));
                }
                Err(_) => self.skip_item(first),
            }
        }
        ItemKind::Function(Function { signature, body })
    }

    /// Parameters and constraints. Takes the arena.
    fn signature(
        &mut self,
        modifiers: Modifiers,
        mut generics: Generics,
        role: Role,
        ret: Option<TypeId>,
    ) -> Parse<Signature> {
        let (params, _) = self.params(Params::Own)?;
        generics.wheres = self.wheres()?;
        let arena = self.take_arena();
        Ok(make_signature(modifiers, generics, role, ret, params, arena))
    }

    /// `(…)`. A wrong parameter is reported, and the rest of the list skipped.
    fn params(&mut self, place: Params) -> Parse<(Vec<Param>, bool)> {
        self.expect_lparen()?;
        let mut params = Vec::new();
        let mut variadic = false;
        let mut has_default = false;
        while self.kind() != T::RParen {
            if place == Params::Foreign && self.eat(T::Ellipsis) {
                variadic = true;
                break;
            }
            let Ok(param) = self.param(place) else {
                self.skip_parens();
                return Ok((params, variadic));
            };
            has_default |= param.default.is_some();
            if has_default && param.default.is_none() {
                let range = self.out.spans.get(param.name.at);
                let message = format_args!("Default argument required for '{}'", param.name.name);
                self.error_at(range, message);
            }
            params.push(param);
            if !self.eat(T::Comma) {
                break;
            }
            if self.kind() == T::RParen {
                self.error("Expected type");
            }
        }
        if self.expect(T::RParen).is_err() {
            self.skip_parens();
        }
        Ok((params, variadic))
    }

    fn param(&mut self, place: Params) -> Parse<Param> {
        let (is_const, ty) = self.declared_type()?;
        let name = match self.kind() {
            T::Ident => self.ident()?,
            _ if place == Params::Foreign => self.no_ident(),
            _ => self.ident()?,
        };
        let default = match self.eat(T::Assign) {
            true => Some(self.expr_inside()?),
            false => None,
        };
        Ok(Param { is_const, ty, name, default })
    }

    /// A foreign function.
    pub(super) fn prototype(&mut self) -> Parse<(Ident, ItemKind)> {
        let (_, ty) = self.declared_type()?;
        let name = self.ident()?;
        let (params, variadic) = self.params(Params::Foreign)?;
        self.expect(T::Semi)?;
        let arena = self.take_arena();
        let (modifiers, generics) = Default::default();
        let signature = make_signature(modifiers, generics, Role::Plain, Some(ty), params, arena);
        let signature = Hashed::new(Signature { variadic, ..signature });
        Ok((name, ItemKind::Function(Function { signature, body: None })))
    }

    // ------------------------------------------------------------ members

    /// A method, constructor, destructor or operator of an impl.
    pub(super) fn member(&mut self) -> Parse<(Ident, ItemKind)> {
        let modifiers = self.modifiers();
        match self.kind() {
            T::SelfKw => {
                let name = self.take_word();
                let signature =
                    self.signature(modifiers, Generics::default(), Role::Constructor, None)?;
                Ok((name, self.function(signature)))
            }
            T::Tilde => {
                let start = self.bump().start;
                self.expect(T::SelfKw)?;
                let name = Ident { name: Name::new("~self"), at: self.span(start) };
                let signature =
                    self.signature(modifiers, Generics::default(), Role::Destructor, None)?;
                if let Some(param) = signature.params.first() {
                    let range = self.out.spans.get(param.name.at);
                    self.error_at(range, "A destructor has no parameters");
                }
                Ok((name, self.function(signature)))
            }
            T::Operator => {
                let (name, signature) = self.operator(modifiers)?;
                Ok((name, self.function(signature)))
            }
            _ => {
                let generics = self.generics()?;
                let ty = self.ty()?;
                let name = self.ident()?;
                let signature = self.signature(modifiers, generics, Role::Plain, Some(ty))?;
                Ok((name, self.function(signature)))
            }
        }
    }

    /// `operator R +(…)`.
    fn operator(&mut self, modifiers: Modifiers) -> Parse<(Ident, Signature)> {
        self.expect(T::Operator)?;
        let ret = self.operator_type()?;
        let Some(operator) = operator_symbol(self.kind()) else {
            return Err(self.error("Expected operator symbol"));
        };
        let name = self.take_word();
        let role = Role::Operator(operator);
        Ok((name, self.signature(modifiers, Generics::default(), role, Some(ret))?))
    }

    /// A signature in an interface.
    pub(super) fn interface_member(&mut self) -> Parse<(Ident, Hashed<Signature>)> {
        let (name, signature) = if self.kind() == T::Operator {
            self.operator(Modifiers::default())?
        } else {
            let ty = self.ty()?;
            let name = self.ident()?;
            let (modifiers, generics) = Default::default();
            (name, self.signature(modifiers, generics, Role::Plain, Some(ty))?)
        };
        self.expect(T::Semi)?;
        Ok((name, Hashed::new(signature)))
    }

    // ------------------------------------------------------------ type parameters

    /// `<T, U: Ord>`, if it is there.
    pub(super) fn generics(&mut self) -> Parse<Generics> {
        let mut generics = Generics::default();
        if !self.eat(T::Lt) {
            return Ok(generics);
        }
        loop {
            let name = self.ident()?;
            let kind = if !self.eat(T::Colon) {
                GenericKind::Type(None)
            } else if self.eat(T::Const) {
                GenericKind::Value(self.ty()?)
            } else {
                GenericKind::Type(Some(self.bound()?))
            };
            generics.params.push(GenericParam { name, kind });
            if !self.eat(T::Comma) {
                break;
            }
        }
        self.expect_gt()?;
        Ok(generics)
    }

    /// `where T: I, U: J`, if it is there.
    pub(super) fn wheres(&mut self) -> Parse<Vec<(Ident, Bound)>> {
        let mut wheres = Vec::new();
        if !self.eat(T::Where) {
            return Ok(wheres);
        }
        loop {
            let name = self.ident()?;
            self.expect(T::Colon)?;
            wheres.push((name, self.bound()?));
            if !self.eat(T::Comma) {
                return Ok(wheres);
            }
        }
    }

    fn bound(&mut self) -> Parse<Bound> {
        let first = self.ident()?;
        let any = self.kind() == T::Pipe;
        let mut interfaces = vec![first];
        while self.kind() == if any { T::Pipe } else { T::Plus } {
            self.bump();
            interfaces.push(self.ident()?);
        }
        Ok(Bound { interfaces, any })
    }

    // ------------------------------------------------------------ macros

    /// `macro T N = e;`: a constant, or a function if `T` is a function type and `e` a lambda.
    pub(super) fn macro_item(&mut self) -> Parse<(Ident, ItemKind)> {
        self.expect(T::Macro)?;
        let (_, ty) = self.declared_type()?;
        let name = self.ident()?;
        let function = match &self.out.arena[ty].kind {
            TypeKind::Function { ret, params } => Some((*ret, params.clone())),
            _ => None,
        };
        if let Some((ret, types)) = function
            && self.kind() == T::Assign
            && self.peek(1) == T::LParenArrow
        {
            self.bump();
            return Ok((name, self.function_macro(name, ret, &types)?));
        }
        let value = self.global_value();
        Ok((name, self.global(GlobalKind::Macro, ty, value)))
    }

    fn function_macro(&mut self, name: Ident, ret: TypeId, types: &[TypeId]) -> Parse<ItemKind> {
        let params = self.lambda_params()?;
        if params.len() != types.len() {
            let range = self.out.spans.get(name.at);
            let (found, expected) = (params.len(), types.len());
            self.error_at(
                range,
                format_args!("Type mismatch in macro '{}': its type has {expected} parameters, its value {found}", name.name),
            );
        }
        let params = params.into_iter().zip(types).map(|((ty, name), declared)| {
            let ty = ty.unwrap_or(*declared);
            Param { is_const: false, ty, name, default: None }
        });
        let params = params.collect();
        let void = matches!(self.out.arena[ret].kind, TypeKind::Primitive(Primitive::Void));
        let arena = self.take_arena();
        let (modifiers, generics) = Default::default();
        let signature = make_signature(modifiers, generics, Role::Plain, Some(ret), params, arena);
        self.expect(T::FatArrow)?;
        let start = self.start();
        let block = match self.arm_body()? {
            ArmBody::Block(block) => block,
            ArmBody::Expr(value) => {
                let at = self.span(start);
                let kind = if void { StmtKind::Expr(value) } else { StmtKind::Return(Some(value)) };
                Block { at, stmts: vec![Stmt { at, kind }] }
            }
        };
        self.semicolon();
        let body = Some(Hashed::new(Body { block, arena: self.take_arena() }));
        let signature = Hashed::new(Signature { is_macro: true, ..signature });
        Ok(ItemKind::Function(Function { signature, body }))
    }
}

fn make_signature(
    modifiers: Modifiers,
    generics: Generics,
    role: Role,
    ret: Option<TypeId>,
    params: Vec<Param>,
    arena: Arena,
) -> Signature {
    let Modifiers { overload, is_static, inline, is_async, private, extern_c, .. } = modifiers;
    let (variadic, is_macro) = (false, false);
    Signature {
        role,
        overload,
        is_static,
        inline,
        is_async,
        private,
        extern_c,
        is_macro,
        generics,
        ret,
        params,
        variadic,
        arena,
    }
}

fn operator_symbol(kind: T) -> Option<Operator> {
    Some(Operator::Binary(match kind {
        T::Tilde => return Some(Operator::BitNot),
        T::Bang => return Some(Operator::Not),
        T::EqEq => BinaryOp::Eq,
        T::NotEq => BinaryOp::Ne,
        T::Lt => BinaryOp::Lt,
        T::Gt => BinaryOp::Gt,
        T::Le => BinaryOp::Le,
        T::Ge => BinaryOp::Ge,
        T::Plus => BinaryOp::Add,
        T::Minus => BinaryOp::Sub,
        T::Star => BinaryOp::Mul,
        T::Slash => BinaryOp::Div,
        T::Percent => BinaryOp::Rem,
        T::Amp => BinaryOp::BitAnd,
        T::Pipe => BinaryOp::BitOr,
        T::Caret => BinaryOp::BitXor,
        T::Shl => BinaryOp::Shl,
        T::Shr => BinaryOp::Shr,
        _ => return None,
    }))
}
