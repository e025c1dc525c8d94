//! What each definition declares: fields, variants, signatures, headers. One query a definition,
//! which reads the syntax of that definition and looks up the names in it.

use super::{
    GenericParam, Item, ItemKind, Param, Problem, Scope, Signature, builtin, enum_info,
    generics_of, global_ast, impl_info, in_cycle, item,
    item_tree::member_name,
    name_index::NameIndex,
    resolve,
    types::{Constants, Lower, identity, primitive_type, typedef},
};
use crate::ty::{GenericArg, Ty, TyKind};
use cm_base::{At, Name};
use cm_db::{Db, DefId};
use cm_syntax::ast::{self, Arena, GenericKind, Role, TypeArg, TypeId, TypeKind};
use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A field of a struct.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct FieldDecl {
    /// Its name.
    pub name: Name,
    /// Its type, in terms of the struct's parameters.
    pub ty: Ty,
    /// `private`.
    pub private: bool,
    /// `const`.
    pub is_const: bool,
    /// `default`.
    pub default: bool,
}

/// A struct.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct StructInfo {
    /// Its fields.
    pub fields: Vec<FieldDecl>,
    /// Where they are.
    #[serde(skip)]
    pub index: NameIndex,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
}

/// A variant of an enum.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct VariantDecl {
    /// Its name.
    pub name: Name,
    /// Its value, or its tag.
    pub value: i64,
    /// Its payload.
    pub payload: Option<Ty>,
}

/// An enum.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct EnumInfo {
    /// Its variants.
    pub variants: Vec<VariantDecl>,
    /// Where they are.
    #[serde(skip)]
    pub index: NameIndex,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
}

/// An alias, or the declared type of a global.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct TypeInfo {
    /// The type.
    pub ty: Ty,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
}

/// A function.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct SignatureInfo {
    /// Its signature.
    pub signature: Signature,
    /// It has a body.
    pub has_body: bool,
    /// What is wrong with the signature.
    pub problems: Vec<Problem>,
}

/// An interface.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct InterfaceInfo {
    /// Its methods, by slot.
    pub methods: Vec<Signature>,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
}

/// The header of an impl.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct ImplInfo {
    /// Its type parameters, those left undeclared (`impl Box<T>`) included.
    pub generics: Vec<GenericParam>,
    /// The type that gets the methods.
    pub target: Ty,
    /// What it implements: an interface, or an erroneous type.
    pub interface: Option<Ty>,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
}

/// The scope of an item, without type parameters.
pub(super) fn bare_scope(def: DefId, item: &Item) -> Scope {
    let namespace = match item.namespace.as_str() {
        "" => Vec::new(),
        path => path.split("::").map(Name::new).collect(),
    };
    Scope { file: def.file, namespace, generics: Vec::new(), self_ty: None }
}

fn lower(db: &dyn Db, scope: &Scope, arena: &Arena, ty: TypeId, problems: &mut Vec<Problem>) -> Ty {
    Lower { db, scope, arena, constants: Constants::Evaluate, problems }.ty(ty)
}

// ---------------------------------------------------------------- type parameters

pub(super) fn compute_generics(db: &dyn Db, def: &DefId) -> Vec<GenericParam> {
    let Some(item) = item(db, *def) else { return Vec::new() };
    let (generics, arena) = match &item.kind {
        ItemKind::Struct(node) => (&node.generics, &node.arena),
        ItemKind::Enum(node) => (&node.generics, &node.arena),
        ItemKind::Interface(node) => (&node.generics, &node.arena),
        _ => return Vec::new(),
    };
    params(db, &bare_scope(*def, item), generics, arena, &mut Vec::new())
}

