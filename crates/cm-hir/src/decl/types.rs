//! From written types to types, and type parameters.

use super::{
    GenericParam, ItemKind, Problem, Resolution, Scope, TypeDef, alias_info, generics_of,
    global_ast, in_cycle, item, resolve,
};
use crate::{
    thir::ConstValue,
    ty::{FloatTy, GenericArg, IntTy, LiteralValue, Ty, TyKind},
};
use cm_base::{At, Name};
use cm_db::{Db, DefId};
use cm_syntax::ast::{
    self, Arena, ArrayLen, ExprKind, Literal, Primitive, TypeArg, TypeId, TypeKind, TypedefKind,
};

/// How constants in types are found.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Constants {
    /// By evaluation.
    Evaluate,
    /// Only those with a literal as initializer. For the headers of impls, which evaluation itself
    /// depends on.
    Literal,
}

/// Lowers types of one arena.
pub(super) struct Lower<'a> {
    pub db: &'a dyn Db,
    pub scope: &'a Scope,
    pub arena: &'a Arena,
    pub constants: Constants,
    pub problems: &'a mut Vec<Problem>,
}

impl Lower<'_> {
    pub(super) fn ty(&mut self, id: TypeId) -> Ty {
        stacker::maybe_grow(64 * 1024, 1024 * 1024, || self.kind(id)).intern()
    }

    fn kind(&mut self, id: TypeId) -> TyKind {
        let arena = self.arena;
        let node = &arena[id];
        match &node.kind {
            TypeKind::Error => TyKind::Error,
            TypeKind::Auto => {
                let message = "'auto' is only for local variables with an initializer".to_owned();
                self.problem(node.at, message);
                TyKind::Error
            }
            TypeKind::Typeof(_) => {
                self.problem(node.at, "'typeof' is not supported in this type".to_owned());
                TyKind::Error
            }
            TypeKind::Null => TyKind::Null,
            TypeKind::Primitive(primitive) => primitive_type(*primitive),
            TypeKind::Path(path, args) => self.path(node.at, path, args),
            TypeKind::Const(inner) => match &arena[*inner].kind {
                TypeKind::Pointer(to) => TyKind::Pointer { to: self.ty(*to), is_const: true },
                _ => self.kind(*inner),
            },
            TypeKind::Pointer(to) => {
                let is_const = matches!(arena[*to].kind, TypeKind::Const(_));
                TyKind::Pointer { to: self.ty(*to), is_const }
            }
            TypeKind::Function { ret, params } => {
                let ret = self.ty(*ret);
                TyKind::Function(params.iter().map(|param| self.ty(*param)).collect(), ret)
            }
            TypeKind::Array(element, len) => {
                let element = self.ty(*element);
                self.array(element, node.at, *len)
            }
            TypeKind::Slice(element) => TyKind::Slice(self.ty(*element)),
            TypeKind::Reference(_) => {
                self.problem(node.at, "References are not supported".to_owned());
                TyKind::Error
            }
            TypeKind::Union(members) => self.union(members),
        }
    }

    fn problem(&mut self, at: At, message: String) {
        self.problems.push(Problem::new(at, message));
    }

    fn path(&mut self, at: At, path: &ast::Path, args: &[TypeArg]) -> TyKind {
        match resolve::ty(self.db, self.scope, path) {
            Ok(Resolution::TypeParam(GenericArg::Type(ty))) => (*ty).clone(),
            Ok(Resolution::Type(def)) => self.named(at, def, args),
            Ok(_) => {
                self.problem(at, format!("Unknown type '{}'", super::type_text::path(path)));
                TyKind::Error
            }
            Err(problem) => {
                self.problems.push(problem);
                TyKind::Error
            }
        }
    }

    fn named(&mut self, at: At, def: TypeDef, args: &[TypeArg]) -> TyKind {
        match def {
            TypeDef::BuiltinInterface(name) => TyKind::BuiltinInterface(name),
            TypeDef::Alias(def) => {
                self.arguments(at, def, &[], args);
                self.alias(def)
            }
            TypeDef::Struct(id) | TypeDef::Enum(id) | TypeDef::Interface(id) => {
                let params = generics_of(self.db, id);
                match self.arguments(at, id, params, args) {
                    Some(args) => (*super::type_of(self.db, def, args)).clone(),
                    None => TyKind::Error,
                }
            }
        }
    }

    fn alias(&mut self, def: DefId) -> TyKind {
        if self.constants == Constants::Evaluate {
            return (*alias_info(self.db, def).ty).clone();
        }
        if *in_cycle(self.db, def) {
            return TyKind::Error;
        }
        let scope = super::def_scope(self.db, def);
        match item(self.db, def).as_ref().map(|item| &item.kind) {
            Some(ItemKind::Typedef(node)) => {
                (*typedef(self.db, &scope, node, Constants::Literal, &mut Vec::new())).clone()
            }
            _ => TyKind::Error,
        }
    }

    fn arguments(
        &mut self,
        at: At,
        def: DefId,
        params: &[GenericParam],
        args: &[TypeArg],
    ) -> Option<Vec<GenericArg>> {
        if params.len() != args.len() {
            let name = crate::display::simple_name(def);
            let (expected, got) = (params.len(), args.len());
            let message = format!("Type '{name}' expects {expected} type arguments, got {got}");
            self.problem(at, message);
            return None;
        }
        params.iter().zip(args).map(|(param, arg)| self.argument(at, param, *arg)).collect()
    }

    /// An argument for a type parameter; `None` after an error.
    pub(super) fn argument(
        &mut self,
        at: At,
        param: &GenericParam,
        arg: TypeArg,
    ) -> Option<GenericArg> {
        match (param.value, arg) {
            (None, TypeArg::Type(ty)) => Some(GenericArg::Type(self.ty(ty))),
            (Some(_), TypeArg::Number(number, _)) => Some(GenericArg::Value(number.into())),
            (Some(_), TypeArg::Type(ty)) => {
                let arena = self.arena;
                if let TypeKind::Path(path, args) = &arena[ty].kind
                    && args.is_empty()
                    && let Some(value) = self.constant(path)
                {
                    return Some(value);
                }
                let name = param.name;
                self.problem(at, format!("Type parameter '{name}' expects a constant"));
                None
            }
            (None, TypeArg::Number(..)) => {
                self.problem(at, format!("Type parameter '{}' expects a type", param.name));
                None
            }
        }
    }

    fn array(&mut self, element: Ty, at: At, len: ArrayLen) -> TyKind {
        let value = match len {
            ArrayLen::Number(len) => Some(GenericArg::Value(len.into())),
            ArrayLen::Named(name) => self.constant(&name.into()),
        };
        match value {
            Some(GenericArg::Value(len)) => match u64::try_from(len) {
                Ok(len) if len > 0 && len <= u64::from(u32::MAX) * 16 => {
                    TyKind::Array(element, len)
                }
                _ => {
                    self.problem(at, "Array size must be a positive integer".to_owned());
                    TyKind::Error
                }
            },
            Some(GenericArg::Param(name)) => TyKind::ArrayParam(element, name),
            Some(GenericArg::Type(_)) => TyKind::Error,
            None => {
                self.problem(at, "Array size must be a const variable".to_owned());
                TyKind::Error
            }
        }
    }

    /// The integer that a name stands for. A global that is reported elsewhere counts as an
    /// erroneous type, to say nothing twice.
    fn constant(&mut self, path: &ast::Path) -> Option<GenericArg> {
        let found = resolve::value(self.db, self.scope, path, resolve::Aliases::Keep);
        match found {
            Ok(Resolution::TypeParam(arg @ (GenericArg::Value(_) | GenericArg::Param(_)))) => {
                Some(arg)
            }
            Ok(Resolution::Global(def)) => {
                self.global(def).map(|value| value.map_or(erroneous(), GenericArg::Value))
            }
            Err(problem) if problem.message.is_empty() => Some(erroneous()),
            _ => None,
        }
    }

    /// `None`: no integer constant. `Some(None)`: one with an error.
    fn global(&self, def: DefId) -> Option<Option<i128>> {
        let declared = super::global_info(self.db, def).as_ref()?.ty;
        if !matches!(*declared, TyKind::Int(_)) {
            return None;
        }
        if self.constants == Constants::Literal {
            return literal_value(self.db, def).map(Some);
        }
        if *in_cycle(self.db, def) {
            return Some(None);
        }
        let Some(global) = crate::global(self.db, def) else { return Some(None) };
        let value = match global.init {
            ConstValue::Int(value) => Some(value.into()),
            ConstValue::Zero => Some(0),
            _ => None,
        };
        global.constant.then_some(value)
    }

    fn union(&mut self, members: &[TypeId]) -> TyKind {
        let mut all: Vec<Ty> = Vec::new();
        for member in members {
            let ty = self.ty(*member);
            let flat = match &*ty {
                TyKind::Union(inner) => inner.clone(),
                _ => vec![ty],
            };
            for ty in flat {
                if *ty == TyKind::Error {
                    return TyKind::Error;
                }
                if !all.contains(&ty) {
                    all.push(ty);
                }
            }
        }
        match all.as_slice() {
            [only] => (**only).clone(),
            _ => TyKind::Union(all),
        }
    }
}

