//! Arithmetic on scalars, which are words with their unused bits zero.

use crate::{
    mir::{BinOp, UnOp},
    ty::TyKind,
};

/// How a word is to be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Num {
    /// Width, signed.
    Int(u8, bool),
    F32,
    F64,
    Bool,
}

impl Num {
    /// Of a type that is a scalar; pointers are unsigned integers.
    pub fn of(kind: &TyKind) -> Option<Num> {
        Some(match kind {
            TyKind::Bool => Num::Bool,
            TyKind::Int { bits, signed } if matches!(bits, 8 | 16 | 32 | 64) => {
                Num::Int(*bits, *signed)
            }
            TyKind::F32 => Num::F32,
            TyKind::F64 => Num::F64,
            kind if kind.is_pointer_like() => Num::Int(64, false),
            _ => return None,
        })
    }
    /// Bytes in memory.
    pub fn width(self) -> u8 {
        match self {
            Num::Int(bits, _) => bits / 8,
            Num::F32 => 4,
            Num::F64 => 8,
            Num::Bool => 1,
        }
    }
    /// The low bits that count.
    fn wrap(self, value: u64) -> u64 {
        match self {
            Num::Int(bits, _) => value & u64::MAX >> (64 - bits),
            _ => value,
        }
    }
}

/// The value of a signed integer of this width.
pub fn sign_extend(value: u64, bits: u8) -> i64 {
    let unused = 64 - u32::from(bits);
    (value << unused) as i64 >> unused
}

/// An integer or `Bool` as a number.
pub fn integer(num: Num, value: u64) -> i128 {
    match num {
        Num::Int(bits, true) => i128::from(sign_extend(value, bits)),
        Num::Bool => i128::from(value != 0),
        _ => i128::from(value),
    }
}

fn f32_of(value: u64) -> f32 {
    f32::from_bits(value as u32)
}

fn f32_bits(value: f32) -> u64 {
    u64::from(value.to_bits())
}

pub fn unary(op: UnOp, num: Num, a: u64) -> u64 {
    match (op, num) {
        (UnOp::Neg, Num::F32) => f32_bits(-f32_of(a)),
        (UnOp::Neg, Num::F64) => (-f64::from_bits(a)).to_bits(),
        (UnOp::Neg, _) => num.wrap(a.wrapping_neg()),
        (UnOp::Not, _) => u64::from(a == 0),
        (UnOp::BitNot, _) => num.wrap(!a),
        // No function of the handle: linking makes instructions of their own of lengths.
        (UnOp::Len, _) => 0,
    }
}

/// `None` for a division by zero.
pub fn binary(op: BinOp, num: Num, a: u64, b: u64) -> Option<u64> {
    match num {
        Num::F32 => float(op, f32_of(a), f32_of(b), f32_bits),
        Num::F64 => float(op, f64::from_bits(a), f64::from_bits(b), f64::to_bits),
        Num::Int(bits, true) => {
            signed(op, sign_extend(a, bits), sign_extend(b, bits), b, bits).map(|n| num.wrap(n))
        }
        Num::Int(bits, false) => unsigned(op, a, b, bits).map(|n| num.wrap(n)),
        Num::Bool => unsigned(op, u64::from(a != 0), u64::from(b != 0), 8),
    }
}

fn float<F>(op: BinOp, a: F, b: F, bits: fn(F) -> u64) -> Option<u64>
where
    F: PartialOrd
        + std::ops::Add<Output = F>
        + std::ops::Sub<Output = F>
        + std::ops::Mul<Output = F>
        + std::ops::Div<Output = F>
        + std::ops::Rem<Output = F>,
{
    let value = match op {
        BinOp::Add => a + b,
        BinOp::Sub => a - b,
        BinOp::Mul => a * b,
        BinOp::Div => a / b,
        BinOp::Rem => a % b,
        _ => return Some(u64::from(compare(op, a.partial_cmp(&b)))),
    };
    Some(bits(value))
}

fn signed(op: BinOp, a: i64, b: i64, count: u64, bits: u8) -> Option<u64> {
    let count = (count & (u64::from(bits) - 1)) as u32;
    Some(match op {
        BinOp::Add => a.wrapping_add(b) as u64,
        BinOp::Sub => a.wrapping_sub(b) as u64,
        BinOp::Mul => a.wrapping_mul(b) as u64,
        BinOp::Div if b != 0 => a.wrapping_div(b) as u64,
        BinOp::Rem if b != 0 => a.wrapping_rem(b) as u64,
        BinOp::Div | BinOp::Rem => return None,
        BinOp::Shl => (a << count) as u64,
        BinOp::Shr => (a >> count) as u64,
        BinOp::And => (a & b) as u64,
        BinOp::Or => (a | b) as u64,
        BinOp::Xor => (a ^ b) as u64,
        _ => u64::from(compare(op, Some(a.cmp(&b)))),
    })
}

fn unsigned(op: BinOp, a: u64, b: u64, bits: u8) -> Option<u64> {
    let count = (b & (u64::from(bits) - 1)) as u32;
    Some(match op {
        BinOp::Add => a.wrapping_add(b),
        BinOp::Sub => a.wrapping_sub(b),
        BinOp::Mul => a.wrapping_mul(b),
        BinOp::Div => a.checked_div(b)?,
        BinOp::Rem => a.checked_rem(b)?,
        BinOp::Shl => a << count,
        BinOp::Shr => a >> count,
        BinOp::And => a & b,
        BinOp::Or => a | b,
        BinOp::Xor => a ^ b,
        _ => u64::from(compare(op, Some(a.cmp(&b)))),
    })
}

fn compare(op: BinOp, order: Option<std::cmp::Ordering>) -> bool {
    match op {
        BinOp::Eq => order.is_some_and(|o| o.is_eq()),
        BinOp::Ne => order.is_none_or(|o| o.is_ne()),
        BinOp::Lt => order.is_some_and(|o| o.is_lt()),
        BinOp::Le => order.is_some_and(|o| o.is_le()),
        BinOp::Gt => order.is_some_and(|o| o.is_gt()),
        _ => order.is_some_and(|o| o.is_ge()),
    }
}

pub fn cast(from: Num, to: Num, a: u64) -> u64 {
    match (from, to) {
        (Num::F32, Num::F32) | (Num::F64, Num::F64) => a,
        (Num::F32, _) => from_float(f64::from(f32_of(a)), to),
        (Num::F64, _) => from_float(f64::from_bits(a), to),
        (_, Num::F32) => f32_bits(integer(from, a) as f32),
        (_, Num::F64) => (integer(from, a) as f64).to_bits(),
        (_, Num::Bool) => u64::from(a != 0),
        (_, Num::Int(..)) => to.wrap(integer(from, a) as u64),
    }
}

/// Saturates; NaN gives 0.
fn from_float(a: f64, to: Num) -> u64 {
    match to {
        Num::F32 => f32_bits(a as f32),
        Num::F64 => a.to_bits(),
        Num::Bool => u64::from(a != 0.0),
        Num::Int(bits, true) => {
            let max = i64::MAX >> (64 - bits);
            to.wrap((a as i64).clamp(-max - 1, max) as u64)
        }
        Num::Int(bits, false) => (a as u64).min(u64::MAX >> (64 - bits)),
    }
}
