//! Declarations: everything about the program but what is inside bodies.
//!
//! This is what body checking sees of the world. Each function here is answered by small queries
//! (names of a scope, one signature, one type's impls), so that a body depends on what it names
//! and on nothing else.

mod bounds;
mod builtin;
mod check;
mod conform;
mod diagnostics;
mod graph;
mod impls;
mod imports;
mod info;
mod interfaces;
mod item_tree;
mod lookup;
mod missing;
mod name_index;
mod names;
mod paths;
mod queries;
mod resolve;
mod subst;
mod target;
mod type_text;
mod types;
mod wounds;

#[cfg(test)]
mod tests;

pub(crate) use bounds::supports;
pub use bounds::unsatisfied;
pub use diagnostics::{checked_files, documentation, missing_entry, positions};
pub use graph::{ImportCycle, ModuleGraph, Need};
pub use impls::{
    Candidate, Head, Impl, ImplIndex, ImplKey, InterfaceId, Member, MemberKey, TypeImpls,
    constructors, method, method_names, operator,
};
pub use imports::{Edge, Imports, NamedImport, Place, Source as ImportSource};
pub use info::{
    EnumInfo, FieldDecl, ImplInfo, InterfaceInfo, SignatureInfo, StructInfo, TypeInfo, VariantDecl,
};
pub use interfaces::{implements, interface_method, interface_operator, is_declared, required};
pub use item_tree::{Entry, Item, ItemKind, ItemTree};
pub use lookup::{Found, QualifiedName, ScopedName, Space};
pub use missing::offered;
pub use name_index::NameIndex;
pub(crate) use names::known_names;
pub use names::{Class, Exports, Names, Target, Thing};
pub use queries::*;
pub use subst::{is_closed, substitute, substitute_args, unify, unify_args};
pub(crate) use target::async_problem;
pub use target::wrong_platform;

use crate::{
    queries::{EnumType, FnType, StructType},
    thir::{Derived, Instance, InstanceKind},
    ty::{GenericArg, Ty, TyKind},
};
use cm_base::{At, Name, Severity};
use cm_db::{Db, DefId, FileId, settings};
use cm_syntax::ast;
use redgreen::Root;
use std::sync::Arc;

/// Where a name is looked up from.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Scope {
    /// The file.
    pub file: FileId,
    /// The enclosing namespaces, outermost first.
    pub namespace: Vec<Name>,
    /// Type parameters in force: concrete arguments in a body, [`GenericArg::Param`] or
    /// `TyKind::Param` in a signature.
    pub generics: Vec<(Name, GenericArg)>,
    /// In an impl: the type that gets the methods. Private members of it are accessible.
    pub self_ty: Option<Ty>,
}

/// What a path names.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Resolution {
    /// Functions, Cm or foreign; several only if all are marked `overload`.
    Functions(Vec<DefId>),
    /// A global variable, constant or constant macro.
    Global(DefId),
    /// A struct, enum, interface or alias: its definition.
    Type(TypeDef),
    /// `E::V`: the enum and the index of the variant.
    Variant(DefId, u32),
    /// A type parameter.
    TypeParam(GenericArg),
    /// `T::m` where T is a struct, enum or alias: the type's definition and the member's name.
    Member(TypeDef, ast::Ident),
    /// `print` or `println`, not redefined by the program.
    Prelude(Name),
}

/// A named type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TypeDef {
    /// `struct`.
    Struct(DefId),
    /// `enum`.
    Enum(DefId),
    /// `interface`.
    Interface(DefId),
    /// A built-in interface.
    BuiltinInterface(Name),
    /// `typedef`.
    Alias(DefId),
}

/// A problem with a name or a type: a message for a place in the item at hand. An empty message is
/// one that is reported elsewhere, and not shown.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub struct Problem {
    /// Where.
    pub at: At,
    /// The part of that place which is to blame. It is shown in its stead, unless it begins on another
    /// line: on which line an error is reported is a part of the language.
    pub part: Option<At>,
    /// One line.
    pub message: String,
    /// Whether it keeps the program from being compiled.
    pub severity: Severity,
    /// What explains it, and where.
    pub notes: Vec<ProblemNote>,
}

/// An explanation of a [`Problem`].
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub struct ProblemNote {
    /// The item with the place. `None`: the one with the problem.
    pub def: Option<DefId>,
    /// Where.
    pub at: At,
    /// One line.
    pub message: String,
}