/// Type parameters as declared.
pub(super) fn params(
    db: &dyn Db,
    scope: &Scope,
    generics: &ast::Generics,
    arena: &Arena,
    problems: &mut Vec<Problem>,
) -> Vec<GenericParam> {
    let mut params: Vec<GenericParam> = Vec::new();
    for param in &generics.params {
        if params.iter().any(|other| other.name == param.name.name) {
            problems.push(already_defined(param.name));
        }
        let mut lowered =
            GenericParam { name: param.name.name, value: None, bounds: Vec::new(), any: false };
        match &param.kind {
            GenericKind::Type(None) => {}
            GenericKind::Type(Some(bound)) => add_bound(db, scope, &mut lowered, bound, problems),
            GenericKind::Value(ty) => lowered.value = Some(value_type(arena, *ty)),
        }
        params.push(lowered);
    }
    for (name, bound) in &generics.wheres {
        match params.iter_mut().find(|param| param.name == name.name) {
            Some(param) => add_bound(db, scope, param, bound, problems),
            None => {
                let message = format!("Unknown type '{}'", name.name);
                problems.push(Problem::new(name.at, message));
            }
        }
    }
    params
}

/// The type of a value parameter. Primitive types alone: looking further would ask for types while
/// type parameters are being found.
fn value_type(arena: &Arena, ty: TypeId) -> Ty {
    match arena.types.get(ty.0 as usize).map(|node| &node.kind) {
        Some(TypeKind::Primitive(primitive)) => primitive_type(*primitive).intern(),
        Some(TypeKind::Const(inner)) if inner.0 < ty.0 => value_type(arena, *inner),
        _ => TyKind::Error.intern(),
    }
}

fn add_bound(
    db: &dyn Db,
    scope: &Scope,
    param: &mut GenericParam,
    bound: &ast::Bound,
    problems: &mut Vec<Problem>,
) {
    param.any = bound.any;
    for name in &bound.interfaces {
        let path = ast::Path::from(*name);
        match resolve::ty(db, scope, &path) {
            Ok(super::Resolution::Type(super::TypeDef::BuiltinInterface(name))) => {
                param.bounds.push(TyKind::BuiltinInterface(name).intern());
            }
            Ok(super::Resolution::Type(super::TypeDef::Interface(def))) => {
                param.bounds.push(TyKind::Interface(def, Vec::new()).intern());
            }
            Ok(_) => {
                let message = format!("'{}' is not a declared interface", name.name);
                problems.push(Problem::new(name.at, message));
            }
            Err(problem) => problems.push(problem),
        }
    }
}

pub(super) fn already_defined(name: ast::Ident) -> Problem {
    Problem::new(name.at, format!("'{}' is already defined", name.name))
}

// ---------------------------------------------------------------- types

pub(super) fn compute_struct(db: &dyn Db, def: &DefId) -> Option<Arc<StructInfo>> {
    let item = item(db, *def).as_ref()?;
    let ItemKind::Struct(node) = &item.kind else { return None };
    let mut problems = Vec::new();
    let mut scope = bare_scope(*def, item);
    scope.generics = identity(&params(db, &scope, &node.generics, &node.arena, &mut problems));
    let mut fields: Vec<FieldDecl> = Vec::new();
    let mut names = FxHashSet::default();
    for field in &node.fields {
        if !names.insert(field.name.name) {
            problems.push(already_defined(field.name));
        }
        let ty = lower(db, &scope, &node.arena, field.ty, &mut problems);
        let ty = not_void(&node.arena, field.ty, ty, &mut problems);
        let ast::Field { private, is_const, default, .. } = *field;
        fields.push(FieldDecl { name: field.name.name, ty, private, is_const, default });
    }
    for name in node.derives.iter().filter(|name| !builtin::is_derivable(name.name)) {
        let message = format!("Unknown interface '{}' in 'with' clause", name.name);
        problems.push(Problem::new(item.at, message));
    }
    Some(Arc::new(StructInfo { fields, index: NameIndex::default(), problems }))
}

pub(super) fn compute_derives(db: &dyn Db, def: &DefId) -> Vec<Name> {
    let Some(ItemKind::Struct(node)) = item(db, *def).as_ref().map(|item| &item.kind) else {
        return Vec::new();
    };
    let names = node.derives.iter().map(|name| name.name);
    names.filter(|name| builtin::is_derivable(*name)).collect()
}

fn not_void(arena: &Arena, id: TypeId, ty: Ty, problems: &mut Vec<Problem>) -> Ty {
    if *ty != TyKind::Void {
        return ty;
    }
    problems.push(Problem::new(arena[id].at, "Type 'void' has no values".to_owned()));
    TyKind::Error.intern()
}

