//! What stands between the quotes: escapes, interpolations, indentation.

/// A piece of a string literal. Positions are bytes of the text that holds the literal.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece {
    /// Text after escapes.
    Text(String),
    /// `{EXPR}` or `{EXPR:SPEC}`.
    Hole {
        /// First byte of EXPR.
        start: usize,
        /// Byte after EXPR.
        end: usize,
        /// SPEC: first byte and byte after the last.
        spec: Option<(usize, usize)>,
    },
}

/// The value of a character after a backslash.
fn escape(byte: u8) -> u8 {
    match byte {
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'0' => 0,
        other => other,
    }
}

/// The byte that a character literal, quotes included, stands for.
pub fn char_value(literal: &str) -> u8 {
    match literal.as_bytes() {
        [_, b'\\', byte, ..] => escape(*byte),
        [_, byte, ..] => *byte,
        _ => 0,
    }
}

/// Replaces escapes.
pub fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'\\' => bytes.extend(rest.next().map(escape)),
            _ => bytes.push(byte),
        }
    }
    to_string(bytes)
}

/// Only whole characters and ASCII escapes are put together, so nothing is ever lost.
fn to_string(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// The text of a string literal (`start..end` are the bytes between its quotes) without
/// interpolation, as import paths and assembly have it.
pub fn literal(text: &str, start: usize, end: usize, raw: bool) -> String {
    let mut scanner = Scanner::new(text, start, end, raw);
    scanner.run(false);
    to_string(scanner.buffer)
}

/// The pieces of a string literal; `start..end` are the bytes between its quotes.
/// `None`: so many `{` have no `}` that looking for them would take too long.
pub fn template(text: &str, start: usize, end: usize, raw: bool) -> Option<Vec<Piece>> {
    let mut scanner = Scanner::new(text, start, end, raw);
    scanner.run(true);
    scanner.flush();
    (scanner.budget > 0).then_some(scanner.pieces)
}

/// The end of EXPR, the bytes of SPEC, and the byte after the closing brace.
type HoleEnd = (usize, Option<(usize, usize)>, usize);

struct Scanner<'t> {
    bytes: &'t [u8],
    at: usize,
    raw: bool,
    /// Blanks to drop at the start of each line but the first.
    indent: usize,
    buffer: Vec<u8>,
    pieces: Vec<Piece>,
    /// Bounds the bytes that are read in vain while looking for the end of holes.
    budget: usize,
}

impl<'t> Scanner<'t> {
    fn new(text: &'t str, start: usize, end: usize, raw: bool) -> Self {
        let inner = &text[start..end];
        let indent = if raw { common_indent(inner) } else { 0 };
        let budget = 100_000 + 64 * inner.len();
        let bytes = &text.as_bytes()[..end];
        let (buffer, pieces) = (Vec::with_capacity(inner.len()), Vec::new());
        Scanner { bytes, at: start, raw, indent, buffer, pieces, budget }
    }

    fn peek(&self, n: usize) -> u8 {
        self.bytes.get(self.at + n).copied().unwrap_or(0)
    }

    fn flush(&mut self) {
        if !self.buffer.is_empty() {
            self.pieces.push(Piece::Text(to_string(std::mem::take(&mut self.buffer))));
        }
    }