impl Problem {
    /// A problem that needs no explanation.
    pub fn new(at: At, message: impl Into<String>) -> Problem {
        Problem {
            at,
            part: None,
            message: message.into(),
            severity: Severity::Error,
            notes: Vec::new(),
        }
    }

    /// One with which the program is compiled all the same.
    pub fn warning(at: At, message: impl Into<String>) -> Problem {
        Problem { severity: Severity::Warning, ..Problem::new(at, message) }
    }

    /// With an explanation in the same item.
    #[must_use]
    pub fn note(mut self, at: At, message: &str) -> Problem {
        self.notes.push(ProblemNote { def: None, at, message: message.to_owned() });
        self
    }

    /// With the name of a definition as an explanation.
    #[must_use]
    pub fn note_def(mut self, db: &dyn Db, def: DefId, message: &str) -> Problem {
        if let Some(item) = item(db, def) {
            let (at, message) = (item.name.at, message.to_owned());
            self.notes.push(ProblemNote { def: Some(def), at, message });
        }
        self
    }
}

/// The declared signature of a function, generic over its own and its impl's type parameters.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub struct Signature {
    /// The function's name (of a method: without the type).
    pub name: Name,
    /// Type parameters of the impl (if any), then its own.
    pub generics: Vec<GenericParam>,
    /// How many of them are the impl's.
    pub impl_generics: u32,
    /// The type of the impl it is in.
    pub self_ty: Option<Ty>,
    /// Has a receiver.
    pub has_self: bool,
    /// `private`.
    pub private: bool,
    /// `overload`.
    pub overload: bool,
    /// Parameters.
    pub params: Vec<Param>,
    /// Result type.
    pub ret: Ty,
    /// A foreign function with variable arguments.
    pub variadic: bool,
    /// It is a prototype of `extern` or `use libc`; its C symbol is `name`.
    pub foreign: bool,
    /// `export extern "C"` with a body: its C symbol is `name`.
    pub extern_c: bool,
}

impl Signature {
    /// How many arguments a call must give.
    pub fn required(&self) -> usize {
        self.params.iter().take_while(|param| !param.default).count()
    }
}

/// A parameter.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub struct Param {
    /// Its name.
    pub name: Name,
    /// Its type.
    pub ty: Ty,
    /// `const`.
    pub is_const: bool,
    /// Has a default argument; its expression is in the signature's syntax.
    pub default: bool,
}

/// A type parameter.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub struct GenericParam {
    /// Its name.
    pub name: Name,
    /// A value parameter, of this type.
    pub value: Option<Ty>,
    /// Interfaces it must satisfy: all, or with `any` one of them.
    pub bounds: Vec<Ty>,
    /// Bounds are joined by `|`.
    pub any: bool,
}

/// Resolves a path used as a value or callee; the error is ready to be reported. An unqualified
/// name that is nowhere gives `Undefined variable 'x'`.
pub fn resolve_value(db: &dyn Db, scope: &Scope, path: &ast::Path) -> Result<Resolution, Problem> {
    resolve::value(db, scope, path, resolve::Aliases::Follow)
}

/// Resolves a path used as a type.
pub fn resolve_type(db: &dyn Db, scope: &Scope, path: &ast::Path) -> Result<Resolution, Problem> {
    resolve::ty(db, scope, path)
}

/// The type that a written type denotes; problems are pushed and give [`crate::ty::TyKind::Error`].
/// `auto` and `typeof(e)` are the caller's. `const T` of a variable gives T (of a pointee: a const
/// pointer).
pub fn lower_type(
    db: &dyn Db,
    scope: &Scope,
    arena: &ast::Arena,
    ty: ast::TypeId,
    problems: &mut Vec<Problem>,
) -> Ty {
    let constants = types::Constants::Evaluate;
    types::Lower { db, scope, arena, constants, problems }.ty(ty)
}

