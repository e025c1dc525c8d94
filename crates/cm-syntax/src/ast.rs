//! The syntax tree.
//!
//! Every item has two arenas of expressions and types: one for its signature and one for its body,
//! so that an edit in a body leaves the signature equal. Nodes hold [`At`]s, never positions: the
//! tree of an item depends on its tokens alone. Names of nodes follow `grammar.ebnf`.

use cm_base::{At, Name, Positions};
use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

/// Index of an expression in its [`Arena`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ExprId(pub u32);
/// Index of a type in its [`Arena`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct TypeId(pub u32);

/// Expressions and types of a signature or of a body.
#[derive(Clone, Default, PartialEq, Eq, Hash, Debug)]
pub struct Arena {
    /// By [`ExprId`]; operands come before the expressions that hold them.
    pub exprs: Vec<Expr>,
    /// By [`TypeId`].
    pub types: Vec<Type>,
}

impl std::ops::Index<ExprId> for Arena {
    type Output = Expr;
    fn index(&self, id: ExprId) -> &Expr {
        &self.exprs[id.0 as usize]
    }
}
impl std::ops::Index<TypeId> for Arena {
    type Output = Type;
    fn index(&self, id: TypeId) -> &Type {
        &self.types[id.0 as usize]
    }
}

/// A name and where it stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Ident {
    /// The name; empty after a syntax error.
    pub name: Name,
    /// Where.
    pub at: At,
}

/// `a::b::c`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Path {
    /// At least one.
    pub segments: Vec<Ident>,
}

// ---------------------------------------------------------------- files and items

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
    pub signature: Arc<Signature>,
    /// `None` for prototypes.
    pub body: Option<Arc<Body>>,
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
    pub members: Vec<(Ident, Arc<Signature>)>,
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

// ---------------------------------------------------------------- types

/// A type as written.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Type {
    /// Where.
    pub at: At,
    /// Which.
    pub kind: TypeKind,
}

/// The forms of types.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum TypeKind {
    /// After a syntax error.
    Error,
    /// `int`, `string`, `void` …
    Primitive(Primitive),
    /// `auto`.
    Auto,
    /// `null`, in a union.
    Null,
    /// `typeof(e)`.
    Typeof(ExprId),
    /// A named type.
    Path(Path, Vec<TypeArg>),
    /// The `const T` of `const T*` and `const T&`; occurs nowhere else.
    Const(TypeId),
    /// `T*`.
    Pointer(TypeId),
    /// `R*(P, Q)`.
    Function {
        /// R.
        ret: TypeId,
        /// P, Q.
        params: Vec<TypeId>,
    },
    /// `T[n]`.
    Array(TypeId, ArrayLen),
    /// `T[]`.
    Slice(TypeId),
    /// `T&`.
    Reference(TypeId),
    /// `A | B`.
    Union(Vec<TypeId>),
}

/// The length of a fixed array.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ArrayLen {
    /// `[5]`.
    Number(u64),
    /// `[N]`.
    Named(Ident),
}

/// An argument for a type parameter.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TypeArg {
    /// A type (or the name of a constant: resolution tells).
    Type(TypeId),
    /// A number, for a value parameter.
    Number(u64, At),
}

/// Primitive types.
#[expect(missing_docs, reason = "they are the keywords")]
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Primitive {
    Void,
    Bool,
    Char,
    String,
    Cstring,
    Tiny,
    Short,
    Int,
    Long,
    Utiny,
    Ushort,
    Uint,
    Ulong,
    Isize,
    Usize,
    Float,
    Double,
    Ufloat,
    Udouble,
}

// ---------------------------------------------------------------- statements

/// The body of a function, or of a function macro.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Body {
    /// Its statements.
    pub block: Block,
    /// Expressions and types.
    pub arena: Arena,
}

/// `{ … }`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Block {
    /// From brace to brace.
    pub at: At,
    /// In order.
    pub stmts: Vec<Stmt>,
}

/// A statement.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Stmt {
    /// Where.
    pub at: At,
    /// Which.
    pub kind: StmtKind,
}

