//! Format specs and padding (`04-expressions.md` §4.11).

use crate::{memory, string::Str};

/// A format spec, packed as cm-mir's `runtime::FormatSpec` says.
#[derive(Clone, Copy)]
pub struct Spec(pub u64);

impl Spec {
    fn fill(self) -> u8 {
        match self.0 as u8 {
            0 => b' ',
            fill => fill,
        }
    }
    /// 0 none, 1 left, 2 right, 3 centre.
    fn align(self) -> u64 {
        self.0 >> 8 & 3
    }
    fn zero(self) -> bool {
        self.0 >> 10 & 1 == 1
    }
    fn width(self) -> usize {
        (self.0 >> 17 & 0x7f_ffff) as usize
    }
    /// The type letter in lower case, or 0.
    pub fn kind(self) -> u8 {
        match (self.0 >> 11 & 31) as u8 {
            0 => 0,
            letter => letter | 0x60,
        }
    }
    /// The same without zero padding.
    pub fn without_zeros(self) -> Spec {
        Spec(self.0 & !(1 << 10))
    }
    /// The type letter is in upper case.
    pub fn upper(self) -> bool {
        self.0 >> 16 & 1 == 1
    }
    /// Digits after the point, or bytes of a string.
    pub fn precision(self) -> Option<usize> {
        ((self.0 >> 40 & 0x7f_ffff) as usize).checked_sub(1)
    }
}

/// What is padded, which decides the default.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Goes right; zeros go after the sign.
    Number,
    /// Goes left.
    Text,
}

/// A new string of the text, padded to the width.
///
/// # Safety
/// The bytes can be read.
pub unsafe fn pad(text: *const u8, len: usize, class: Class, spec: Spec) -> Str {
    let missing = spec.width().saturating_sub(len);
    // SAFETY: the caller's.
    if missing == 0 {
        return unsafe { Str::copy(text, len) };
    }
    let (result, to) = Str::with_len(len + missing);
    if class == Class::Number && spec.zero() && spec.align() == 0 {
        // SAFETY: a number has a first byte.
        let sign = usize::from(len > 0 && unsafe { *text } == b'-');
        // SAFETY: the new string has room for sign, zeros and digits.
        unsafe {
            memory::copy(to, text, sign);
            core::ptr::write_bytes(to.add(sign), b'0', missing);
            memory::copy(to.add(sign + missing), text.add(sign), len - sign);
        }
        return result;
    }
    let before = match (spec.align(), class) {
        (1, _) | (0, Class::Text) => 0,
        (3, _) => missing / 2,
        _ => missing,
    };
    // SAFETY: the new string has room for padding and text.
    unsafe {
        core::ptr::write_bytes(to, spec.fill(), before);
        memory::copy(to.add(before), text, len);
        core::ptr::write_bytes(to.add(before + len), spec.fill(), missing - before);
    }
    result
}
