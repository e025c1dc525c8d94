//! Names of registers and conditions.

use super::Reg;

const WIDE: [&str; 8] = ["ax", "cx", "dx", "bx", "sp", "bp", "si", "di"];

/// A register of the machine, by its name without the percent sign.
pub fn register(name: &str) -> Option<Reg> {
    let reg = |index, width| Some(Reg { index, width, high: false });
    if let Some(number) = name.strip_prefix('r').filter(|rest| rest.starts_with(char::is_numeric)) {
        let digits = number.trim_end_matches(['b', 'w', 'd']);
        let width = match &number[digits.len()..] {
            "" => 8,
            "d" => 4,
            "w" => 2,
            "b" => 1,
            _ => return None,
        };
        let index = digits.parse().ok().filter(|index| (8..16).contains(index))?;
        return reg(index, width);
    }
    let of = |name: &str| WIDE.iter().position(|wide| *wide == name);
    if let Some(index) = of(name) {
        return reg(index, 2);
    }
    if let Some(index) = name.strip_prefix('r').and_then(of) {
        return reg(index, 8);
    }
    if let Some(index) = name.strip_prefix('e').and_then(of) {
        return reg(index, 4);
    }
    if let Some(index) =
        ["al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil"].iter().position(|low| *low == name)
    {
        return reg(index, 1);
    }
    let index = ["ah", "ch", "dh", "bh"].iter().position(|high| *high == name)?;
    Some(Reg { index, width: 1, high: true })
}

/// What a conditional instruction asks of the flags.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cond {
    pub test: Test,
    /// It must not hold.
    pub not: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Test {
    Overflow,
    Carry,
    Zero,
    CarryOrZero,
    Sign,
    Parity,
    Less,
    LessOrEqual,
}

/// By its letters, as in `jne`.
pub fn condition(letters: &str) -> Option<Cond> {
    let (test, not) = match letters {
        "o" => (Test::Overflow, false),
        "no" => (Test::Overflow, true),
        "b" | "c" | "nae" => (Test::Carry, false),
        "ae" | "nb" | "nc" => (Test::Carry, true),
        "e" | "z" => (Test::Zero, false),
        "ne" | "nz" => (Test::Zero, true),
        "be" | "na" => (Test::CarryOrZero, false),
        "a" | "nbe" => (Test::CarryOrZero, true),
        "s" => (Test::Sign, false),
        "ns" => (Test::Sign, true),
        "p" | "pe" => (Test::Parity, false),
        "np" | "po" => (Test::Parity, true),
        "l" | "nge" => (Test::Less, false),
        "ge" | "nl" => (Test::Less, true),
        "le" | "ng" => (Test::LessOrEqual, false),
        "g" | "nle" => (Test::LessOrEqual, true),
        _ => return None,
    };
    Some(Cond { test, not })
}
