//! Declarations: everything about the program but what is inside bodies.
//!
//! This is what body checking sees of the world. Each function here is answered by small queries
//! (names of a scope, one signature, one type's impls), so that a body depends on what it names
//! and on nothing else.

use crate::{
    queries::{FnType, StructType},
    thir::{Derived, Instance},
    ty::{GenericArg, Ty},
};
use cm_base::{At, Name};
use cm_db::{Db, DefId, FileId};
use cm_syntax::ast;

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

/// A problem with a name or a type: a message for a place in the item at hand.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Problem {
    /// Where.
    pub at: At,
    /// One line.
    pub message: String,
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

/// A parameter.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub struct Param {
    /// Its name.
    pub name: Name,
    /// Its type.
    pub ty: Ty,
    /// `const`.
    pub is_const: bool,
    /// Has a default argument; its expression is in the signature's syntax ([`signature_ast`]).
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
    let _ = (db, scope, path);
    Err(Problem { at: path.segments[0].at, message: String::new() })
}

/// Resolves a path used as a type.
pub fn resolve_type(db: &dyn Db, scope: &Scope, path: &ast::Path) -> Result<Resolution, Problem> {
    let _ = (db, scope, path);
    Err(Problem { at: path.segments[0].at, message: String::new() })
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
    let _ = (db, scope, arena, ty, problems);
    crate::ty::TyKind::Error.intern()
}

/// The signature of a function. `None`: there is none.
pub fn signature(db: &dyn Db, def: DefId) -> Option<&Signature> {
    let _ = (db, def);
    None
}

/// The syntax of a function's signature, for its default arguments, with the scope to check them in.
pub fn signature_ast(db: &dyn Db, def: DefId) -> Option<std::sync::Arc<ast::Signature>> {
    let _ = (db, def);
    None
}

/// The syntax of a function's body, apart from its positions.
pub fn body_ast(db: &dyn Db, def: DefId) -> Option<std::sync::Arc<ast::Body>> {
    let _ = (db, def);
    None
}

/// The scope that the body of an instance is resolved in.
pub fn body_scope(db: &dyn Db, instance: &Instance) -> Scope {
    let _ = (db, instance);
    Scope { file: instance.def.file, namespace: Vec::new(), generics: Vec::new(), self_ty: None }
}

/// The syntax of a global's type and initializer.
pub fn global_ast(db: &dyn Db, def: DefId) -> Option<std::sync::Arc<ast::Global>> {
    let _ = (db, def);
    None
}

/// The declared type of a global. Does not evaluate it.
pub fn global_ty(db: &dyn Db, def: DefId) -> Ty {
    let _ = (db, def);
    crate::ty::TyKind::Error.intern()
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
    let _ = (db, ty, name);
    None
}

/// The `default` field of a struct type.
pub fn default_field(db: &dyn Db, ty: Ty) -> Option<FieldInfo> {
    let _ = (db, ty);
    None
}

/// The type parameters of a struct, enum or interface.
pub fn type_generics(db: &dyn Db, def: TypeDef) -> Vec<GenericParam> {
    let _ = (db, def);
    Vec::new()
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

/// The method of this name that some impl of the program gives a type.
pub fn method(db: &dyn Db, ty: Ty, name: Name) -> Option<Method> {
    let _ = (db, ty, name);
    None
}

/// The operator function of a type with this number of parameters (0: unary, 1: binary).
pub fn operator(db: &dyn Db, ty: Ty, operator: ast::Operator, params: usize) -> Option<Method> {
    let _ = (db, ty, operator, params);
    None
}

/// The constructors of a type.
pub fn constructors(db: &dyn Db, ty: Ty) -> Vec<Method> {
    let _ = (db, ty);
    Vec::new()
}

/// The methods that make a type satisfy an interface, in the interface's slot order. `None`: it
/// does not. Built-in interfaces satisfied by built-in types give an empty list.
pub fn implements(db: &dyn Db, ty: Ty, interface: Ty) -> Option<Vec<Instance>> {
    let _ = (db, ty, interface);
    None
}

/// Slot and types of a method of an interface type.
pub fn interface_method(db: &dyn Db, interface: Ty, name: Name) -> Option<(u32, FnType)> {
    let _ = (db, interface, name);
    None
}

/// A struct type with its fields; see [`crate::struct_type`].
pub fn struct_type(db: &dyn Db, ty: Ty) -> Option<&StructType> {
    crate::struct_type(db, ty).as_deref()
}

/// Replaces type parameters in a type.
pub fn substitute(ty: Ty, generics: &[(Name, GenericArg)]) -> Ty {
    let _ = generics;
    ty
}
