//! Files and items.

use super::{Arena, Body, ExprId, Ident, Literal, Operator, Path, TypeArg, TypeId};
use cm_base::{At, Hashed, Name, Positions};
use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

/// What a file parses to. Never fails: whatever cannot be parsed is left out and reported.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct File {
    /// In source order. Declarations whose `#[target(…)]` does not hold are still here.
    pub items: Vec<Item>,
    /// Lexical and syntax errors, in source order.
    pub errors: Vec<SyntaxError>,
    /// Positions of the errors, by [`SyntaxError::at`].
    pub positions: Positions,
    /// `//! platform: …` in the first five lines.
    pub platform: Option<(Name, At)>,
}

/// A lexical or syntax error. Its place is in [`File::positions`].
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct SyntaxError {
    /// One line, complete in itself.
    pub message: String,
    /// Where.
    pub at: At,
}

/// A declaration with what stands before it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Item {
    /// `#[…]` and `@[…]`.
    pub attributes: Vec<Attribute>,
    /// Has `export` before it.
    pub exported: bool,
    /// The declared name; empty for imports, impls, export lists and foreign blocks.
    pub name: Ident,
    /// The whole item.
    pub at: At,
    /// The declaration.
    pub kind: ItemKind,
    /// Positions of every node of this item but those of the members of an impl, a namespace or a
    /// foreign block, which have their own.
    pub positions: Positions,
    /// The comment lines directly before it.
    pub doc: Doc,
}

/// A comment, without comment marks. Invisible to `Eq` and `Hash`, as [`Positions`] are: a comment
/// changes no tree.
#[derive(Clone, Default, Debug)]
pub struct Doc(pub Option<Box<str>>);

impl PartialEq for Doc {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl Eq for Doc {}
impl Hash for Doc {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

/// `#[name(args)]`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Attribute {
    /// Its name.
    pub name: Ident,
    /// Its arguments.
    pub args: Vec<AttributeArg>,
}

/// An argument of an attribute.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct AttributeArg {
    /// Has `!` before it.
    pub negated: bool,
    /// The identifier, or the text of the string.
    pub value: Ident,
}

/// The declarations of a file. Those whose equality matters by itself are shared.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ItemKind {
    /// `module a::b;`
    Module(Path),
    /// Any form of `import`; with [`Item::exported`], a re-export.
    Import(Import),
    /// `export { … };`, `export a, b;`, `export … from …;`
    ExportList(ExportList),
    /// `namespace N { … }`, `export N { … }`.
    Namespace(Vec<Item>),
    /// `use libc { … }`, `extern "C" …`: prototypes.
    Foreign(Foreign),
    /// `use a::b;`, which has no effect.
    UsePath(Path),
    /// A function, or a function macro.
    Function(Function),
    /// `struct`.
    Struct(Arc<Struct>),
    /// `enum`.
    Enum(Arc<Enum>),
    /// `interface`.
    Interface(Arc<Interface>),
    /// `impl`.
    Impl(Impl),
    /// `typedef`.
    Typedef(Arc<Typedef>),
    /// `const`, a global variable, or a constant macro.
    Global(Arc<Global>),
}

/// `import …`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Import {
    /// What is imported from.
    pub path: ImportPath,
    /// What is bound.
    pub names: ImportNames,
}

/// The path of an import.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ImportPath {
    /// `./a/b` or `../a` (also quoted): the file part as written; `None` for a plain path.
    pub file: Option<Name>,
    /// Segments of a plain path, or those after the file part (`./lib::io`).
    pub segments: Vec<Ident>,
    /// The whole path.
    pub at: At,
}

/// What an import binds.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ImportNames {
    /// `import P;`
    Plain,
    /// `import P as x;`
    Alias(Ident),
    /// `import P::{a, b as c};` and the `from` forms.
    List(Vec<ImportName>),
    /// `import P::*;`
    Wildcard,
    /// `import ./dir/*;`, `import ./dir/*::{m, n};`
    Directory(Option<Vec<ImportName>>),
}

/// `a` or `a as b` in a list.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ImportName {
    /// The name there.
    pub name: Ident,
    /// The name here, if another.
    pub alias: Option<Ident>,
}

/// `export { … } [from P];`, `export a, b;`, `export * from P;`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ExportList {
    /// The entries; `None` for `*`.
    pub entries: Option<Vec<ExportEntry>>,
    /// The module after `from`.
    pub from: Option<ImportPath>,
}

/// An entry of an export list.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ExportEntry {
    /// `a` or `a as b`.
    Name(ImportName),
    /// `io::{file, stream}`.
    Nested(Path, Vec<ImportName>),
}

/// A block of prototypes.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Foreign {
    /// The word or string after `use` or `extern`.
    pub abi: Option<Ident>,
    /// Whether it was written with `use`.
    pub from_use: bool,
    /// The string after `use` was quoted: a package.
    pub package: bool,
    /// `as N`.
    pub alias: Option<Ident>,
    /// Functions, with `body: None`.
    pub functions: Vec<Item>,
}

