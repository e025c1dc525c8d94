//! Typed bodies: what type checking hands to MIR lowering.
//!
//! A body belongs to one instance, so its types are concrete. Nothing is left to guess: names are
//! resolved, implicit conversions are [`ExprKind::Convert`] nodes, default arguments are filled in,
//! operators on structs are calls, built-in methods are named by [`Builtin`], and derived functions
//! have bodies of their own.

use crate::ty::{GenericArg, IntTy, Ty};
use cm_base::{At, Name};
use cm_db::DefId;
use cm_mir::runtime::FormatSpec;
use cm_syntax::ast::{BinaryOp, UnaryOp};
use std::hash::{Hash, Hasher};
use thin_vec::ThinVec;

/// Index of an expression in its [`Body`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ExprId(pub u32);
/// Index of a local variable in its [`Body`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct LocalId(pub u32);

/// A function with the arguments for its type parameters, those of its impl first.
#[derive(
    Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize,
)]
pub struct Instance {
    /// The function.
    pub def: DefId,
    /// What it is.
    pub kind: InstanceKind,
    /// Its arguments.
    pub args: Vec<GenericArg>,
}

/// Functions with and without source.
#[derive(
    Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize,
)]
pub enum InstanceKind {
    /// The function `def` itself.
    Source,
    /// A function of the struct `def` that `with` derives.
    Derived(Derived),
    /// A C function: `def` is its declaration.
    Foreign,
}

/// Functions that `with` derives for a struct; `self` is passed by pointer.
#[expect(missing_docs, reason = "named after the interfaces")]
#[derive(
    Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize,
)]
pub enum Derived {
    Eq,
    Lt,
    Clone,
    Hash,
    Debug,
    Display,
    Css,
    IsCss,
}

/// The typed body of a function instance, a constant or a global's initializer.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Body {
    /// Parameters (`self` first, if there is one), then all other variables, those of lambdas too.
    pub locals: Vec<Local>,
    /// How many of the locals are parameters.
    pub params: u32,
    /// `self` is the first parameter and holds the receiver's address: [`ExprKind::Local`] of it
    /// is a pointer, and `self` in the source is its [`ExprKind::Deref`].
    pub has_self: bool,
    /// Result type.
    pub ret: Ty,
    /// By [`ExprId`].
    pub exprs: Vec<Expr>,
    /// The statements. For an initializer: one [`StmtKind::Return`].
    pub block: Block,
    /// No diagnostic of this body is an error, so it may be lowered.
    pub ok: bool,
}

impl std::ops::Index<ExprId> for Body {
    type Output = Expr;
    fn index(&self, id: ExprId) -> &Expr {
        &self.exprs[id.0 as usize]
    }
}

/// A local variable, or a parameter.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Local {
    /// Its name.
    pub name: Name,
    /// Its type. For a parameter of interface type see [`LocalKind::InterfaceParam`].
    pub ty: Ty,
    /// How it is stored.
    pub kind: LocalKind,
    /// Moved from somewhere in the body, so its destructor runs only if that place was not reached.
    pub moved: bool,
}

/// How a local is stored.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum LocalKind {
    /// On the stack, for the life of its block.
    Stack,
    /// A by-value parameter: the callee does not destroy it.
    Param,
    /// A parameter of interface type: an interface value that refers to the argument object.
    InterfaceParam,
    /// `static`: one object for the whole run, with its initial value.
    Static(ConstValue),
    /// Captured by the lambda it is declared in (a private copy in the closure object).
    Capture,
}

/// `{ … }` with its scope: at its end its deferred statements run, then its locals are destroyed.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Block {
    /// In order.
    pub stmts: Vec<Stmt>,
}

impl Drop for Block {
    fn drop(&mut self) {
        let stmts = std::mem::take(&mut self.stmts);
        if !stmts.is_empty() {
            stacker::maybe_grow(64 << 10, 1 << 20, || drop(stmts));
        }
    }
}

/// A statement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stmt {
    /// Where.
    pub at: At,
    /// Which.
    pub kind: StmtKind,
}

impl Hash for Stmt {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Statements are nested as deeply as the parser allows.
        stacker::maybe_grow(64 << 10, 1 << 20, || {
            self.at.hash(state);
            self.kind.hash(state);
        });
    }
}

