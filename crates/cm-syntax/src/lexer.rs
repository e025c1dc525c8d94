//! The lexer: text to tokens, in one pass over the bytes.

use crate::{
    preprocess::{Conditionals, line_end},
    token::{Token, TokenKind, keyword},
};
use TokenKind as T;
use cm_base::Name;

/// A lexical error, by bytes.
#[derive(Debug)]
pub struct LexError {
    /// First byte.
    pub start: usize,
    /// Byte after the last.
    pub end: usize,
    /// What is wrong.
    pub message: String,
}

impl LexError {
    /// An error at these bytes.
    pub fn new(start: usize, end: usize, message: impl Into<String>) -> Self {
        LexError { start, end, message: message.into() }
    }
}

/// The tokens of a text.
#[derive(Debug)]
pub struct Lexed {
    /// In order; the last is [`TokenKind::Eof`].
    pub tokens: Vec<Token>,
    /// In no particular order.
    pub errors: Vec<LexError>,
}

/// The tokens of a file with these names defined.
pub fn lex_file(text: &str, defines: &[Name]) -> Lexed {
    lex_with(text, Conditionals::new(defines))
}

/// The tokens of all branches of a file.
pub fn lex_all_branches(text: &str) -> Lexed {
    lex_with(text, Conditionals::keeping_all())
}

fn lex_with(text: &str, mut conditionals: Conditionals) -> Lexed {
    let start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut lexer = Lexer::new(text, start, text.len());
    lexer.out.tokens.reserve(text.len() / 2);
    lexer.run(Some(&mut conditionals));
    conditionals.finish(&mut lexer.out.errors);
    lexer.out
}

/// The tokens of an interpolation: the bytes `start..end` of `text`.
pub fn lex_hole(text: &str, start: usize, end: usize) -> Lexed {
    let mut lexer = Lexer::new(&text[..end], start, end);
    lexer.run(None);
    lexer.out
}

struct Lexer<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    out: Lexed,
    /// Open parentheses (by token) and braces (`None`).
    open: Vec<Option<u32>>,
    /// The token of the `(` that the last `)` closed.
    closed: Option<u32>,
}

/// Classes of bytes: 1 continues an identifier, 2 starts one, 4 is a digit.
const CLASS: [u8; 256] = {
    let mut class = [0; 256];
    let mut b = 0;
    while b < 128 {
        let byte = b as u8;
        if byte.is_ascii_alphabetic() || byte == b'_' {
            class[b] = 3;
        } else if byte.is_ascii_digit() {
            class[b] = 5;
        }
        b += 1;
    }
    class
};

fn continues_word(byte: u8) -> bool {
    CLASS[byte as usize] & 1 != 0
}
fn starts_word(byte: u8) -> bool {
    CLASS[byte as usize] & 2 != 0
}

impl<'t> Lexer<'t> {
    fn new(text: &'t str, start: usize, end: usize) -> Self {
        let out = Lexed { tokens: Vec::new(), errors: Vec::new() };
        let bytes = &text.as_bytes()[..end];
        Lexer { text, bytes, at: start, out, open: Vec::new(), closed: None }
    }

    /// The byte `n` after the current one; 0 past the end.
    fn peek(&self, n: usize) -> u8 {
        self.bytes.get(self.at + n).copied().unwrap_or(0)
    }

    fn push(&mut self, kind: T, start: usize) {
        self.out.tokens.push(Token { kind, start: start as u32, end: self.at as u32 });
    }

    /// Reports an error at `start..end` and makes a token of everything since `from`.
    fn error(&mut self, from: usize, start: usize, end: usize, message: impl Into<String>) {
        self.out.errors.push(LexError::new(start, end, message));
        self.push(T::Error, from);
    }