    fn run(&mut self, holes: bool) {
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'\\' => {
                    let escaped = self.bytes.get(self.at + 1).map(|b| escape(*b));
                    self.buffer.extend(escaped);
                    self.at += 2;
                }
                b'\n' => {
                    self.buffer.push(b'\n');
                    self.at += 1;
                    self.skip_indent();
                }
                b'$' if holes && self.peek(1) == b'{' && self.hole(1) => {}
                b'{' | b'}' if holes && !self.raw && self.peek(1) == byte => {
                    self.buffer.push(byte);
                    self.at += 2;
                }
                b'{' if holes && !self.raw && self.hole(0) => {}
                _ => {
                    self.buffer.push(byte);
                    self.at += 1;
                }
            }
        }
    }

    fn skip_indent(&mut self) {
        let blanks = self.bytes[self.at..].iter().take(self.indent);
        self.at += blanks.take_while(|b| matches!(b, b' ' | b'\t')).count();
    }

    /// Takes an interpolation whose `{` is `brace` bytes ahead, if there is one.
    fn hole(&mut self, brace: usize) -> bool {
        let start = self.at + brace + 1;
        let starts = |b: &u8| match self.raw {
            true => !matches!(b, b'}' | b' ' | b'\t' | b'\r' | b'\n'),
            false => b.is_ascii_alphanumeric() || b"_(!&*-~".contains(b),
        };
        if self.budget == 0 || !self.bytes.get(start).is_some_and(starts) {
            return false;
        }
        let Some((end, spec, after)) = self.find_end(start) else { return false };
        // `{0}` and `{2x}` are text, as in messages with numbered places; `{1 + 1}` is an expression.
        let word = self.bytes[start..end].iter().all(u8::is_ascii_alphanumeric);
        if !self.raw && word && self.bytes[start].is_ascii_digit() {
            return false;
        }
        self.flush();
        self.pieces.push(Piece::Hole { start, end, spec });
        self.at = after;
        true
    }

    /// The character at `at` after escapes, whether it was escaped, and what follows it.
    fn next(&self, at: usize) -> Option<(u8, bool, usize)> {
        match (self.bytes.get(at)?, self.bytes.get(at + 1)) {
            (b'\\', Some(byte)) => Some((escape(*byte), true, at + 2)),
            (byte, _) => Some((*byte, false, at + 1)),
        }
    }

    /// The end of the expression that starts at `start`, its format spec, and the byte after the
    /// closing brace.
    fn find_end(&mut self, start: usize) -> Option<HoleEnd> {
        let mut at = start;
        let mut open = Vec::new();
        let mut ternaries = 0;
        while let Some((byte, escaped, next)) = self.next(at) {
            let mut after = next;
            match byte {
                b'"' | b'`' | b'\'' => after = self.skip_quoted(byte, next)?,
                b'(' | b'[' => open.push(byte),
                b'{' if !escaped => open.push(byte),
                b')' if open.pop() != Some(b'(') => break,
                b']' if open.pop() != Some(b'[') => break,
                b'}' if escaped => {}
                b'}' => match open.pop() {
                    None => return Some((at, None, next)),
                    Some(b'{') => {}
                    Some(_) => break,
                },
                b'?' if open.is_empty() => ternaries += 1,
                b':' if self.bytes.get(next) == Some(&b':') => after += 1,
                b':' if open.is_empty() && ternaries > 0 => ternaries -= 1,
                b':' if open.is_empty() => {
                    let close = self.find_brace(next)?;
                    return Some((at, Some((next, close)), close + 1));
                }
                _ => {}
            }
            at = after;
        }
        self.budget = self.budget.saturating_sub(at - start + 1);
        None
    }

    /// The next `}` that is not escaped.
    fn find_brace(&mut self, start: usize) -> Option<usize> {
        let mut at = start;
        while let Some((byte, escaped, next)) = self.next(at) {
            if byte == b'}' && !escaped {
                return Some(at);
            }
            at = next;
        }
        self.budget = self.budget.saturating_sub(at - start + 1);
        None
    }

    /// The end of a string or character inside an interpolation. An apostrophe that starts no
    /// character stands for itself.
    fn skip_quoted(&mut self, quote: u8, start: usize) -> Option<usize> {
        let mut at = start;
        let mut length = 0;
        while let Some((byte, _, next)) = self.next(at) {
            at = next;
            if byte == quote {
                return Some(at);
            } else if quote == b'\'' && length == 1 {
                return Some(start);
            } else if byte == b'\\' {
                at = self.next(at).map_or(at, |(_, _, next)| next);
            }
            length += 1;
        }
        self.budget = self.budget.saturating_sub(at - start + 1);
        None
    }
}

/// The smallest count of leading blanks over the lines after the first that are not blank.
fn common_indent(text: &str) -> usize {
    let lines = text.split('\n').skip(1);
    let lines = lines.filter(|line| !line.trim_matches([' ', '\t', '\r']).is_empty());
    let blanks = |line: &str| line.bytes().take_while(|b| matches!(b, b' ' | b'\t')).count();
    lines.map(blanks).min().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shows pieces as text with holes between `<` and `>`.
    fn show(text: &str, raw: bool) -> String {
        let pieces = template(text, 0, text.len(), raw).expect("within the budget");
        let show = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Hole { start, end, spec: None } => format!("<{}>", &text[*start..*end]),
            Piece::Hole { start, end, spec: Some((s, e)) } => {
                format!("<{}|{}>", &text[*start..*end], &text[*s..*e])
            }
        };
        pieces.iter().map(show).collect()
    }

    #[test]
    fn templates() {
        for (text, expected) in [
            ("n={n} hex={n:x} {{literal}}", "n=<n> hex=<n|x> {literal}"),
            ("{} { x } {0} {", "{} { x } {0} {"),
            (r"\{a\} \n\\\q\é", "{a} \n\\qé"),
            ("${a} $ {b}", "<a> $ <b>"),
            ("{a ? b : c:>5}", "<a ? b : c|>5>"),
            ("{E::V} {f(P{x: 1})}", "<E::V> <f(P{x: 1})>"),
            (r#"{pick(\"}:\")} {c == '}'}"#, r#"<pick(\"}:\")> <c == '}'>"#),
            ("{a {b}", "{a <b>"),
            ("{(a} {b}", "{(a} <b>"),
            ("{x:(>5} }", "<x|(>5> }"),
            ("{x:}", "<x|>"),
            ("{{{x}}}", "{<x>}"),
        ] {
            assert_eq!(show(text, false), expected, "{text}");
        }
    }

    #[test]
    fn raw_strings() {
        assert_eq!(
            show("a\n      b\n        c ${1 + 1} ${(x)} {x}", true),
            "a\nb\n  c <1 + 1> <(x)> {x}"
        );
        assert_eq!(show("\n  a\n\n\t\tb\n", true), "\na\n\nb\n");
        assert_eq!(show(r"\${a} {{", true), "${a} {{");
    }

    #[test]
    fn many_unmatched_braces_are_given_up() {
        let text = "{a".repeat(100_000);
        assert_eq!(template(&text, 0, text.len(), false), None);
    }
}