/// The arguments for type parameters that are written; `None` after an error, which is pushed.
/// Fewer than the parameters are allowed: the rest is inferred.
pub fn lower_type_args(
    db: &dyn Db,
    scope: &Scope,
    arena: &ast::Arena,
    at: At,
    params: &[GenericParam],
    args: &[ast::TypeArg],
    problems: &mut Vec<Problem>,
) -> Option<Vec<GenericArg>> {
    let constants = types::Constants::Evaluate;
    let mut lower = types::Lower { db, scope, arena, constants, problems };
    if args.len() > params.len() {
        let message = format!("Expected {} type arguments, got {}", params.len(), args.len());
        lower.problems.push(Problem::new(at, message));
        return None;
    }
    params.iter().zip(args).map(|(param, arg)| lower.argument(at, param, *arg)).collect()
}

/// The signature of a function. `None`: there is none.
pub fn signature(db: &dyn Db, def: DefId) -> Option<&Signature> {
    signature_info(db, def).as_ref().map(|info| &info.signature)
}

/// The scope of a definition, its type parameters standing for themselves.
pub fn def_scope(db: &dyn Db, def: DefId) -> Scope {
    let Some(item) = item(db, def) else {
        return Scope { file: def.file, namespace: vec![], generics: vec![], self_ty: None };
    };
    match signature(db, def) {
        Some(signature) => signature_scope(def, item, signature),
        None => {
            let generics = types::identity(generics_of(db, def));
            Scope { generics, ..info::bare_scope(def, item) }
        }
    }
}

fn signature_scope(def: DefId, item: &Item, signature: &Signature) -> Scope {
    let generics = types::identity(&signature.generics);
    Scope { generics, self_ty: signature.self_ty, ..info::bare_scope(def, item) }
}

/// The scope that the body of an instance is resolved in.
pub fn body_scope(instance: &Instance, item: &Item, signature: &Signature) -> Scope {
    let mut scope = signature_scope(instance.def, item, signature);
    for ((_, param), arg) in scope.generics.iter_mut().zip(&instance.args) {
        *param = *arg;
    }
    scope.self_ty = scope.self_ty.map(|ty| substitute(ty, &scope.generics));
    scope
}

/// The syntax of a global's type and initializer.
pub fn global_ast(db: &dyn Db, def: DefId) -> Option<Arc<ast::Global>> {
    match &item(db, def).as_ref()?.kind {
        ItemKind::Global(global) => Some(global.clone()),
        _ => None,
    }
}

/// The declared type of a global. Does not evaluate it.
pub fn global_ty(db: &dyn Db, def: DefId) -> Ty {
    global_info(db, def).as_ref().map_or_else(|| TyKind::Error.intern(), |info| info.ty)
}

/// The initializer of a global needs its own value. It must not be evaluated then.
pub fn global_cycle(db: &dyn Db, def: DefId) -> bool {
    *in_cycle(db, def)
}

/// A field of a struct type as access checks need it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct FieldInfo {
    /// Its index.
    pub index: u32,
    /// Its type, with the struct's arguments substituted.
    pub ty: Ty,
    /// `private`.
    pub private: bool,
    /// `const`.
    pub is_const: bool,
}

/// A field by name.
pub fn field(db: &dyn Db, ty: Ty, name: Name) -> Option<FieldInfo> {
    let find =
        |info: &StructInfo| info.index.position(name, info.fields.iter().map(|field| field.name));
    find_field(db, ty, find)
}

/// The `default` field of a struct type.
pub fn default_field(db: &dyn Db, ty: Ty) -> Option<FieldInfo> {
    find_field(db, ty, |info| info.fields.iter().position(|field| field.default))
}

fn find_field(
    db: &dyn Db,
    ty: Ty,
    find: impl Fn(&StructInfo) -> Option<usize>,
) -> Option<FieldInfo> {
    let TyKind::Struct(def, args) = &*ty else { return None };
    let info = struct_info(db, *def).as_ref()?;
    let index = find(info)?;
    let FieldDecl { private, is_const, ty, .. } = info.fields[index];
    let ty = substitute(ty, &interfaces::bindings(db, *def, args));
    Some(FieldInfo { index: index as u32, ty, private, is_const })
}

/// The type parameters of a struct, enum or interface.
pub fn type_generics(db: &dyn Db, def: TypeDef) -> Vec<GenericParam> {
    match def {
        TypeDef::Struct(def) | TypeDef::Enum(def) | TypeDef::Interface(def) => {
            generics_of(db, def).clone()
        }
        TypeDef::BuiltinInterface(_) | TypeDef::Alias(_) => Vec::new(),
    }
}