/// A function, method, constructor, destructor, operator or prototype.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Function {
    /// Everything callers see.
    pub signature: Hashed<Signature>,
    /// `None` for prototypes.
    pub body: Option<Hashed<Body>>,
}

/// The signature of a function.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Signature {
    /// What kind of function it is.
    pub role: Role,
    /// `overload`.
    pub overload: bool,
    /// `static` (of a method: no receiver).
    pub is_static: bool,
    /// `inline`.
    pub inline: bool,
    /// `async`.
    pub is_async: bool,
    /// `private`.
    pub private: bool,
    /// `extern "C"` with a body.
    pub extern_c: bool,
    /// Written with `macro`.
    pub is_macro: bool,
    /// `<T, U: Ord>`.
    pub generics: Generics,
    /// Return type; `None` for constructors and destructors.
    pub ret: Option<TypeId>,
    /// Parameters.
    pub params: Vec<Param>,
    /// Ends in `...`.
    pub variadic: bool,
    /// Types and default arguments.
    pub arena: Arena,
}

/// What kind of function it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Role {
    /// A function or method.
    Plain,
    /// `self(…)`.
    Constructor,
    /// `~self()`.
    Destructor,
    /// `operator R +(…)`.
    Operator(Operator),
}

/// A parameter.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Param {
    /// `const`; `const T* p` is also a pointer to const.
    pub is_const: bool,
    /// Its type.
    pub ty: TypeId,
    /// Its name; empty in prototypes that leave it out.
    pub name: Ident,
    /// Its default argument.
    pub default: Option<ExprId>,
}

/// Type parameters with their constraints.
#[derive(Clone, Default, PartialEq, Eq, Hash, Debug)]
pub struct Generics {
    /// In order.
    pub params: Vec<GenericParam>,
    /// `where T: I`.
    pub wheres: Vec<(Ident, Bound)>,
}

/// A type parameter.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct GenericParam {
    /// Its name.
    pub name: Ident,
    /// What it stands for.
    pub kind: GenericKind,
}

/// What a type parameter stands for.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum GenericKind {
    /// Any type, or one that meets the bound.
    Type(Option<Bound>),
    /// A constant of this type (`N: const int`).
    Value(TypeId),
}

/// `I + J` or `I | J`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Bound {
    /// Interfaces.
    pub interfaces: Vec<Ident>,
    /// Joined by `|`: one is enough.
    pub any: bool,
}

/// `struct`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Struct {
    /// Type parameters.
    pub generics: Generics,
    /// `with Eq, Debug`.
    pub derives: Vec<Ident>,
    /// Fields.
    pub fields: Vec<Field>,
    /// Types.
    pub arena: Arena,
}

/// A field of a struct.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Field {
    /// `private`.
    pub private: bool,
    /// `default`.
    pub default: bool,
    /// `const`.
    pub is_const: bool,
    /// Its type.
    pub ty: TypeId,
    /// Its name.
    pub name: Ident,
}

/// `enum`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Enum {
    /// Type parameters.
    pub generics: Generics,
    /// Variants.
    pub variants: Vec<Variant>,
    /// Payload types.
    pub arena: Arena,
}

/// A variant of an enum.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Variant {
    /// Its name.
    pub name: Ident,
    /// `= 5`.
    pub value: Option<i128>,
    /// `(T)`.
    pub payload: Option<TypeId>,
}

/// `interface`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Interface {
    /// Type parameters.
    pub generics: Generics,
    /// Methods and operators.
    pub members: Vec<(Ident, Hashed<Signature>)>,
    /// Types of value parameters; those of the members are in their signatures.
    pub arena: Arena,
}

/// `impl [<…>] T [for I<…>] { … }`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Impl {
    /// Everything before the brace.
    pub header: Arc<ImplHeader>,
    /// Functions; the kind is always [`ItemKind::Function`].
    pub members: Vec<Item>,
}

/// The header of an impl.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ImplHeader {
    /// Type parameters, `where` included.
    pub generics: Generics,
    /// The type that gets the methods.
    pub target: TypeId,
    /// The interface and its arguments.
    pub interface: Option<(Path, Vec<TypeArg>)>,
    /// Types.
    pub arena: Arena,
}

/// `typedef N = …;`
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Typedef {
    /// What it stands for.
    pub kind: TypedefKind,
    /// Types.
    pub arena: Arena,
}

/// The right side of a `typedef`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum TypedefKind {
    /// A type or a union of types.
    Type(TypeId),
    /// `"a" | "b"`, `1 | 2`.
    Literals(Vec<(Literal, At)>),
}

/// A global variable, constant or constant macro.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Global {
    /// Which of them.
    pub kind: GlobalKind,
    /// Its type.
    pub ty: TypeId,
    /// Its initializer; `None` after a syntax error.
    pub value: Option<ExprId>,
    /// Type and initializer.
    pub arena: Arena,
}

/// The kinds of global data.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum GlobalKind {
    /// A mutable variable.
    Variable,
    /// `const`.
    Const,
    /// `macro`.
    Macro,
}