pub(super) fn compute_enum(db: &dyn Db, def: &DefId) -> Option<Arc<EnumInfo>> {
    let item = item(db, *def).as_ref()?;
    let ItemKind::Enum(node) = &item.kind else { return None };
    let mut problems = Vec::new();
    let mut scope = bare_scope(*def, item);
    scope.generics = identity(&params(db, &scope, &node.generics, &node.arena, &mut problems));
    let has_payload = node.variants.iter().any(|variant| variant.payload.is_some());
    let mut variants: Vec<VariantDecl> = Vec::new();
    let mut names = FxHashSet::default();
    let mut next: i128 = 0;
    for variant in &node.variants {
        if !names.insert(variant.name.name) {
            problems.push(already_defined(variant.name));
        }
        if has_payload && variant.value.is_some() {
            let message = "Payloads and explicit values do not mix in one enum".to_owned();
            problems.push(Problem::new(variant.name.at, message));
        }
        let value = variant.value.filter(|_| !has_payload).unwrap_or(next);
        let value = i32::try_from(value).unwrap_or_else(|_| {
            let message = format!("Value {value} does not fit an int");
            problems.push(Problem::new(variant.name.at, message));
            0
        });
        next = i128::from(value) + 1;
        let payload = variant.payload.map(|ty| {
            let lowered = lower(db, &scope, &node.arena, ty, &mut problems);
            not_void(&node.arena, ty, lowered, &mut problems)
        });
        variants.push(VariantDecl { name: variant.name.name, value: value.into(), payload });
    }
    Some(Arc::new(EnumInfo { variants, index: NameIndex::default(), problems }))
}

pub(super) fn compute_alias(db: &dyn Db, def: &DefId) -> TypeInfo {
    let mut problems = Vec::new();
    let ty = match item(db, *def).as_ref() {
        Some(item) => match &item.kind {
            ItemKind::Typedef(_) if *in_cycle(db, *def) => {
                let message = format!("Type alias '{}' refers to itself", item.name.name);
                problems.push(Problem::new(item.name.at, message));
                TyKind::Error.intern()
            }
            ItemKind::Typedef(node) => {
                let scope = bare_scope(*def, item);
                typedef(db, &scope, node, Constants::Evaluate, &mut problems)
            }
            _ => TyKind::Error.intern(),
        },
        None => TyKind::Error.intern(),
    };
    TypeInfo { ty, problems }
}

pub(super) fn compute_global(db: &dyn Db, def: &DefId) -> Option<TypeInfo> {
    let node = global_ast(db, *def)?;
    let item = item(db, *def).as_ref()?;
    let mut problems = Vec::new();
    let ty = lower(db, &bare_scope(*def, item), &node.arena, node.ty, &mut problems);
    let ty = not_void(&node.arena, node.ty, ty, &mut problems);
    Some(TypeInfo { ty, problems })
}

// ---------------------------------------------------------------- functions

pub(super) fn compute_signature(db: &dyn Db, def: &DefId) -> Option<Arc<SignatureInfo>> {
    let item = item(db, *def).as_ref()?;
    let ItemKind::Function { signature, has_body, foreign } = &item.kind else { return None };
    let mut scope = bare_scope(*def, item);
    let mut outer = Vec::new();
    if let Some(info) = item.parent.and_then(|parent| impl_info(db, parent).as_ref()) {
        outer.clone_from(&info.generics);
        scope.self_ty = Some(info.target);
    }
    let mut problems = Vec::new();
    let lowered = function(db, scope, outer, item.name, signature, &mut problems);
    let signature = Signature { foreign: *foreign, ..lowered };
    if *foreign {
        foreign_types(db, item, &signature, &mut problems);
    }
    Some(Arc::new(SignatureInfo { signature, has_body: *has_body, problems }))
}