/// The forms of statements.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum StmtKind {
    /// Evaluates; a struct value with a destructor that nobody keeps is destroyed at once.
    Expr(ExprId),
    /// Declares a stack variable and initializes it; `None`: its zero value.
    Let(LocalId, Option<ExprId>),
    /// Declares a variable of struct type, zeroes it and runs a constructor on it.
    Construct(LocalId, Box<Instance>, Vec<ExprId>),
    /// A block.
    Block(Block),
    /// Leaves the function (or lambda).
    Return(Option<ExprId>),
    /// Leaves the innermost loop.
    Break,
    /// Goes to the next round of the innermost loop.
    Continue,
    /// `if`.
    If(ExprId, Block, Option<Box<Stmt>>),
    /// Every loop but `for`-in. `init` runs once in a scope around the loop, `cond` before and
    /// `update` after each round.
    Loop {
        /// In order, in the scope around the loop.
        init: Vec<Stmt>,
        /// `None`: true.
        cond: Option<ExprId>,
        /// After each round and `continue`.
        update: Option<ExprId>,
        /// The body, a new scope in each round.
        body: Block,
    },
    /// `for`-in over a fixed array or slice. (Over an iterator it is a [`StmtKind::Loop`].)
    ForIn {
        /// The variable, a fresh copy in each round.
        var: LocalId,
        /// Evaluated once.
        iterable: ExprId,
        /// Converts the element, read from `element`, to the variable's type.
        value: ExprId,
        /// A hidden local that holds the element.
        element: LocalId,
        /// The body.
        body: Block,
    },
    /// `switch`: the first case that matches runs.
    Switch {
        /// Evaluated once; an integer, `bool`, `char`, `string`, float or enum.
        scrutinee: ExprId,
        /// Values and inclusive ranges, as constants of the scrutinee's type (variants of a
        /// payload enum by tag).
        cases: Vec<(Vec<CaseValue>, Block)>,
        /// `else`.
        otherwise: Option<Block>,
    },
    /// Registers a statement with the innermost block.
    Defer(Box<Stmt>),
    /// Volatile accesses.
    Must(Block),
    /// Inline assembly: the text and the operands it names.
    Asm(Name, Vec<(Name, AsmValue)>),
}

/// A value of a `case`, or both ends of a range.
pub type CaseValue = (ConstValue, Option<ConstValue>);

/// An operand of inline assembly.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum AsmValue {
    /// A local variable.
    Local(LocalId),
    /// An integer constant, and the local that holds it if it is one's.
    Const(i128, Option<LocalId>),
}

/// An expression.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Expr {
    /// Its type.
    pub ty: Ty,
    /// Where, in the position table of the item.
    pub at: At,
    /// Which.
    pub kind: ExprKind,
}

// As in the syntax tree.
const _: () = assert!(size_of::<Expr>() == 40);

