//! Functions as control-flow graphs over places.
//!
//! Nothing unwinds (a panic ends the process), so calls are statements. Locals are memory cells;
//! scalars among them become registers in code generation.

use crate::{runtime::Rt, ty::Ty};
use cm_base::{Interned, Name};
use serde::{Deserialize, Serialize};
use thin_vec::ThinVec;

/// Index of a local: 0 is the result, then the parameters, then the rest.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct LocalId(pub u32);

/// Index of a basic block; 0 is the entry.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct BlockId(pub u32);

/// The function result.
pub const RESULT: LocalId = LocalId(0);

/// A monomorphic function.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Function {
    /// What it is to callers. Its locals 1..=n are the parameters.
    pub decl: Decl,
    /// The local that holds the pointer to the function value it was called through (a
    /// [`crate::ty::closure_object`]); only lambdas with captures have one. It follows the parameters.
    pub env: Option<LocalId>,
    /// Result, parameters, environment, variables and temporaries. All but parameters and
    /// environment start out undefined: lowering writes zero values where the language wants them.
    pub locals: Vec<Local>,
    /// Basic blocks; never empty.
    pub blocks: Vec<Block>,
}

/// A memory cell of a function.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Local {
    /// Its type.
    pub ty: Ty,
    /// The variable it holds; `None` for temporaries. No code depends on it, so it is not encoded.
    #[serde(skip)]
    pub name: Option<Name>,
}

/// What callers know of a function, interned.
pub type Decl = Interned<FnDecl>;

/// What callers know of a function.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct FnDecl {
    /// The linker symbol.
    pub symbol: Name,
    /// Parameter types, without the environment.
    pub params: Vec<Ty>,
    /// Result type.
    pub ret: Ty,
    /// How it is called.
    pub abi: Abi,
}

/// Calling conventions.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Abi {
    /// Ours: aggregates go by pointer, and an environment may be passed beside the arguments.
    Cm,
    /// The platform's C convention, structs by value included.
    C,
    /// The same with variable arguments after the declared ones.
    CVariadic,
}

/// What users know of a global, interned.
pub type GlobalRef = Interned<GlobalDecl>;

/// What users know of a global.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct GlobalDecl {
    /// The linker symbol.
    pub symbol: Name,
    /// Its type.
    pub ty: Ty,
}

/// Static data.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Global {
    /// What it is to users.
    pub decl: GlobalRef,
    /// Its initial value.
    pub init: Const,
    /// Never written.
    pub constant: bool,
}

/// A basic block.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Block {
    /// In order.
    pub stmts: Vec<Stmt>,
    /// How it ends.
    pub terminator: Terminator,
}

/// A statement.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Stmt {
    /// `place = rvalue`. The types agree; reads happen before the write.
    Assign {
        /// Where to.
        place: Place,
        /// What.
        value: Rvalue,
        /// Inside `must`: the accesses must happen.
        volatile: bool,
    },
    /// `[dest =] callee(args)`; argument types equal parameter types, variable arguments are
    /// already promoted.
    Call {
        /// `None` for `Void` results and ignored ones.
        dest: Option<Place>,
        /// Which function.
        callee: Callee,
        /// Evaluated left to right; copies.
        args: Vec<Operand>,
    },
    /// Inline assembly (`03-declarations.md` §3.8).
    Asm {
        /// The text with `$0`, `$1` … for the operands.
        template: Name,
        /// The operands.
        operands: Vec<AsmOperand>,
    },
    /// Counts the references that a place holds: to strings, slices, function objects and the
    /// objects of interface values, in it or in its parts.
    Count {
        /// How.
        op: CountOp,
        /// Where they are.
        place: Place,
    },
}

/// What happens to the counts of the objects that a place refers to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum CountOp {
    /// One reference more.
    Retain,
    /// One less; an object that has none left is freed.
    Release,
    /// None: what is here is no value, and the next write does not release it. Only
    /// [`crate::passes::count_references`] looks at it, and removes it.
    Forget,
}

/// An operand of inline assembly.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct AsmOperand {
    /// `r`, `m` or `i`.
    pub class: AsmClass,
    /// Read.
    pub input: bool,
    /// Written.
    pub output: bool,
    /// The variable, or the constant for `i`.
    pub value: Operand,
}

/// Where an operand of inline assembly lives.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum AsmClass {
    /// A register.
    Register,
    /// Memory.
    Memory,
    /// An immediate.
    Immediate,
}

/// What is called.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Callee {
    /// A Cm or C function by symbol.
    Function(Decl),
    /// A function of the run-time library.
    Runtime(Rt),
    /// A function value, with the signature it is called with.
    Value {
        /// The value, of type `Func`.
        value: Operand,
        /// Parameter types.
        params: Vec<Ty>,
        /// Result type.
        ret: Ty,
    },
    /// A method of an interface value. The pointer to the object is passed as the first argument.
    Method {
        /// The value, of type `Iface`.
        object: Operand,
        /// Index in the method table.
        slot: u32,
        /// Parameter types, without the object.
        params: Vec<Ty>,
        /// Result type.
        ret: Ty,
    },
}

