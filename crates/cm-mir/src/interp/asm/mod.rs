//! Inline assembly for x86-64 in AT&T syntax: the integer instructions that code without an
//! operating system is made of. What is not known becomes a trap, not a guess.

mod decode;
mod execute;
mod names;
mod parse;

use super::code::Loc;
use names::Cond;
pub use parse::parse;

/// A statement of inline assembly.
pub struct Asm {
    pub operands: Vec<Binding>,
    pub code: Vec<Op>,
}

/// An operand of the statement.
pub enum Binding {
    /// A variable in a register of its own, of so many bytes.
    Register { loc: Loc, width: u8, input: bool, output: bool },
    /// A variable in memory; the register holds its address.
    Memory(Loc),
    /// A number.
    Immediate(u64),
}

/// An instruction: what it does to operands of so many bytes, in the order of the text.
pub struct Op {
    kind: Kind,
    width: u8,
    args: Vec<Arg>,
}

/// A register: those of the machine are 0 to 15, those of the operands come after.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Reg {
    index: usize,
    width: u8,
    /// The second byte of a register.
    high: bool,
}

const MACHINE_REGISTERS: usize = 16;
const RAX: usize = 0;
const RDX: usize = 2;
const RSP: usize = 4;

#[derive(Clone, PartialEq, Eq, Debug)]
enum Arg {
    Imm(u64),
    Reg(Reg),
    Mem(Address),
}

/// `disp(base, index, scale)`.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
struct Address {
    disp: u64,
    base: Option<usize>,
    index: Option<(usize, u64)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Alu {
    Add,
    Or,
    Adc,
    Sbb,
    And,
    Sub,
    Xor,
    /// `sub` without a result.
    Cmp,
    /// `and` without a result.
    Test,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Shift {
    Rol,
    Ror,
    Shl,
    Shr,
    Sar,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Bit {
    Test,
    Set,
    Reset,
    Complement,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Count {
    /// The number of the lowest bit that is set.
    Forward,
    /// The number of the highest bit that is set.
    Reverse,
    TrailingZeros,
    LeadingZeros,
    Ones,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Nop,
    /// `ud2`, `int3`.
    Stop,
    Mov,
    /// From so many bytes, signed or not.
    Extend(u8, bool),
    Lea,
    Xchg,
    Xadd,
    Cmpxchg,
    Push,
    Pop,
    Alu(Alu),
    Shift(Shift),
    Not,
    Neg,
    Inc,
    Dec,
    Bswap,
    /// Into `%rdx:%rax`, signed or not.
    WideMul(bool),
    /// Two or three operands.
    Imul,
    Div(bool),
    /// `cltq` and its kin: the lower half of `%rax` into the whole.
    ExtendA,
    /// `cqto` and its kin: the sign of `%rax` into `%rdx`.
    SignIntoD,
    Set(Cond),
    Cmov(Cond),
    /// To the instruction of this number; until labels are known, to the label of this number.
    Jump(Option<Cond>, usize),
    Bit(Bit),
    Count(Count),
    /// Sets, clears or complements the carry flag.
    Carry(Option<bool>),
}
