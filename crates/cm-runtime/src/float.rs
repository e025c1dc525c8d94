//! Text of floating-point numbers. The C library rounds correctly, so the digits are its own.

use crate::{
    c,
    memory::allocate,
    spec::{Class, Spec, pad},
    string::Str,
};
use core::ffi::{CStr, c_int};

/// Text in a buffer, or in memory of its own if it is long.
struct Text {
    buffer: [u8; 128],
    long: *mut u8,
    len: usize,
}

impl Text {
    /// What `snprintf` makes of a format with a precision and a number.
    fn print(format: &CStr, precision: usize, value: f64) -> Text {
        let mut text = Text { buffer: [0; 128], long: core::ptr::null_mut(), len: 0 };
        let size = text.buffer.len();
        let precision = precision as c_int;
        // SAFETY: the format is one of ours and takes these two arguments.
        unsafe {
            let buffer = text.buffer.as_mut_ptr().cast();
            text.len = c::snprintf(buffer, size, format.as_ptr(), precision, value) as usize;
            if text.len >= size {
                text.long = allocate(text.len + 1);
                let long = text.long.cast();
                c::snprintf(long, text.len + 1, format.as_ptr(), precision, value);
            }
        }
        text
    }

    fn bytes(&mut self) -> *mut u8 {
        if self.long.is_null() { self.buffer.as_mut_ptr() } else { self.long }
    }

    fn byte(&mut self, index: usize) -> u8 {
        // SAFETY: callers give positions inside the text.
        unsafe { *self.bytes().add(index) }
    }

    fn pad(mut self, spec: Spec) -> Str {
        // SAFETY: the text has this length.
        unsafe { pad(self.bytes(), self.len, Class::Number, spec) }
    }

    /// Drops zeros at the end of decimals, and a bare point.
    fn drop_zeros(&mut self) {
        while self.byte(self.len - 1) == b'0' {
            self.len -= 1;
        }
        if self.byte(self.len - 1) == b'.' {
            self.len -= 1;
        }
    }
}

impl Drop for Text {
    fn drop(&mut self) {
        // SAFETY: the memory is ours or null.
        unsafe { c::free(self.long.cast()) };
    }
}

/// A floating-point number.
#[unsafe(no_mangle)]
pub extern "C" fn cm_fmt_float(value: f64, spec: u64) -> Str {
    let spec = Spec(spec);
    let precision = spec.precision();
    if !value.is_finite() {
        return not_finite(value, spec);
    }
    match (spec.kind(), spec.upper()) {
        (b'e', false) => Text::print(c"%.*e", precision.unwrap_or(6), value).pad(spec),
        (b'e', true) => Text::print(c"%.*E", precision.unwrap_or(6), value).pad(spec),
        (b'f', _) => Text::print(c"%.*f", precision.unwrap_or(6), value).pad(spec),
        _ => match precision {
            Some(precision) => Text::print(c"%.*f", precision, value).pad(spec),
            None => shortened(value).pad(spec),
        },
    }
}

fn not_finite(value: f64, spec: Spec) -> Str {
    let text: &[u8] = if value.is_nan() {
        b"nan"
    } else if value < 0.0 {
        b"-inf"
    } else {
        b"inf"
    };
    // SAFETY: the text is static.
    unsafe { pad(text.as_ptr(), text.len(), Class::Number, spec.without_zeros()) }
}

/// Six significant digits, counting those before the point: without decimals that are zero, and
/// with all digits of the integer part.
fn shortened(value: f64) -> Text {
    let (mut digits, mut bound) = (1, 10.0);
    while digits <= 6 && value.abs() >= bound {
        digits += 1;
        bound *= 10.0;
    }
    if digits <= 6 {
        let mut text = Text::print(c"%.*f", 6 - digits, value);
        if digits < 6 {
            text.drop_zeros();
        }
        return text;
    }
    rounded_integer(value)
}

/// The first six digits of a number of seven or more, and zeros for the others.
fn rounded_integer(value: f64) -> Text {
    // `-d.ddddde+XXX`
    let mut text = Text::print(c"%.*e", 5, value);
    let first = usize::from(value < 0.0);
    let mut exponent = 0;
    for index in first + 9..text.len {
        exponent = exponent * 10 + usize::from(text.byte(index) - b'0');
    }
    let len = first + 1 + exponent;
    let long = allocate(len);
    for index in 0..len {
        let byte = match index - first.min(index) {
            0 => text.byte(index),
            place if place <= 5 => text.byte(index + 1),
            _ => b'0',
        };
        // SAFETY: inside the new memory.
        unsafe { *long.add(index) = byte };
    }
    text.long = long;
    text.len = len;
    text
}