/// The signature of a function whose scope has no type parameters yet.
fn function(
    db: &dyn Db,
    mut scope: Scope,
    outer: Vec<GenericParam>,
    name: ast::Ident,
    node: &ast::Signature,
    problems: &mut Vec<Problem>,
) -> Signature {
    let impl_generics = outer.len() as u32;
    scope.generics = identity(&outer);
    let mut generics = outer;
    generics.extend(params(db, &scope, &node.generics, &node.arena, problems));
    scope.generics = identity(&generics);
    let mut params: Vec<Param> = Vec::new();
    for param in &node.params {
        let named = !param.name.name.is_empty();
        if named && params.iter().any(|other| other.name == param.name.name) {
            problems.push(already_defined(param.name));
        }
        let ty = lower(db, &scope, &node.arena, param.ty, problems);
        let ty = not_void(&node.arena, param.ty, ty, problems);
        let (name, is_const) = (param.name.name, param.is_const);
        params.push(Param { name, ty, is_const, default: param.default.is_some() });
    }
    let ret = match node.ret {
        Some(ret) => lower(db, &scope, &node.arena, ret, problems),
        None => TyKind::Void.intern(),
    };
    Signature {
        name: member_name(node.role, name.name),
        generics,
        impl_generics,
        self_ty: scope.self_ty,
        has_self: scope.self_ty.is_some() && !node.is_static,
        private: node.private,
        overload: node.overload,
        params,
        ret,
        variadic: node.variadic,
        foreign: false,
        extern_c: node.extern_c,
    }
}

fn has_payload(db: &dyn Db, def: DefId) -> bool {
    let info = enum_info(db, def).as_ref();
    info.is_some_and(|info| info.variants.iter().any(|variant| variant.payload.is_some()))
}

fn foreign_types(db: &dyn Db, item: &Item, signature: &Signature, problems: &mut Vec<Problem>) {
    let types = signature.params.iter().map(|param| param.ty).chain([signature.ret]);
    for ty in types {
        let unknown_to_c = match &*ty {
            TyKind::Slice(_)
            | TyKind::Interface(..)
            | TyKind::BuiltinInterface(_)
            | TyKind::Union(_)
            | TyKind::Param(_) => true,
            TyKind::Struct(_, args) => !args.is_empty(),
            TyKind::Enum(def, args) => !args.is_empty() || has_payload(db, *def),
            _ => false,
        };
        if unknown_to_c {
            let message = format!("Type '{ty}' cannot be used in a foreign declaration");
            problems.push(Problem::new(item.name.at, message));
        }
    }
}

pub(super) fn compute_interface(db: &dyn Db, def: &DefId) -> Option<Arc<InterfaceInfo>> {
    let item = item(db, *def).as_ref()?;
    let ItemKind::Interface(node) = &item.kind else { return None };
    let mut problems = Vec::new();
    let generics = generics_of(db, *def);
    let scope = Scope { generics: identity(generics), ..bare_scope(*def, item) };
    let mut methods: Vec<Signature> = Vec::new();
    for (name, signature) in &node.members {
        let scope = scope.clone();
        let mut method = function(db, scope, generics.clone(), *name, signature, &mut problems);
        method.has_self = true;
        if methods
            .iter()
            .any(|other| other.name == method.name && other.params.len() == method.params.len())
        {
            problems.push(already_defined(*name));
        }
        methods.push(method);
    }
    Some(Arc::new(InterfaceInfo { methods, problems }))
}

// ---------------------------------------------------------------- impls

pub(super) fn compute_impl(db: &dyn Db, def: &DefId) -> Option<Arc<ImplInfo>> {
    let item = item(db, *def).as_ref()?;
    let ItemKind::Impl { header, .. } = &item.kind else { return None };
    let mut problems = Vec::new();
    let mut scope = bare_scope(*def, item);
    let mut generics = params(db, &scope, &header.generics, &header.arena, &mut problems);
    scope.generics = identity(&generics);
    undeclared(db, &scope, &header.arena, header.target, None, &mut generics);
    scope.generics = identity(&generics);
    let (arena, constants) = (&header.arena, Constants::Literal);
    let mut lower = Lower { db, scope: &scope, arena, constants, problems: &mut problems };
    let target = lower.ty(header.target);
    let interface = header
        .interface
        .as_ref()
        .map(|(path, args)| interface(&mut lower, header.arena[header.target].at, path, args));
    if matches!(*target, TyKind::Pointer { .. } | TyKind::Interface(..)) {
        let message = format!("Type '{target}' cannot have an impl");
        problems.push(Problem::new(header.arena[header.target].at, message));
    }
    Some(Arc::new(ImplInfo { generics, target, interface, problems }))
}