/// The forms of statements.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum StmtKind {
    /// `e;`, also a `match` that stands alone.
    Expr(ExprId),
    /// A local variable.
    Var(Box<VarDecl>),
    /// A block.
    Block(Block),
    /// `return [e];`
    Return(Option<ExprId>),
    /// `break;`
    Break,
    /// `continue;`
    Continue,
    /// `if`.
    If {
        /// Condition.
        cond: ExprId,
        /// Then.
        then: Block,
        /// `else`: a block, or another `if`.
        otherwise: Option<Box<Stmt>>,
    },
    /// `while`.
    While {
        /// Condition.
        cond: ExprId,
        /// Body.
        body: Block,
    },
    /// `for (init; cond; update)`.
    For {
        /// A declaration or an expression.
        init: Option<Box<Stmt>>,
        /// Condition.
        cond: Option<ExprId>,
        /// After each round.
        update: Option<ExprId>,
        /// Body.
        body: Block,
    },
    /// `for (T x in e)`.
    ForIn {
        /// `None`: inferred, as is `auto`.
        ty: Option<TypeId>,
        /// The variable.
        name: Ident,
        /// What is iterated over.
        iterable: ExprId,
        /// Body.
        body: Block,
    },
    /// `switch`.
    Switch {
        /// What is compared.
        scrutinee: ExprId,
        /// From top to bottom.
        cases: Vec<SwitchCase>,
    },
    /// `defer S`.
    Defer(Box<Stmt>),
    /// `must { … }`.
    Must(Block),
    /// `__asm__("…");`
    Asm(Name),
}

/// A local variable.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct VarDecl {
    /// `static`.
    pub is_static: bool,
    /// `const`.
    pub is_const: bool,
    /// Its type (`auto` included).
    pub ty: TypeId,
    /// Its name.
    pub name: Ident,
    /// Its initializer.
    pub init: VarInit,
}

/// The initializer of a local variable.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum VarInit {
    /// None.
    None,
    /// `= e`.
    Value(ExprId),
    /// `(args)`.
    Constructor(Vec<ExprId>),
}

/// `case (…) { … }`, `else { … }`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct SwitchCase {
    /// Where.
    pub at: At,
    /// Values and inclusive ranges; `None` for `else`.
    pub patterns: Option<Vec<CasePattern>>,
    /// Its block.
    pub body: Block,
}

/// A value or an inclusive range. The expressions are literals, negated numbers or paths.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct CasePattern {
    /// The value, or the lower end.
    pub low: ExprId,
    /// The upper end.
    pub high: Option<ExprId>,
}

// ---------------------------------------------------------------- expressions

/// An expression.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Expr {
    /// Where.
    pub at: At,
    /// Which.
    pub kind: ExprKind,
}

/// The forms of expressions.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ExprKind {
    /// After a syntax error.
    Error,
    /// A literal without interpolation.
    Literal(Literal),
    /// A string with interpolations.
    Template(Vec<TemplatePart>),
    /// `null`.
    Null,
    /// `self`.
    SelfValue,
    /// A name, with type arguments if any (`identity<int>`).
    Path(Path, Vec<TypeArg>),
    /// `Box<int>::of`: a static method or a variant of a generic type.
    TypePath {
        /// The type.
        ty: TypeId,
        /// The member.
        member: Ident,
    },
    /// `P { x: 1 }`, `{ x: 1 }`.
    Struct {
        /// The type, if named.
        ty: Option<TypeId>,
        /// Fields.
        fields: Vec<(Ident, ExprId)>,
    },
    /// `[a, b]`.
    Array(Vec<ExprId>),
    /// `(e)`. Kept, since `(a)` and `a` differ for the formatter alone; skip it.
    Paren(ExprId),
    /// A lambda.
    Lambda(Box<Lambda>),
    /// `match`.
    Match(Box<Match>),
    /// `sizeof(T)`: whatever reads as a type; a bare path or `a[n]` may turn out to be a variable
    /// if it names no type.
    SizeofType(TypeId),
    /// `sizeof(e)`.
    SizeofExpr(ExprId),
    /// `__alignof__(T)`.
    AlignofType(TypeId),
    /// `typeof(T)`, as for `sizeof`.
    TypeofType(TypeId),
    /// `typeof(e)`.
    TypeofExpr(ExprId),
    /// A prefix operator.
    Unary(UnaryOp, ExprId),
    /// `x++`, `x--`.
    Postfix(PostfixOp, ExprId),
    /// A binary operator; `&&` and `||` included.
    Binary(BinaryOp, ExprId, ExprId),
    /// `a = b`, `a op= b`.
    Assign(Option<BinaryOp>, ExprId, ExprId),
    /// `c ? a : b`.
    Ternary(ExprId, ExprId, ExprId),
    /// `e as T`.
    Cast(ExprId, TypeId),
    /// `f(args)`.
    Call(ExprId, Vec<ExprId>),
    /// `e.m(args)`, `e->m(args)`.
    MethodCall {
        /// The receiver.
        receiver: ExprId,
        /// `->`.
        arrow: bool,
        /// The method.
        name: Ident,
        /// Arguments.
        args: Vec<ExprId>,
    },
    /// `e.f`, `e->f`.
    Field {
        /// The struct or pointer.
        base: ExprId,
        /// `->`.
        arrow: bool,
        /// The field.
        name: Ident,
    },
    /// `a[i]`.
    Index(ExprId, ExprId),
    /// `a[i:j]`.
    Slice(ExprId, Option<ExprId>, Option<ExprId>),
}