    fn run(&mut self, mut conditionals: Option<&mut Conditionals>) {
        while let Some(&byte) = self.bytes.get(self.at) {
            let start = self.at;
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' => {
                    let rest = &self.bytes[start..];
                    let blank = |b: &u8| matches!(b, b' ' | b'\t' | b'\r' | b'\n');
                    self.at += rest.iter().position(|b| !blank(b)).unwrap_or(rest.len());
                }
                _ if starts_word(byte) => self.word(),
                b'0'..=b'9' => self.number(),
                b'"' => self.string(),
                b'`' => self.raw_string(),
                b'\'' => self.character(),
                b'/' if self.peek(1) == b'/' => self.at = line_end(self.text, start),
                b'/' if self.peek(1) == b'*' => self.block_comment(),
                b'.' if self.at_file_path() => self.file_path(),
                b'#' if self.at_line_start() => {
                    let after = conditionals.as_mut().and_then(|conditionals| {
                        conditionals.directive(self.text, start, &mut self.out.errors)
                    });
                    match after {
                        Some(after) => self.at = after,
                        None => self.symbol(byte),
                    }
                }
                _ => self.symbol(byte),
            }
        }
        self.push(T::Eof, self.at);
    }

    fn at_line_start(&self) -> bool {
        let before = self.bytes[..self.at].iter().rev();
        let mut before = before.skip_while(|b| matches!(b, b' ' | b'\t' | b'\r'));
        matches!(before.next(), None | Some(b'\n' | 0xbf)) // 0xbf ends a byte-order mark
    }

    fn word(&mut self) {
        let start = self.at;
        let rest = &self.bytes[start..];
        let length = rest.iter().position(|b| !continues_word(*b)).unwrap_or(rest.len());
        self.at += length;
        let kind = keyword(&rest[..length]);
        self.push(kind, start);
    }

    // ------------------------------------------------------------ literals

    #[inline]
    fn digits(&mut self, is_digit: impl Fn(&u8) -> bool) -> usize {
        let count = self.bytes[self.at..].iter().take_while(|b| is_digit(b)).count();
        self.at += count;
        count
    }

    fn number(&mut self) {
        let start = self.at;
        let radix: Option<fn(&u8) -> bool> = match (self.peek(0), self.peek(1)) {
            (b'0', b'x' | b'X') => Some(u8::is_ascii_hexdigit),
            (b'0', b'o' | b'O') => Some(|b| (b'0'..=b'7').contains(b)),
            (b'0', b'b' | b'B') => Some(|b| matches!(b, b'0' | b'1')),
            _ => None,
        };
        let mut kind = T::Int;
        let mut valid = true;
        if let Some(is_digit) = radix {
            self.at += 2;
            valid = self.digits(is_digit) > 0;
        } else {
            self.digits(u8::is_ascii_digit);
            if self.peek(0) == b'.' && self.peek(1).is_ascii_digit() {
                kind = T::Float;
                self.at += 1;
                self.digits(u8::is_ascii_digit);
            } else if self.peek(0) == b'.' && starts_word(self.peek(1)) {
                valid = false; // `5.abs()` is not lexically possible
                self.at += 1;
            }
            if matches!(self.peek(0), b'e' | b'E') {
                kind = T::Float;
                self.at += 1;
                if matches!(self.peek(0), b'+' | b'-') {
                    self.at += 1;
                }
                valid &= self.digits(u8::is_ascii_digit) > 0;
            }
        }
        if self.digits(|b| continues_word(*b)) > 0 || !valid {
            let message = format!("Invalid number '{}'", &self.text[start..self.at]);
            self.error(start, start, self.at, message);
        } else {
            self.push(kind, start);
        }
    }

    fn string(&mut self) {
        let start = self.at;
        let mut kind = T::PlainStr;
        self.at += 1;
        loop {
            match self.bytes.get(self.at) {
                None | Some(b'\n') => {
                    return self.error(start, start, start + 1, "unterminated string");
                }
                Some(b'"') => break,
                Some(b'\\') if !matches!(self.peek(1), b'\n') => {
                    kind = T::Str;
                    self.at = (self.at + 2).min(self.bytes.len());
                }
                Some(b'{' | b'}') => {
                    kind = T::Str;
                    self.at += 1;
                }
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
        self.push(kind, start);
    }

    fn raw_string(&mut self) {
        let start = self.at;
        self.at += 1;
        loop {
            match self.bytes.get(self.at) {
                None => return self.error(start, start, start + 1, "unterminated raw string"),
                Some(b'`') => break,
                Some(b'\\') => self.at = (self.at + 2).min(self.bytes.len()),
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
        self.push(T::RawStr, start);
    }

    fn character(&mut self) {
        let start = self.at;
        let length = if self.peek(1) == b'\\' { 2 } else { 1 };
        let content = self.bytes.get(start + 1..start + 1 + length).unwrap_or_default();
        let one = content.iter().all(|b| b.is_ascii() && *b != b'\n') && content[..] != *b"'";
        if one && self.peek(1 + length) == b'\'' {
            self.at += length + 2;
            return self.push(T::Char, start);
        }
        self.bad_character(start);
    }

    fn bad_character(&mut self, start: usize) {
        let mut at = start + 1;
        while let Some(byte) = self.bytes.get(at).filter(|b| !matches!(b, b'\'' | b'\n')) {
            let escapes = *byte == b'\\' && self.bytes.get(at + 1).is_some_and(|b| *b != b'\n');
            at += if escapes { 2 } else { 1 };
        }
        if self.bytes.get(at) != Some(&b'\'') {
            self.at = at;
            return self.error(start, start, start + 1, "unterminated character literal");
        }
        self.at = at + 1;
        let text = &self.text[start + 1..at];
        let message = if text.is_empty() {
            "Empty character literal"
        } else if !text.is_ascii() {
            "A character literal holds an ASCII character; write a string"
        } else {
            "A character literal holds one character; write a string"
        };
        self.error(start, start, self.at, message);
    }

    fn block_comment(&mut self) {
        let start = self.at;
        let rest = self.bytes.get(start + 2..).unwrap_or_default();
        match rest.windows(2).position(|pair| pair == b"*/") {
            Some(length) => self.at = start + length + 4,
            None => {
                self.at = self.bytes.len();
                self.error(start, start, start + 2, "unterminated comment");
            }
        }
    }

    // ------------------------------------------------------------ import paths

    fn at_file_path(&self) -> bool {
        let dots = 1 + usize::from(self.peek(1) == b'.');
        let after_import =
            self.out.tokens.last().is_some_and(|token| matches!(token.kind, T::Import | T::From));
        self.peek(dots) == b'/' && after_import
    }

    /// `./a/b`, `../../a`, and a `/*` directly after it. There are no blanks inside.
    fn file_path(&mut self) {
        let start = self.at;
        self.at += 1 + usize::from(self.peek(1) == b'.');
        while self.peek(0) == b'/' {
            let component = &self.bytes[self.at + 1..];
            let length = match component {
                [b'.', b'.', ..] => 2,
                [first, ..] if starts_word(*first) => {
                    component.iter().take_while(|b| continues_word(**b)).count()
                }
                _ => break,
            };
            self.at += 1 + length;
        }
        self.push(T::FilePath, start);
        if self.peek(0) == b'/' && self.peek(1) == b'*' {
            let start = self.at;
            self.at += 2;
            self.push(T::SlashStar, start);
        }
    }

    // ------------------------------------------------------------ symbols

    fn symbol(&mut self, byte: u8) {
        let next = self.peek(1);
        let third = self.peek(2);
        let (kind, length) = match (byte, next) {
            (b'(', _) => return self.open_paren(),
            (b')', _) => return self.close_paren(),
            (b'{', _) => return self.brace(T::LBrace),
            (b'}', _) => return self.brace(T::RBrace),
            (b'=', b'>') => return self.fat_arrow(),
            (b';', _) => (T::Semi, 1),
            (b',', _) => (T::Comma, 1),
            (b'.', b'.') if third == b'.' => (T::Ellipsis, 3),
            (b'.', _) => (T::Dot, 1),
            (b'[', _) => (T::LBracket, 1),
            (b']', _) => (T::RBracket, 1),
            (b'+', b'+') => (T::PlusPlus, 2),
            (b'+', b'=') => (T::PlusAssign, 2),
            (b'+', _) => (T::Plus, 1),
            (b'-', b'-') => (T::MinusMinus, 2),
            (b'-', b'=') => (T::MinusAssign, 2),
            (b'-', b'>') => (T::Arrow, 2),
            (b'-', _) => (T::Minus, 1),
            (b'*', b'=') => (T::StarAssign, 2),
            (b'*', _) => (T::Star, 1),
            (b'/', b'=') => (T::SlashAssign, 2),
            (b'/', _) => (T::Slash, 1),
            (b'%', b'=') => (T::PercentAssign, 2),
            (b'%', _) => (T::Percent, 1),
            (b'=', b'=') => (T::EqEq, 2),
            (b'=', _) => (T::Assign, 1),
            (b'!', b'=') => (T::NotEq, 2),
            (b'!', _) => (T::Bang, 1),
            (b'<', b'<') if third == b'=' => (T::ShlAssign, 3),
            (b'<', b'<') => (T::Shl, 2),
            (b'<', b'=') => (T::Le, 2),
            (b'<', _) => (T::Lt, 1),
            (b'>', b'>') if third == b'=' => (T::ShrAssign, 3),
            (b'>', b'>') => (T::Shr, 2),
            (b'>', b'=') => (T::Ge, 2),
            (b'>', _) => (T::Gt, 1),
            (b'&', b'&') => (T::AndAnd, 2),
            (b'&', b'=') => (T::AmpAssign, 2),
            (b'&', _) => (T::Amp, 1),
            (b'|', b'|') => (T::OrOr, 2),
            (b'|', b'=') => (T::PipeAssign, 2),
            (b'|', _) => (T::Pipe, 1),
            (b'^', b'=') => (T::CaretAssign, 2),
            (b'^', _) => (T::Caret, 1),
            (b'~', _) => (T::Tilde, 1),
            (b'?', _) => (T::Question, 1),
            (b':', b':') => (T::ColonColon, 2),
            (b':', _) => (T::Colon, 1),
            (b'@', _) => (T::At, 1),
            (b'#', _) => (T::Hash, 1),
            _ => return self.unexpected(),
        };
        let start = self.at;
        self.at += length;
        self.push(kind, start);
    }

    fn open_paren(&mut self) {
        self.open.push(Some(self.out.tokens.len() as u32));
        self.at += 1;
        self.push(T::LParen, self.at - 1);
    }

    fn close_paren(&mut self) {
        self.closed = None;
        if let Some(Some(_)) = self.open.last() {
            self.closed = self.open.pop().flatten();
        }
        self.at += 1;
        self.push(T::RParen, self.at - 1);
    }

    fn brace(&mut self, kind: T) {
        if kind == T::LBrace {
            self.open.push(None);
        } else {
            while let Some(Some(_)) = self.open.pop() {}
        }
        self.at += 1;
        self.push(kind, self.at - 1);
    }

    /// `=>`; marks the `(` of a parenthesis that ends right before it.
    fn fat_arrow(&mut self) {
        let tokens = &mut self.out.tokens;
        if let (Some(Token { kind: T::RParen, .. }), Some(open)) = (tokens.last(), self.closed) {
            tokens[open as usize].kind = T::LParenArrow;
        }
        self.at += 2;
        self.push(T::FatArrow, self.at - 2);
    }

    /// Reports a run of characters that start no token.
    fn unexpected(&mut self) {
        let start = self.at;
        let first = self.text[start..].chars().next().unwrap_or_default();
        self.at += first.len_utf8();
        while let Some(&byte) = self.bytes.get(self.at)
            && (!byte.is_ascii() || byte.is_ascii_control() && !byte.is_ascii_whitespace())
        {
            self.at += 1;
        }
        let message = format!("Unexpected character '{}'", first.escape_debug());
        self.error(start, start, start + first.len_utf8(), message);
    }
}