/// The value of a constant whose initializer is a literal.
fn literal_value(db: &dyn Db, def: DefId) -> Option<i128> {
    let node = global_ast(db, def)?;
    match node.value.map(|value| &node.arena[value].kind) {
        Some(ExprKind::Literal(Literal::Int(value))) if node.kind != ast::GlobalKind::Variable => {
            Some((*value).into())
        }
        _ => None,
    }
}

fn erroneous() -> GenericArg {
    GenericArg::Type(TyKind::Error.intern())
}

/// What an alias stands for.
pub(super) fn typedef(
    db: &dyn Db,
    scope: &Scope,
    node: &ast::Typedef,
    constants: Constants,
    problems: &mut Vec<Problem>,
) -> Ty {
    match &node.kind {
        TypedefKind::Type(ty) => {
            Lower { db, scope, arena: &node.arena, constants, problems }.ty(*ty)
        }
        TypedefKind::Literals(literals) => literal_type(literals, problems).intern(),
    }
}

fn literal_type(literals: &[(Literal, At)], problems: &mut Vec<Problem>) -> TyKind {
    let mut base = None;
    let mut values = Vec::new();
    for (literal, at) in literals {
        let (kind, value) = match literal {
            Literal::Int(value) => (TyKind::Int(IntTy::Int), LiteralValue::Int((*value).into())),
            Literal::Float(bits) => (TyKind::Float(FloatTy::Double), LiteralValue::Float(*bits)),
            Literal::Str(text) => (TyKind::Str, LiteralValue::Str(*text)),
            Literal::Char(_) | Literal::Bool(_) => (TyKind::Error, LiteralValue::Int(0)),
        };
        let base = base.get_or_insert_with(|| kind.clone());
        if kind == TyKind::Error || *base != kind {
            let message = "Literals of a literal type must have one type".to_owned();
            problems.push(Problem::new(*at, message));
            return TyKind::Error;
        }
        values.push(value);
    }
    match base {
        Some(base) => TyKind::Literal(base.intern(), values),
        None => TyKind::Error,
    }
}

