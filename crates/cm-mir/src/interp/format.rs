//! Text of values (`04-expressions.md` §4.11). Rust's formatting rounds the exact value, ties to even.

use crate::runtime::FormatSpec;

/// A signed integer of this width.
pub fn signed(value: i64, bits: u8, spec: FormatSpec) -> Vec<u8> {
    if spec.kind != 0 {
        return unsigned(value as u64, bits, spec);
    }
    pad(value.to_string().as_bytes(), spec, true)
}

/// An unsigned integer of this width, or the bits of a signed one.
pub fn unsigned(value: u64, bits: u8, spec: FormatSpec) -> Vec<u8> {
    let bits = value & u64::MAX >> (64 - bits.clamp(1, 64));
    let text = match spec.kind {
        b'x' => format!("{bits:x}"),
        b'X' => format!("{bits:X}"),
        b'b' => format!("{bits:b}"),
        b'o' => format!("{bits:o}"),
        _ => value.to_string(),
    };
    pad(text.as_bytes(), spec, true)
}

/// A string: the precision bounds its bytes.
pub fn string(text: &[u8], spec: FormatSpec) -> Vec<u8> {
    let len = spec.precision.map_or(text.len(), |most| text.len().min(most as usize));
    pad(&text[..len], spec, false)
}

/// A floating number.
pub fn float(value: f64, spec: FormatSpec) -> Vec<u8> {
    let precision = spec.precision.map(|precision| precision as usize);
    let text = if value.is_nan() {
        "nan".to_owned()
    } else if value.is_infinite() {
        if value < 0.0 { "-inf" } else { "inf" }.to_owned()
    } else {
        match (spec.kind, precision) {
            (b'e' | b'E', precision) => exponent(value, precision.unwrap_or(6), spec.kind as char),
            (b'f', precision) => fixed(value, precision.unwrap_or(6)),
            (_, Some(precision)) => fixed(value, precision),
            (_, None) => shortest(value),
        }
    };
    pad(text.as_bytes(), spec, true)
}

/// So many decimals. No number has more than 1074, and what the standard library can write at once
/// is bounded, so the zeros after them are added here.
pub fn fixed(value: f64, decimals: usize) -> String {
    let exact = decimals.min(1074);
    let mut text = format!("{value:.exact$}");
    text.extend(std::iter::repeat_n('0', decimals - exact));
    text
}

/// `d.ddde±XX`.
pub fn exponent(value: f64, decimals: usize, letter: char) -> String {
    let exact = decimals.min(1074);
    let text = format!("{value:.exact$e}");
    let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
    let power: i32 = power.parse().unwrap_or(0);
    let zeros = "0".repeat(decimals - exact);
    let sign = if power < 0 { '-' } else { '+' };
    format!("{digits}{zeros}{letter}{sign}{:02}", power.abs())
}

/// The default: about six significant digits, never an exponent.
fn shortest(value: f64) -> String {
    let whole = fixed(value.abs().trunc(), 0);
    if whole.len() <= 6 {
        let text = fixed(value, 6 - whole.len());
        let text = match text.contains('.') {
            true => text.trim_end_matches('0').trim_end_matches('.'),
            false => &text,
        };
        return text.to_owned();
    }
    let text = format!("{value:.5e}");
    let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
    let power: usize = power.parse().unwrap_or(0);
    let digits: String = digits.chars().filter(|c| *c != '.').collect();
    digits + &"0".repeat(power.saturating_sub(5))
}

/// Brings text to its width.
pub fn pad(text: &[u8], spec: FormatSpec, number: bool) -> Vec<u8> {
    let missing = (spec.width as usize).saturating_sub(text.len());
    let fill = if spec.fill == 0 { b' ' } else { spec.fill };
    let left = match spec.align {
        b'<' => 0,
        b'>' => missing,
        b'^' => missing / 2,
        _ if number && spec.zero => {
            let sign = usize::from(text.starts_with(b"-"));
            return [&text[..sign], &vec![b'0'; missing], &text[sign..]].concat();
        }
        _ if number => missing,
        _ => 0,
    };
    [&vec![fill; left], text, &vec![fill; missing - left]].concat()
}

#[cfg(test)]
mod tests {
    use super::{FormatSpec, float};

    #[test]
    fn rounding_is_exact_with_ties_to_even() {
        let text = |value: f64, precision, kind| {
            let spec = FormatSpec { precision, kind, ..FormatSpec::default() };
            String::from_utf8(float(value, spec)).expect("digits")
        };
        let fixed = [
            (0.5, 0, "0"),
            (1.5, 0, "2"),
            (2.5, 0, "2"),
            (-0.5, 0, "-0"),
            (0.125, 2, "0.12"),
            (0.375, 2, "0.38"),
            (1.005, 2, "1.00"),
            (1e22, 1, "10000000000000000000000.0"),
        ];
        for (value, precision, expected) in fixed {
            assert_eq!(text(value, Some(precision), 0), expected);
        }
        let default = [
            (1_234_565.0, "1234560"),
            (1_234_575.0, "1234580"),
            (999_999.5, "1000000"),
            (9_999_999.0, "10000000"),
            (9.999_999, "10"),
            (-1e-7, "-0"),
            (0.5, "0.5"),
            (1e21, "1000000000000000000000"),
            (f64::MAX, &format!("179769{}", "0".repeat(303))),
            (5e-324, "0"),
        ];
        for (value, expected) in default {
            assert_eq!(text(value, None, 0), expected);
        }
        assert_eq!(text(2.5, Some(0), b'e'), "2e+00");
        assert_eq!(text(0.0, None, b'E'), "0.000000E+00");
        assert_eq!(text(1e-300, Some(2), b'e'), "1.00e-300");
        assert_eq!(text(1.0, Some(3000), b'f').len(), 3002);
    }
}