/// A literal.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Literal {
    /// Its value; the type follows from it.
    Int(u64),
    /// The bits of the double.
    Float(u64),
    /// One byte.
    Char(u8),
    /// After escapes; may hold any text.
    Str(Name),
    /// `true`, `false`.
    Bool(bool),
}

/// A piece of an interpolated string.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum TemplatePart {
    /// Text, after escapes.
    Text(Name),
    /// `{e:spec}`.
    Hole {
        /// What is shown.
        expr: ExprId,
        /// How; the text after the colon.
        spec: Option<Ident>,
    },
}

/// `(int a) => …`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Lambda {
    /// Parameters; a missing type (an error that is reported by the checker) is `None`.
    pub params: Vec<(Option<TypeId>, Ident)>,
    /// Body.
    pub body: ArmBody,
}

/// A block or an expression, after `=>`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ArmBody {
    /// `{ … }`.
    Block(Block),
    /// An expression.
    Expr(ExprId),
}

/// `match`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Match {
    /// What is matched.
    pub scrutinee: ExprId,
    /// In order.
    pub arms: Vec<MatchArm>,
}

/// An arm of a `match`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct MatchArm {
    /// Where.
    pub at: At,
    /// Alternatives; at least one.
    pub patterns: Vec<Pattern>,
    /// `if guard`.
    pub guard: Option<ExprId>,
    /// After `=>`.
    pub body: ArmBody,
}

/// A pattern.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Pattern {
    /// Where.
    pub at: At,
    /// Which.
    pub kind: PatternKind,
}

/// The forms of patterns.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum PatternKind {
    /// After a syntax error.
    Error,
    /// `_`.
    Wildcard,
    /// A literal or negated number.
    Literal(ExprId),
    /// `lo...hi`.
    Range(ExprId, ExprId),
    /// `null`.
    Null,
    /// A bare name.
    Binding(Ident),
    /// `E::V`, `E::V(name)`, `E::V(_)`.
    Variant {
        /// At least two segments.
        path: Path,
        /// The binding; `None` also for `_`.
        binding: Option<Ident>,
    },
}

/// Prefix operators.
#[expect(missing_docs, reason = "they are the operators")]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum UnaryOp {
    Neg,
    Not,
    BitNot,
    AddrOf,
    Deref,
    PreInc,
    PreDec,
    Move,
    Await,
}

/// Postfix operators.
#[expect(missing_docs, reason = "they are the operators")]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PostfixOp {
    Inc,
    Dec,
}

/// Binary operators.
#[expect(missing_docs, reason = "they are the operators")]
#[derive(
    Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize,
)]
pub enum BinaryOp {
    Mul,
    Div,
    Rem,
    Add,
    Sub,
    Shl,
    Shr,
    Lt,
    Gt,
    Le,
    Ge,
    Eq,
    Ne,
    BitAnd,
    BitXor,
    BitOr,
    And,
    Or,
}

/// Operators that an `operator` function can define.
#[derive(
    Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize,
)]
pub enum Operator {
    /// A binary operator, or unary `-` when the function has no parameter.
    Binary(BinaryOp),
    /// `~`.
    BitNot,
    /// `!`.
    Not,
}
