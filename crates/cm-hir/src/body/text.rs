//! Format specs, and the text of constants (`04-expressions.md` §4.11).

use super::common::base;
use crate::{
    thir::ConstValue,
    ty::{IntTy, Ty, TyKind},
};
use cm_mir::runtime::FormatSpec;

/// Reads `[[fill]align][0][width][.precision][type]`. `None`: it is none.
pub(crate) fn parse_spec(text: &str) -> Option<FormatSpec> {
    let mut spec = FormatSpec::default();
    let mut rest = text.as_bytes();
    let is_align = |byte: u8| matches!(byte, b'<' | b'>' | b'^');
    match rest {
        [fill, align, tail @ ..] if is_align(*align) => {
            (spec.fill, spec.align, rest) = (*fill, *align, tail);
        }
        [align, tail @ ..] if is_align(*align) => (spec.align, rest) = (*align, tail),
        _ => {}
    }
    if let [b'0', tail @ ..] = rest {
        (spec.zero, rest) = (true, tail);
    }
    spec.width = number(&mut rest)?.unwrap_or(0);
    if let [b'.', tail @ ..] = rest {
        rest = tail;
        spec.precision = Some(number(&mut rest)??);
    }
    if let [kind @ (b'x' | b'X' | b'b' | b'o' | b'e' | b'E' | b'f'), tail @ ..] = rest {
        (spec.kind, rest) = (*kind, tail);
    }
    rest.is_empty().then_some(spec)
}

/// Digits; `None` if they are too large a number.
fn number(rest: &mut &[u8]) -> Option<Option<u32>> {
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 {
        return Some(None);
    }
    let (head, tail) = rest.split_at(digits);
    *rest = tail;
    let value = std::str::from_utf8(head).ok()?.parse().ok()?;
    (value <= FormatSpec::MAX).then_some(Some(value))
}

/// Whether a spec fits a type that has a textual form.
pub(crate) fn spec_fits(spec: FormatSpec, ty: Ty) -> bool {
    let (kind, precision) = (spec.kind, spec.precision.is_some());
    match *base(ty) {
        TyKind::Int(_) | TyKind::Enum(..) | TyKind::Pointer { .. } => {
            matches!(kind, 0 | b'x' | b'X' | b'b' | b'o') && !precision
        }
        TyKind::Float(_) => matches!(kind, 0 | b'e' | b'E' | b'f'),
        TyKind::Str | TyKind::CStr => kind == 0,
        _ => kind == 0 && !precision,
    }
}

/// The text of a constant. `None`: it has none.
pub(crate) fn format(value: &ConstValue, ty: Ty, spec: FormatSpec) -> Option<String> {
    let ty = base(ty);
    let number = matches!(*ty, TyKind::Int(_) | TyKind::Enum(..) | TyKind::Float(_));
    let text = match value {
        ConstValue::Int(n) => integer((*n).into(), ty, spec),
        ConstValue::Bool(b) => b.to_string(),
        ConstValue::Char(0) => String::new(),
        ConstValue::Char(c) if c.is_ascii() => char::from(*c).to_string(),
        ConstValue::Float(bits) => float(f64::from_bits(*bits), spec),
        ConstValue::Str(text) => match spec.precision {
            Some(max) => text.get(..text.len().min(max as usize))?.to_owned(),
            None => text.to_string(),
        },
        _ => return None,
    };
    Some(pad(text, number, spec))
}

fn integer(n: i128, ty: Ty, spec: FormatSpec) -> String {
    let bits = match *ty {
        TyKind::Int(int) => int.bits(),
        _ => IntTy::Int.bits(),
    };
    let pattern = n as u128 & ((1 << bits) - 1);
    match spec.kind {
        b'x' => format!("{pattern:x}"),
        b'X' => format!("{pattern:X}"),
        b'b' => format!("{pattern:b}"),
        b'o' => format!("{pattern:o}"),
        _ => n.to_string(),
    }
}

fn float(value: f64, spec: FormatSpec) -> String {
    if value.is_nan() {
        return "nan".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.into();
    }
    let places = spec.precision.map(|precision| precision as usize);
    match (spec.kind, places) {
        (b'e' | b'E', places) => {
            let text = format!("{value:.*e}", places.unwrap_or(6));
            let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            let (sign, exponent) = match exponent.strip_prefix('-') {
                Some(exponent) => ('-', exponent),
                None => ('+', exponent),
            };
            format!("{digits}{}{sign}{exponent:0>2}", spec.kind as char)
        }
        (_, Some(places)) => format!("{value:.places$}"),
        (b'f', None) => format!("{value:.6}"),
        _ => default_float(value),
    }
}

fn default_float(value: f64) -> String {
    let digits = format!("{:.0}", value.abs().trunc()).len();
    if digits <= 6 {
        let text = format!("{value:.*}", 6 - digits);
        return match text.contains('.') {
            true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
            false => text,
        };
    }
    let text = format!("{value:.5e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let mut shown: String = mantissa.chars().filter(|c| *c != '.').collect();
    let zeros = exponent.parse::<usize>().unwrap_or(0).saturating_sub(5);
    shown.extend(std::iter::repeat_n('0', zeros));
    shown
}

fn pad(text: String, number: bool, spec: FormatSpec) -> String {
    let missing = (spec.width as usize).saturating_sub(text.len());
    if missing == 0 {
        return text;
    }
    if spec.zero && spec.align == 0 {
        let sign = usize::from(number && text.starts_with('-'));
        let (sign, digits) = text.split_at(sign);
        return format!("{sign}{}{digits}", "0".repeat(missing));
    }
    let fill = if spec.fill == 0 { ' ' } else { char::from(spec.fill) };
    let left = match spec.align {
        b'<' => 0,
        b'>' => missing,
        b'^' => missing / 2,
        _ if number => missing,
        _ => 0,
    };
    let side = |n: usize| fill.to_string().repeat(n);
    format!("{}{text}{}", side(left), side(missing - left))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::common::TY;

    #[test]
    fn constants_have_the_text_of_run_time() {
        let float = |value: f64, spec: &str| {
            let spec = parse_spec(spec).expect("a spec");
            format(&ConstValue::Float(value.to_bits()), TY.double, spec).expect("text")
        };
        let cases = [
            (1.23456789, "", "1.23457"),
            (175.5, "", "175.5"),
            (2.0 / 3.0, "", "0.66667"),
            (123456.789, "", "123457"),
            (12345678.9, "", "12345700"),
            (1e-7, "", "0"),
            (10.0, "", "10"),
            (-0.0, "", "-0"),
            (2.5, ".0", "2"),
            (-1.5, "08.2", "-0001.50"),
            (1234.5, ".2e", "1.23e+03"),
        ];
        for (value, spec, text) in cases {
            assert_eq!(float(value, spec), text, "{value} with {spec:?}");
        }
        let int = |spec: &str| {
            let spec = parse_spec(spec).expect("a spec");
            format(&ConstValue::int(-5), TyKind::Int(IntTy::Tiny).intern(), spec)
        };
        assert_eq!(int("x").as_deref(), Some("fb"));
        assert_eq!(int("*^6").as_deref(), Some("**-5**"));
        assert_eq!(int("04").as_deref(), Some("-005"));
        assert!(parse_spec("q").is_none() && parse_spec(".").is_none());
    }
}