/// How a block ends.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Terminator {
    /// Goes on in another block.
    Goto(BlockId),
    /// Two ways, by a `Bool`.
    Branch {
        /// The condition.
        cond: Operand,
        /// If true.
        then: BlockId,
        /// If false.
        otherwise: BlockId,
    },
    /// Many ways, by an integer.
    Switch {
        /// The value.
        value: Operand,
        /// Values (as the bits of the type, zero-extended) and targets; no value twice.
        cases: Vec<(u64, BlockId)>,
        /// For every other value.
        default: BlockId,
    },
    /// Returns local 0.
    Return,
    /// Panics with this message (without `panic: `), of type `Str`.
    Panic(Operand),
    /// Never reached.
    Unreachable,
}

/// A memory location.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Place {
    /// Where it starts.
    pub base: Base,
    /// How it goes on.
    pub projections: ThinVec<Projection>,
}

/// Where a place starts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Base {
    /// A local.
    Local(LocalId),
    /// A global.
    Global(GlobalRef),
}

/// A step from a place into it or through it.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub enum Projection {
    /// From a pointer-like value to what it points to, seen as this type.
    Deref(Ty),
    /// A field of a struct.
    Field(u32),
    /// An element of a fixed array; the index (any integer type) is known to be in range.
    Index(Operand),
    /// The payload of this variant of a tagged value.
    Variant(u32),
}

impl From<LocalId> for Place {
    fn from(local: LocalId) -> Place {
        Place { base: Base::Local(local), projections: ThinVec::new() }
    }
}

impl Place {
    /// One step further.
    pub fn project(mut self, projection: Projection) -> Place {
        self.projections.push(projection);
        self
    }
}

/// A value that is read.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Operand {
    /// The contents of a place.
    Copy(Place),
    /// A constant.
    Const(Box<Const>),
}

/// A constant with its type.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Const {
    /// Its type.
    pub ty: Ty,
    /// Its value.
    pub value: ConstValue,
}

/// Values of constants.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum ConstValue {
    /// The zero value of any type (also null pointers and empty strings).
    Zero,
    /// The bits of an integer or `Bool`, zero-extended.
    Int(u64),
    /// The bits of an `F64`, or of an `F32` zero-extended.
    Float(u64),
    /// A string, without NUL.
    Str(Name),
    /// Elements or fields.
    Aggregate(Vec<Const>),
    /// A tag and its payload.
    Tagged(u32, Option<Box<Const>>),
    /// A `Func`: the function value of a function without captures. Equal functions give equal
    /// values in the whole program.
    Function(Decl),
    /// A `Ptr`: the code address of a function (in method tables).
    Code(Decl),
    /// A `Ptr`: the address of a global.
    Address(GlobalRef),
    /// A `Ptr`: the code address of [`crate::glue::release`] of this type.
    Glue(Ty),
    /// A `Slice` that shares nothing yet, holding these elements: statics only.
    Slice(Vec<Const>),
}

/// What can be computed in one step.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Rvalue {
    /// The operand itself.
    Use(Operand),
    /// `-`, `!`, `~`, a length.
    Unary(UnOp, Operand),
    /// Both operands have the same type (shifts: any two integer types); comparisons give `Bool`.
    Binary(BinOp, Operand, Operand),
    /// Conversion to this type between integers, floats, `Bool` and pointer-like types by the
    /// rules of `02-types.md` §2.17: floats to integers saturate, NaN gives 0.
    Cast(Operand, Ty),
    /// The address of a place, a `Ptr`.
    AddrOf(Place),
    /// Pointer plus a signed 64-bit number of elements of this type.
    PtrOffset(Operand, Operand, Ty),
    /// Signed 64-bit number of elements of this type between two pointers.
    PtrDiff(Operand, Operand, Ty),
    /// A struct or array from all its parts.
    Aggregate(Ty, Vec<Operand>),
    /// A tagged value.
    Tagged(Ty, u32, Option<Operand>),
    /// The tag of a tagged place, an unsigned 32-bit integer.
    Tag(Place),
    /// A new function value with these captures.
    Closure(Decl, Vec<Operand>),
    /// An interface value: pointer to the object, and its method table (a constant array of code
    /// addresses).
    Iface(Operand, GlobalRef),
}

/// Unary operators.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum UnOp {
    /// Of an integer (wrapping) or float.
    Neg,
    /// Of a `Bool`.
    Not,
    /// All bits of an integer.
    BitNot,
    /// The number of elements of a slice, or of bytes of a string, as an unsigned 64-bit integer;
    /// 0 for null.
    Len,
}

/// Binary operators. Signedness and width come from the left operand's type.
#[expect(missing_docs, reason = "the others are what they are called")]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum BinOp {
    Add,
    Sub,
    Mul,
    /// The divisor is not zero (lowering checks); MIN / -1 is MIN. IEEE for floats.
    Div,
    /// The divisor is not zero; MIN % -1 is 0. C `fmod` for floats.
    Rem,
    /// The count is taken modulo the width.
    Shl,
    /// Arithmetic for signed types; the count is taken modulo the width.
    Shr,
    And,
    Or,
    Xor,
    /// Of any scalar type; NaN is unequal to all.
    Eq,
    Ne,
    /// Pointers compare as unsigned addresses; false if an operand is NaN.
    Lt,
    Le,
    Gt,
    Ge,
}

impl Operand {
    /// Reads a place.
    pub fn copy(place: impl Into<Place>) -> Operand {
        Operand::Copy(place.into())
    }
    /// A constant.
    pub fn constant(ty: Ty, value: ConstValue) -> Operand {
        Operand::Const(Box::new(Const { ty, value }))
    }
}