/// The type that a definition names, with arguments (none for aliases). `None`: it is an
/// interface's, or there is no such definition.
pub fn type_of(db: &dyn Db, def: TypeDef, args: Vec<GenericArg>) -> Ty {
    match def {
        TypeDef::Struct(def) => TyKind::Struct(def, args).intern(),
        TypeDef::Enum(def) => TyKind::Enum(def, args).intern(),
        TypeDef::Interface(def) => TyKind::Interface(def, args).intern(),
        TypeDef::BuiltinInterface(name) => TyKind::BuiltinInterface(name).intern(),
        TypeDef::Alias(def) => alias_info(db, def).ty,
    }
}

/// A method found on a type.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Method {
    /// The function.
    pub def: DefId,
    /// [`crate::thir::InstanceKind::Derived`] if it comes from `with`.
    pub derived: Option<Derived>,
    /// Arguments for the impl's type parameters (for derived ones: the struct's arguments).
    pub args: Vec<GenericArg>,
}

/// A struct type with its fields; see [`crate::struct_type`].
pub fn struct_type(db: &dyn Db, ty: Ty) -> Option<&StructType> {
    crate::struct_type(db, ty).as_deref()
}

// ---------------------------------------------------------------- queries for later stages

/// The types of an instance. `None`: there is no such function.
pub fn fn_type(db: &dyn Db, instance: &Instance) -> Option<FnType> {
    if let InstanceKind::Derived(derived) = instance.kind {
        return impls::derived_type(db, instance, derived);
    }
    let signature = signature(db, instance.def)?;
    let generics = signature.generics.iter().map(|param| param.name);
    let generics: Vec<_> = generics.zip(instance.args.iter().copied()).collect();
    let params = signature.params.iter().map(|param| substitute(param.ty, &generics)).collect();
    let symbol = (signature.foreign || signature.extern_c).then_some(signature.name);
    Some(FnType {
        has_self: signature.has_self,
        params,
        ret: substitute(signature.ret, &generics),
        variadic: signature.variadic,
        symbol,
    })
}

pub(crate) fn compute_struct_type(db: &dyn Db, ty: &Ty) -> Option<Arc<StructType>> {
    let TyKind::Struct(def, args) = &**ty else { return None };
    let info = struct_info(db, *def).as_ref()?;
    let generics = interfaces::bindings(db, *def, args);
    let endless = *contains_itself(db, *def);
    let field = |field: &FieldDecl| {
        let ty = if endless { TyKind::Error.intern() } else { substitute(field.ty, &generics) };
        (field.name, ty)
    };
    Some(Arc::new(StructType {
        name: Name::from(ty.to_string()),
        fields: info.fields.iter().map(field).collect(),
        destructor: impls::destructor(db, *ty),
    }))
}

pub(crate) fn compute_enum_type(db: &dyn Db, ty: &Ty) -> Option<Arc<EnumType>> {
    let TyKind::Enum(def, args) = &**ty else { return None };
    let info = enum_info(db, *def).as_ref()?;
    let generics = interfaces::bindings(db, *def, args);
    let endless = *contains_itself(db, *def);
    let payload = |ty| if endless { TyKind::Error.intern() } else { substitute(ty, &generics) };
    let variants = info.variants.iter();
    let variants: Vec<_> =
        variants.map(|one| (one.name, one.value, one.payload.map(payload))).collect();
    Some(Arc::new(EnumType {
        name: Name::from(ty.to_string()),
        payload: variants.iter().any(|(_, _, payload)| payload.is_some()),
        variants,
        index: NameIndex::default(),
    }))
}

pub(crate) fn compute_entry(db: &dyn Db, _: &Root) -> Option<Instance> {
    let root = settings(db, Root).root;
    let found = names(db, root).get(Name::new(""), Name::new("main"))?;
    let Thing::Declared(Class::Function, defs) = found else { return None };
    let def = defs[0];
    let plain = signature(db, def)?.generics.is_empty();
    plain.then(|| Instance { def, kind: InstanceKind::Source, args: Vec::new() })
}

pub(crate) fn compute_files(db: &dyn Db, _: &Root) -> Vec<FileId> {
    module_graph(db, Root).files.clone()
}

pub(crate) fn compute_diagnostics(db: &dyn Db, _: &Root) -> Vec<cm_base::Diagnostic> {
    diagnostics::compute(db)
}