/// The type of a keyword.
pub(super) fn primitive_type(primitive: Primitive) -> TyKind {
    match primitive {
        Primitive::Void => TyKind::Void,
        Primitive::Bool => TyKind::Bool,
        Primitive::Char => TyKind::Char,
        Primitive::String => TyKind::Str,
        Primitive::Cstring => TyKind::CStr,
        Primitive::Tiny => TyKind::Int(IntTy::Tiny),
        Primitive::Short => TyKind::Int(IntTy::Short),
        Primitive::Int => TyKind::Int(IntTy::Int),
        Primitive::Long => TyKind::Int(IntTy::Long),
        Primitive::Utiny => TyKind::Int(IntTy::Utiny),
        Primitive::Ushort => TyKind::Int(IntTy::Ushort),
        Primitive::Uint => TyKind::Int(IntTy::Uint),
        Primitive::Ulong => TyKind::Int(IntTy::Ulong),
        Primitive::Isize => TyKind::Int(IntTy::Isize),
        Primitive::Usize => TyKind::Int(IntTy::Usize),
        Primitive::Float => TyKind::Float(FloatTy::Float),
        Primitive::Double => TyKind::Float(FloatTy::Double),
        Primitive::Ufloat => TyKind::Float(FloatTy::Ufloat),
        Primitive::Udouble => TyKind::Float(FloatTy::Udouble),
    }
}

/// Type parameters as arguments for themselves: what they are inside the generic item.
pub(super) fn identity(params: &[GenericParam]) -> Vec<(Name, GenericArg)> {
    params.iter().map(|param| (param.name, param_arg(param))).collect()
}

fn param_arg(param: &GenericParam) -> GenericArg {
    match param.value {
        Some(_) => GenericArg::Param(param.name),
        None => GenericArg::Type(TyKind::Param(param.name).intern()),
    }
}