fn interface(lower: &mut Lower<'_>, at: At, path: &ast::Path, args: &[TypeArg]) -> Ty {
    let found = resolve::ty(lower.db, lower.scope, path);
    match found {
        Ok(super::Resolution::Type(super::TypeDef::BuiltinInterface(name))) => {
            return TyKind::BuiltinInterface(name).intern();
        }
        Ok(super::Resolution::Type(super::TypeDef::Interface(def))) => {
            let params = generics_of(lower.db, def);
            if params.len() == args.len() {
                let args = params.iter().zip(args);
                let args = args.map(|(param, arg)| lower.argument(at, param, *arg)).collect();
                if let Some(args) = args {
                    return TyKind::Interface(def, args).intern();
                }
            } else {
                let (name, expected, got) =
                    (crate::display::simple_name(def), params.len(), args.len());
                let message = format!("Type '{name}' expects {expected} type arguments, got {got}");
                lower.problems.push(Problem::new(path.segments[0].at, message));
            }
        }
        Err(problem) if problem.message.is_empty() => {}
        Err(problem) if !problem.message.starts_with("Unknown type") => {
            lower.problems.push(problem);
        }
        _ => {
            let message = format!("'{}' is not a declared interface", super::type_text::path(path));
            lower.problems.push(Problem::new(at, message));
        }
    }
    TyKind::Error.intern()
}

/// Adds the arguments of a target type that name nothing: they declare type parameters.
fn undeclared(
    db: &dyn Db,
    scope: &Scope,
    arena: &Arena,
    ty: TypeId,
    param: Option<&GenericParam>,
    generics: &mut Vec<GenericParam>,
) {
    match &arena[ty].kind {
        TypeKind::Path(path, args) => {
            if let ([name], Some(param), true) = (path.segments.as_slice(), param, args.is_empty())
                && !generics.iter().any(|known| known.name == name.name)
                && resolve::ty(db, scope, path).is_err()
                && resolve::simple(db, scope, name.name).is_empty()
            {
                let value = param.value;
                let name = name.name;
                generics.push(GenericParam { name, value, bounds: Vec::new(), any: false });
                return;
            }
            let Ok(super::Resolution::Type(
                super::TypeDef::Struct(def)
                | super::TypeDef::Enum(def)
                | super::TypeDef::Interface(def),
            )) = resolve::ty(db, scope, path)
            else {
                return;
            };
            for (param, arg) in generics_of(db, def).iter().zip(args) {
                if let TypeArg::Type(arg) = arg {
                    undeclared(db, scope, arena, *arg, Some(param), generics);
                }
            }
        }
        TypeKind::Slice(inner) | TypeKind::Array(inner, _) | TypeKind::Pointer(inner) => {
            let plain =
                GenericParam { name: Name::new(""), value: None, bounds: Vec::new(), any: false };
            // `impl Thing[]` with an unknown `Thing` is a mistake, `impl Box<T[]>` is not.
            let param = param.is_some().then_some(&plain);
            undeclared(db, scope, arena, *inner, param, generics);
        }
        _ => {}
    }
}

/// Arguments for the parameters, in order; those that matching left open stay parameters.
pub(super) fn arguments(
    generics: &[GenericParam],
    found: &[(Name, GenericArg)],
) -> Vec<GenericArg> {
    let own = identity(generics);
    let arg = |(name, own): &(Name, GenericArg)| {
        found.iter().find(|(found, _)| found == name).map_or(*own, |(_, arg)| *arg)
    };
    own.iter().map(arg).collect()
}

/// Whether a function is a constructor or destructor.
pub(super) fn is_structor(item: &Item) -> bool {
    matches!(&item.kind, ItemKind::Function { signature, .. }
        if matches!(signature.role, Role::Constructor | Role::Destructor))
}
