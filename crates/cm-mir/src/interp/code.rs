//! Functions made ready to be executed: symbols are indices, fields are offsets, blocks are
//! positions in one list.

use super::{asm::Asm, num::Num};
use crate::{
    mir::{BinOp, CountOp, UnOp},
    runtime::Rt,
    ty::Ty,
};
use cm_base::Name;
use rustc_hash::FxHashMap;

/// A function.
pub struct Function {
    pub symbol: Name,
    /// Offset and size of each parameter.
    pub params: Vec<(u64, u64)>,
    /// Offset of the environment.
    pub env: Option<u64>,
    /// What the result is, if it is a scalar.
    pub ret: Option<Num>,
    /// Size of the result, which is at offset 0.
    pub ret_size: u64,
    /// Bytes of a frame, a multiple of 16.
    pub frame: u64,
    pub code: Vec<Instr>,
}

/// A memory location.
pub enum Loc {
    /// Offset in the frame.
    Frame(u64),
    /// Address.
    Static(u64),
    /// From an offset in the frame, or an address, through these steps.
    Path(Box<(Loc, Vec<Step>)>),
}

/// A step of a path.
pub enum Step {
    /// To what the pointer here points to, and on by so much.
    Deref(u64),
    /// By an index times a size, and on by so much.
    Index(Val, Num, u64, u64),
}

/// A scalar.
pub enum Val {
    Imm(u64),
    /// So many bytes, zero-extended.
    Load(Loc, u8),
}

/// A value of any type.
pub enum Src {
    /// The low bytes of a scalar.
    Scalar(Val, u8),
    /// Bytes in memory.
    Memory(Loc, u64),
    /// Zero bytes.
    Zero(u64),
}

impl Src {
    pub fn size(&self) -> u64 {
        match self {
            Src::Scalar(_, width) => u64::from(*width),
            Src::Memory(_, size) | Src::Zero(size) => *size,
        }
    }
}

/// Where a result goes, and its size.
pub type Dest = Option<(Loc, u64)>;

/// An instruction. The first location is where the result goes.
pub enum Instr {
    Set(Loc, Val, u8),
    Copy(Loc, Loc, u64),
    Zero(Loc, u64),
    Unary(UnOp, Num, Loc, Val),
    /// The number of elements of a slice.
    Len(Loc, Val),
    Binary(BinOp, Num, Loc, Val, Val),
    /// From, to.
    Cast(Num, Num, Loc, Val),
    AddrOf(Loc, Loc),
    /// Pointer, number, element size.
    Offset(Loc, Val, Val, u64),
    Diff(Loc, Val, Val, u64),
    /// Values at offsets, whole size; all are read before one is written.
    Build(Loc, Vec<(u64, Src)>, u64),
    /// The same in a new object with this glue, whose address is the result.
    Closure(Loc, Vec<(u64, Src)>, u64, u64),
    /// Counts the references in a value of this type.
    Count(CountOp, Loc, Ty),
    Call(usize, Vec<Src>, Dest),
    CallValue(Val, Vec<Src>, Dest),
    /// Object, slot.
    CallMethod(Loc, u32, Vec<Src>, Dest),
    Runtime(Rt, Vec<Val>, Dest),
    /// A function of the run-time library that takes any number of strings.
    Strings(Rt, Vec<Val>, Dest),
    Foreign(usize, Vec<(Val, Num)>, Dest),
    Asm(Box<Asm>),
    Jump(usize),
    Branch(Val, usize, usize),
    Switch(Val, FxHashMap<u64, usize>, usize),
    Return,
    Panic(Val),
    Trap(String),
}
