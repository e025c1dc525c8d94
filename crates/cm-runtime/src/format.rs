//! Text of integers, booleans, characters and strings.

use crate::{
    spec::{Class, Spec, pad},
    string::Str,
};

/// Digits are written from the end of a buffer that has room for 64 of them and a sign.
struct Digits {
    buffer: [u8; 65],
    start: usize,
}

impl Digits {
    fn new(mut value: u64, base: u64, upper: bool) -> Digits {
        let letter = if upper { b'A' - 10 } else { b'a' - 10 };
        let mut digits = Digits { buffer: [0; 65], start: 65 };
        loop {
            let digit = (value % base) as u8;
            digits.push(digit + if digit < 10 { b'0' } else { letter });
            value /= base;
            if value == 0 {
                return digits;
            }
        }
    }

    fn push(&mut self, byte: u8) {
        self.start = self.start.saturating_sub(1);
        if let Some(place) = self.buffer.get_mut(self.start) {
            *place = byte;
        }
    }

    fn pad(&self, spec: Spec) -> Str {
        let (buffer, start) = (self.buffer.as_ptr(), self.start);
        // SAFETY: the digits are the end of the buffer.
        unsafe { pad(buffer.wrapping_add(start), self.buffer.len() - start, Class::Number, spec) }
    }
}

/// The base that a type letter means.
fn base(spec: Spec) -> u64 {
    match spec.kind() {
        b'x' => 16,
        b'b' => 2,
        b'o' => 8,
        _ => 10,
    }
}

/// The low bits of a number.
fn low_bits(value: u64, bits: i32) -> u64 {
    if (1..64).contains(&bits) { value & ((1 << bits) - 1) } else { value }
}

/// A signed integer; other bases than ten show the bits of its own width.
#[unsafe(no_mangle)]
pub extern "C" fn cm_fmt_signed(value: i64, bits: i32, spec: u64) -> Str {
    let spec = Spec(spec);
    let base = base(spec);
    if base != 10 {
        return Digits::new(low_bits(value as u64, bits), base, spec.upper()).pad(spec);
    }
    let mut digits = Digits::new(value.unsigned_abs(), 10, false);
    if value < 0 {
        digits.push(b'-');
    }
    digits.pad(spec)
}

/// An unsigned integer.
#[unsafe(no_mangle)]
pub extern "C" fn cm_fmt_unsigned(value: u64, bits: i32, spec: u64) -> Str {
    let spec = Spec(spec);
    Digits::new(low_bits(value, bits), base(spec), spec.upper()).pad(spec)
}

/// `true` or `false`.
#[unsafe(no_mangle)]
pub extern "C" fn cm_fmt_bool(value: bool, spec: u64) -> Str {
    let text: &[u8] = if value { b"true" } else { b"false" };
    // SAFETY: the text is static.
    unsafe { pad(text.as_ptr(), text.len(), Class::Text, Spec(spec)) }
}

/// One byte.
#[unsafe(no_mangle)]
pub extern "C" fn cm_fmt_char(value: u8, spec: u64) -> Str {
    // SAFETY: the byte is a local.
    unsafe { pad(&value, 1, Class::Text, Spec(spec)) }
}

/// A string, cut to the precision.
#[unsafe(no_mangle)]
pub extern "C" fn cm_fmt_str(text: Str, spec: u64) -> Str {
    let spec = Spec(spec);
    let len = match spec.precision() {
        Some(limit) if limit < text.len() => limit,
        _ => text.len(),
    };
    // SAFETY: the string has at least this length.
    unsafe { pad(text.bytes(), len, Class::Text, spec) }
}