/// The forms of expressions. *Places* are `Local`, `Global`, `Deref`, `Field` of a place, and
/// `Index` of a place, pointer or slice.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ExprKind {
    /// An error was reported.
    Error,
    /// A constant of the expression's type.
    Const(ConstValue),
    /// A variable or parameter.
    Local(LocalId),
    /// A global variable, or a constant of an aggregate type, which is a place to read from (other
    /// constants are [`ExprKind::Const`]).
    Global(Box<DefId>),
    /// A function as a value.
    Function(Box<Instance>),
    /// `-`, `!`, `~` on primitive types. The operand has the type of the expression.
    Unary(UnaryOp, ExprId),
    /// A binary operator but `&&` and `||` on two numbers (both of the common type; shifts: any
    /// integers), characters, booleans, pointers or function values. Comparisons of integers of
    /// different signedness: see [`ExprKind::CompareMixed`].
    Binary(BinaryOp, ExprId, ExprId),
    /// Comparison of integers of different signedness by mathematical value.
    CompareMixed(BinaryOp, ExprId, ExprId),
    /// Comparison of strings.
    CompareStr(BinaryOp, ExprId, ExprId),
    /// `==` or `!=` of arrays, slices and payload enums, element by element; of an enum value and
    /// a variant without its payload: tags only (`tags`).
    CompareDeep {
        /// `Eq` or `Ne`.
        op: BinaryOp,
        /// Left.
        left: ExprId,
        /// Right.
        right: ExprId,
        /// Compare tags only.
        tags: bool,
        /// `==` of each struct type that is reached, as the function to call.
        eqs: ThinVec<(Ty, Instance)>,
    },
    /// `p + n`, `p - n` (negative): pointer, integer of any type.
    PointerOffset {
        /// The pointer.
        pointer: ExprId,
        /// Elements.
        offset: ExprId,
        /// Subtract.
        negative: bool,
    },
    /// `p - q`.
    PointerDiff(ExprId, ExprId),
    /// `&&`.
    And(ExprId, ExprId),
    /// `||`.
    Or(ExprId, ExprId),
    /// `c ? a : b`; `c` is `bool`.
    Ternary(ExprId, ExprId, ExprId),
    /// `place = value`: the value first, then the place; yields the stored value. A value converted
    /// by [`Conversion::ToDefault`] changes that field alone.
    Assign(ExprId, ExprId),
    /// `place op= value`: the value first, then the place once. `result` computes the new value
    /// from the hidden locals `old` (the place's value) and `operand` (the right side's value).
    AssignOp {
        /// The place.
        place: ExprId,
        /// The right side.
        value: ExprId,
        /// Hidden local of the place's type.
        old: LocalId,
        /// Hidden local of the right side's type.
        operand: LocalId,
        /// Of the place's type.
        result: ExprId,
    },
    /// `++`, `--` on a number or pointer; yields the new value, or the old one if `postfix`.
    IncDec {
        /// The place.
        place: ExprId,
        /// `--`.
        decrement: bool,
        /// `x++`.
        postfix: bool,
    },
    /// A call of a known function.
    Call(Box<Instance>, ThinVec<ExprId>),
    /// A method with a receiver: the address of the receiver is the first argument. If it is no
    /// place, it is put into a temporary.
    MethodCall {
        /// The method.
        method: Box<Instance>,
        /// The receiver.
        receiver: ExprId,
        /// The other arguments.
        args: ThinVec<ExprId>,
    },
    /// A call of a function value.
    CallValue(ExprId, ThinVec<ExprId>),
    /// A method of an interface value.
    CallInterface {
        /// The interface value.
        object: ExprId,
        /// Index among the interface's methods, in declaration order.
        slot: u32,
        /// The arguments.
        args: ThinVec<ExprId>,
    },
    /// `T(args)`: a new value with a constructor.
    Construct(Box<Instance>, ThinVec<ExprId>),
    /// A built-in function or method.
    Builtin(Box<BuiltinCall>),
    /// A struct value: its fields by index, in the order written; the others are zero.
    Struct(ThinVec<(u32, ExprId)>),
    /// A fixed array (missing elements are zero) or a new slice, by the type of the expression.
    Array(ThinVec<ExprId>),
    /// A variant of an enum with its payload. Plain enums are constants.
    Variant(u32, Option<ExprId>),
    /// A struct's field by index.
    Field(ExprId, u32),
    /// An element. Of a fixed array or slice: checked; of a pointer: `*(p + i)`.
    Index(ExprId, ExprId),
    /// `*p`.
    Deref(ExprId),
    /// `&place`.
    AddrOf(ExprId),
    /// The value of a local that is moved from.
    Move(LocalId),
    /// A conversion to the type of the expression.
    Convert(Conversion, ExprId),
    /// A new string from pieces.
    Template(ThinVec<TemplatePart>),
    /// A lambda.
    Lambda(Box<Lambda>),
    /// `match`.
    Match(Box<Match>),
}

/// Conversions, explicit and implicit.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Conversion {
    /// Same representation (typedefs, enum and `int`, pointer and pointer, literal types,
    /// `string` to `char*`).
    Identity,
    /// Between numbers, `bool`, `char`, plain enums, by `02-types.md` §2.17.
    Numeric,
    /// Between pointers, functions, strings and 8-byte integers: the address.
    Address,
    /// A foreign string (`cstring`, `char*`, an address) to `string`: copied.
    StrFromC,
    /// `null` to a pointer, function or `cstring`.
    Null,
    /// `T[N]` to `T*`.
    ArrayToPointer,
    /// `T[N]` to `T[]`: copied.
    ArrayToSlice,
    /// To a union: this member.
    ToUnion(u32),
    /// From a union: this member, or a panic.
    FromUnion(u32),
    /// To an interface; the methods in slot order. In a parameter position (`borrow`) it refers to
    /// the object if that is a place, else it owns a copy.
    ToInterface {
        /// Refers to the object.
        borrow: bool,
        /// Methods, in slot order.
        methods: ThinVec<Instance>,
    },
    /// To a struct: its `default` field by index; the others are zero.
    ToDefault(u32),
    /// From a struct: its `default` field.
    FromDefault(u32),
}

/// A piece of a template.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum TemplatePart {
    /// Literal text.
    Text(Name),
    /// A value (integer, float, `bool`, `char`, string, pointer, plain enum) as text.
    Value(ExprId, FormatSpec),
}

/// A lambda.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Lambda {
    /// Locals of the enclosing function whose values are captured, and the local that holds the
    /// copy inside (of kind [`LocalKind::Capture`]).
    pub captures: Vec<(LocalId, LocalId)>,
    /// Parameters.
    pub params: Vec<LocalId>,
    /// Result type.
    pub ret: Ty,
    /// Body.
    pub block: Block,
}

