//! C's `printf`.

use super::{
    Run,
    foreign::{Args, number},
    format::{exponent, fixed},
    memory::Memory,
    num::{Num, sign_extend},
    trap,
};

/// Larger widths and precisions are cut to this.
const MAX_WIDTH: usize = 1 << 16;

/// A conversion.
#[derive(Default)]
struct Spec {
    left: bool,
    zero: bool,
    plus: bool,
    space: bool,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
    /// Bits of an integer.
    bits: u8,
}

/// The text of a format (an address) and its arguments.
pub fn format(memory: &Memory, format: u64, args: Args<'_>) -> Run<Vec<u8>> {
    let mut rest = memory.string(format)?;
    let mut args = args.iter().copied();
    let mut out = Vec::new();
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        if *byte != b'%' {
            out.push(*byte);
            continue;
        }
        let mut next = || match args.next() {
            Some(arg) => Ok(arg),
            None => trap("printf has too few arguments"),
        };
        let spec = parse(&mut rest, &mut next)?;
        let Some((letter, tail)) = rest.split_first() else { return trap("printf ends with %") };
        rest = tail;
        if *letter == b'%' {
            out.push(b'%');
            continue;
        }
        let arg = next()?;
        out.extend(convert(memory, &spec, *letter, arg)?);
    }
    Ok(out)
}

fn parse(rest: &mut &[u8], next: &mut impl FnMut() -> Run<(u64, Num)>) -> Run<Spec> {
    let mut spec = Spec { bits: 32, ..Spec::default() };
    loop {
        match rest.first() {
            Some(b'-') => spec.left = true,
            Some(b'0') => spec.zero = true,
            Some(b'+') => spec.plus = true,
            Some(b' ') => spec.space = true,
            Some(b'#') => spec.alternate = true,
            _ => break,
        }
        *rest = &rest[1..];
    }
    let mut count = |rest: &mut &[u8]| -> Run<i64> {
        if rest.first() == Some(&b'*') {
            *rest = &rest[1..];
            return Ok(number(next()?) as i64);
        }
        let len = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, tail) = rest.split_at(len);
        *rest = tail;
        Ok(digits
            .iter()
            .fold(0, |n: i64, digit| n.saturating_mul(10).saturating_add(i64::from(digit - b'0'))))
    };
    let width = count(rest)?;
    spec.left |= width < 0;
    spec.width = (width.unsigned_abs() as usize).min(MAX_WIDTH);
    if rest.first() == Some(&b'.') {
        *rest = &rest[1..];
        spec.precision = usize::try_from(count(rest)?).ok().map(|n| n.min(MAX_WIDTH));
    }
    while let Some(letter @ (b'l' | b'h' | b'z' | b'j' | b't' | b'L')) = rest.first() {
        spec.bits = match (letter, spec.bits) {
            (b'h', 32) => 16,
            (b'h', _) => 8,
            _ => 64,
        };
        *rest = &rest[1..];
    }
    Ok(spec)
}

fn convert(memory: &Memory, spec: &Spec, letter: u8, arg: (u64, Num)) -> Run<Vec<u8>> {
    let (value, _) = arg;
    Ok(match letter {
        b'd' | b'i' => {
            let value = sign_extend(value, spec.bits);
            integer(spec, sign(spec, value < 0), value.unsigned_abs().to_string())
        }
        b'u' => integer(spec, "", low(value, spec.bits).to_string()),
        b'x' | b'X' | b'o' => {
            let value = low(value, spec.bits);
            let (prefix, text) = match letter {
                b'x' => ("0x", format!("{value:x}")),
                b'X' => ("0X", format!("{value:X}")),
                _ => ("0", format!("{value:o}")),
            };
            let prefix = if spec.alternate && value != 0 { prefix } else { "" };
            integer(spec, prefix, text)
        }
        b'c' => pad(spec, "", &[value as u8], false),
        b's' => {
            let text = if value == 0 { b"(null)" } else { memory.string(value)? };
            let len = spec.precision.map_or(text.len(), |most| text.len().min(most));
            pad(spec, "", &text[..len], false)
        }
        b'p' if value == 0 => pad(spec, "", b"(nil)", false),
        b'p' => pad(spec, "", format!("{value:#x}").as_bytes(), false),
        b'f' | b'F' | b'e' | b'E' | b'g' | b'G' => {
            let value = f64::from_bits(value);
            let sign = sign(spec, value.is_sign_negative());
            let text = float(spec, letter, value.abs());
            pad(spec, sign, text.as_bytes(), value.is_finite())
        }
        _ => return trap(format!("printf knows no %{}", char::from(letter))),
    })
}

fn low(value: u64, bits: u8) -> u64 {
    value & u64::MAX >> (64 - bits)
}

fn sign(spec: &Spec, negative: bool) -> &'static str {
    match (negative, spec.plus, spec.space) {
        (true, ..) => "-",
        (false, true, _) => "+",
        (false, false, true) => " ",
        (false, false, false) => "",
    }
}

fn integer(spec: &Spec, prefix: &str, digits: String) -> Vec<u8> {
    let digits = match spec.precision {
        Some(0) if digits == "0" => String::new(),
        Some(least) => format!("{digits:0>least$}"),
        None => digits,
    };
    pad(spec, prefix, digits.as_bytes(), spec.precision.is_none())
}

fn float(spec: &Spec, letter: u8, value: f64) -> String {
    let upper = letter.is_ascii_uppercase();
    if !value.is_finite() {
        let text = if value.is_nan() { "nan" } else { "inf" };
        return if upper { text.to_uppercase() } else { text.to_owned() };
    }
    let e = if upper { 'E' } else { 'e' };
    let precision = spec.precision.unwrap_or(6);
    match letter.to_ascii_lowercase() {
        b'f' => fixed(value, precision),
        b'e' => exponent(value, precision, e),
        _ => {
            let precision = precision.max(1);
            let text = exponent(value, precision - 1, e);
            let power =
                text.split_once(e).and_then(|(_, power)| power.parse().ok()).unwrap_or(0_i64);
            if power < -4 || power >= precision as i64 {
                let (digits, power) = text.split_once(e).unwrap_or((&text, "+00"));
                return format!("{}{e}{power}", significant(spec, digits));
            }
            significant(spec, &fixed(value, (precision as i64 - 1 - power) as usize)).to_owned()
        }
    }
}

/// `%g` drops zeros at the end.
fn significant<'a>(spec: &Spec, digits: &'a str) -> &'a str {
    match digits.contains('.') && !spec.alternate {
        true => digits.trim_end_matches('0').trim_end_matches('.'),
        false => digits,
    }
}

fn pad(spec: &Spec, prefix: &str, text: &[u8], zeros: bool) -> Vec<u8> {
    let missing = spec.width.saturating_sub(prefix.len() + text.len());
    let fill = |byte: u8, wanted: bool| vec![byte; if wanted { missing } else { 0 }];
    let zeros = zeros && spec.zero && !spec.left;
    [
        &fill(b' ', !spec.left && !zeros),
        prefix.as_bytes(),
        &fill(b'0', zeros),
        text,
        &fill(b' ', spec.left),
    ]
    .concat()
}