/// `match`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Match {
    /// Evaluated once.
    pub scrutinee: ExprId,
    /// Tried in order. If none matches, the value is zero.
    pub arms: Vec<Arm>,
}

/// An arm of a `match`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Arm {
    /// Alternatives.
    pub patterns: Vec<Pattern>,
    /// Sees the bindings.
    pub guard: Option<ExprId>,
    /// What runs.
    pub body: ArmBody,
}

/// The body of an arm.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ArmBody {
    /// The value of the `match` (of its type, or of any type if that is `void`).
    Expr(ExprId),
    /// Statements.
    Block(Block),
}

/// A pattern.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Pattern {
    /// Anything.
    Wildcard,
    /// Anything; bound to a copy.
    Binding(LocalId),
    /// A constant of the scrutinee's type.
    Value(ConstValue),
    /// Both ends belong to it.
    Range(ConstValue, ConstValue),
    /// A variant of a payload enum by tag, with a binding for the payload.
    Variant(u32, Option<LocalId>),
    /// A member of a union by tag (`null`).
    Member(u32),
}

/// Constants. Their type stands beside them.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub enum ConstValue {
    /// The zero value of any type.
    Zero,
    /// Integers, plain enums.
    Int(Wide),
    /// Bits of a `double` (also for `float`: already rounded).
    Float(u64),
    /// `bool`.
    Bool(bool),
    /// `char`.
    Char(u8),
    /// `string`.
    Str(Name),
    /// Fields of a struct, elements of an array or slice.
    Aggregate(ThinVec<ConstValue>),
    /// A variant of a payload enum, or a member of a union, by tag.
    Tag(u32),
    /// The same with its payload.
    Variant(Box<(u32, ConstValue)>),
    /// A function value.
    Function(Box<Instance>),
}

/// A value of any integer type. Smaller than an `i128`, so that expressions are.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub struct Wide {
    bits: u64,
    negative: bool,
}

impl From<i128> for Wide {
    fn from(value: i128) -> Wide {
        debug_assert!((i64::MIN.into()..=u64::MAX.into()).contains(&value), "a value of some type");
        Wide { bits: value as u64, negative: value < 0 }
    }
}

impl From<Wide> for i128 {
    fn from(value: Wide) -> i128 {
        if value.negative { i128::from(value.bits as i64) } else { i128::from(value.bits) }
    }
}

impl ConstValue {
    /// An integer.
    pub fn int(value: i128) -> ConstValue {
        ConstValue::Int(value.into())
    }
    /// A variant of a payload enum, or a member of a union.
    pub fn variant(tag: u32, payload: Option<ConstValue>) -> ConstValue {
        match payload {
            Some(payload) => ConstValue::Variant(Box::new((tag, payload))),
            None => ConstValue::Tag(tag),
        }
    }
}

impl ExprKind {
    /// A built-in function or method with its arguments.
    pub fn builtin(builtin: Builtin, args: Vec<ExprId>) -> ExprKind {
        ExprKind::Builtin(Box::new(BuiltinCall { builtin, args }))
    }
}

/// A use of what is built in.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct BuiltinCall {
    /// What is called.
    pub builtin: Builtin,
    /// The arguments.
    pub args: Vec<ExprId>,
}

/// Built-in functions and methods. Methods have the receiver as first argument; where it must be
/// a place (`push` …), it is one.
#[expect(missing_docs, reason = "named after the methods of `02-types.md` §2.5 and §2.6")]
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Builtin {
    /// One argument, converted to `string` already.
    Print,
    Println,
    StrLen,
    StrAt,
    StrFirst,
    StrLast,
    /// String, start, end; a missing end is the length.
    StrSlice,
    StrIndexOf,
    StrIncludes,
    StrStartsWith,
    StrEndsWith,
    StrUpper,
    StrLower,
    StrTrim,
    StrRepeat,
    StrReplace,
    StrHash,
    /// Of slices; the length of a fixed array is a constant.
    SliceLen,
    SliceCap,
    SlicePush,
    SlicePop,
    SliceRemove,
    SliceClear,
    /// Array or slice, start, end: a new slice. A missing end is the length.
    SubSlice,
    /// First or last element, or the zero value.
    First,
    Last,
    /// An address to the data of an array or slice, for library code.
    DataPointer,
    /// `__name__` intrinsics of the bundled library; those that work on places, with the type of what
    /// is there.
    Intrinsic(Name, Option<Ty>),
}

/// Kept for documentation of widths in conversions of `sizeof`: its value has this type.
pub const SIZEOF_TYPE: IntTy = IntTy::Uint;
