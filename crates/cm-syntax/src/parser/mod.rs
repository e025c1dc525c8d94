//! The parser: recursive descent over a vector of tokens, without backtracking.
//!
//! A function that meets an error reports it and returns [`Failed`]; statements, members and items
//! catch it and resume at the next place where one of them can start.

mod exprs;
mod imports;
mod items;
mod lists;
mod lookahead;
mod patterns;
mod postfix;
mod recovery;
mod signatures;
mod stmts;
mod strings;
mod types;

use crate::{
    ast::{Arena, Expr, ExprId, ExprKind, File, Ident, Stmt, SyntaxError, Type, TypeId, TypeKind},
    lexer::{Lexed, lex_file},
    token::{Token, TokenKind as T},
};
use cm_base::{At, Name, Positions, SpanTable, TextRange};
use recovery::OpenBrackets;
use rustc_hash::FxHashSet;

/// Parses a file, with these names defined for conditional compilation. Never fails.
pub fn parse(text: &str, defines: &[Name]) -> File {
    let lexed = lex_file(text, defines);
    let mut parser = Parser::new(text, lexed, Output::default());
    let items = parser.file();
    let mut errors = parser.out.errors;
    errors.sort_by_key(|(range, _)| range.start());
    let mut spans = SpanTable::default();
    let platform = platform(text).map(|(name, range)| (name, spans.push(range)));
    let errors = errors.into_iter();
    let errors = errors.map(|(range, message)| SyntaxError { message, at: spans.push(range) });
    let errors = errors.collect();
    File { items, errors, positions: Positions(spans.into()), platform }
}

/// The value of `//! platform: …` in the first five lines.
pub fn platform(text: &str) -> Option<(Name, TextRange)> {
    let mut start = 0;
    for line in text.split_inclusive('\n').take(5) {
        let comment = line.trim_start_matches(['\u{feff}', ' ', '\t']).strip_prefix("//!");
        if let Some(value) = comment.and_then(|text| text.trim_start().strip_prefix("platform:")) {
            let size = |n: usize| (n as u32).into();
            let range = TextRange::at(size(start), size(line.trim_end().len()));
            return Some((Name::new(value.trim()), range));
        }
        start += line.len();
    }
    None
}

/// An error has been reported, and what was being parsed is given up.
struct Failed;

type Parse<R> = Result<R, Failed>;

/// Blocks, expressions and types inside one another. The stack grows as needed; the limit keeps
/// later stages, which walk trees recursively, within a small multiple of it.
const MAX_DEPTH: u32 = 2_500;

/// What parsing produces; shared with the parsers of interpolations.
#[derive(Default)]
struct Output {
    /// Of the signature or body that is being parsed.
    arena: Arena,
    /// Of the item that is being parsed.
    spans: SpanTable,
    /// Empty tables, kept for their memory.
    spare_spans: Vec<SpanTable>,
    /// Of the blocks that are being parsed, innermost last.
    stmts: Vec<Stmt>,
    errors: Vec<(TextRange, String)>,
    depth: u32,
}

struct Parser<'t> {
    text: &'t str,
    tokens: Vec<Token>,
    pos: usize,
    /// End of the token before.
    prev_end: u32,
    open: OpenBrackets,
    /// Where everything is said to stand: in interpolations that do not stand as they are in the text.
    fixed: Option<TextRange>,
    /// A `{` after a path starts no struct literal.
    no_struct: bool,
    /// `(a) =>` is a guard, not a lambda.
    in_guard: bool,
    /// `<` tokens before this one have been decided.
    angles_decided: usize,
    /// The decided `<` tokens that open type arguments.
    angles: FxHashSet<u32>,
    /// The token of the last error.
    last_error: Option<usize>,
    /// The end of the line on which nesting was too deep last: what is wrong before it follows.
    deep_until: usize,
    out: Output,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str, lexed: Lexed, out: Output) -> Self {
        let mut parser = Parser {
            text,
            tokens: lexed.tokens,
            pos: 0,
            prev_end: 0,
            open: OpenBrackets::default(),
            fixed: None,
            no_struct: false,
            in_guard: false,
            angles_decided: 0,
            angles: FxHashSet::default(),
            last_error: None,
            deep_until: 0,
            out,
        };
        parser.add_lexical_errors(lexed.errors, None);
        parser
    }

    fn add_lexical_errors(
        &mut self,
        errors: Vec<crate::lexer::LexError>,
        fixed: Option<TextRange>,
    ) {
        let errors = errors.into_iter().map(|error| {
            let range = TextRange::new((error.start as u32).into(), (error.end as u32).into());
            (fixed.unwrap_or(range), error.message)
        });
        self.out.errors.extend(errors);
    }

    // ------------------------------------------------------------ tokens

    fn token(&self) -> Token {
        self.tokens[self.pos]
    }
    fn kind(&self) -> T {
        self.tokens[self.pos].kind
    }
    /// The kind of the token `n` after the current one.
    fn peek(&self, n: usize) -> T {
        self.tokens.get(self.pos + n).map_or(T::Eof, |token| token.kind)
    }
    fn start(&self) -> u32 {
        self.tokens[self.pos].start
    }
    fn token_text(&self, token: Token) -> &'t str {
        &self.text[token.start as usize..token.end as usize]
    }
    /// Whether a line end stands before the token.
    fn starts_line(&self, pos: usize) -> bool {
        let from = pos.checked_sub(1).map_or(0, |before| self.tokens[before].end);
        self.text[from as usize..self.tokens[pos].start as usize].contains('\n')
    }
    /// Moves on; stays at the end of the file.
    fn bump(&mut self) -> Token {
        let token = self.tokens[self.pos];
        self.prev_end = token.end;
        if token.kind != T::Eof {
            self.pos += 1;
            self.open.count(token.kind);
        }
        token
    }
    fn eat(&mut self, kind: T) -> bool {
        let found = self.kind() == kind;
        if found {
            self.bump();
        }
        found
    }
    fn expect(&mut self, kind: T) -> Parse<Token> {
        if self.kind() == kind {
            return Ok(self.bump());
        }
        Err(self.error(format_args!("Expected '{}'", kind.text())))
    }
    fn expect_lparen(&mut self) -> Parse<Token> {
        if self.kind().is_lparen() { Ok(self.bump()) } else { self.expect(T::LParen) }
    }
    /// Takes the `>` that closes a list; splits `>>`.
    fn expect_gt(&mut self) -> Parse<()> {
        if self.kind() == T::Shr {
            let token = &mut self.tokens[self.pos];
            token.kind = T::Gt;
            token.start += 1;
            self.prev_end = token.start;
            return Ok(());
        }
        self.expect(T::Gt).map(|_| ())
    }

    // ------------------------------------------------------------ errors

    /// Reports an error at the current token, unless one has been reported there.
    fn error(&mut self, message: impl std::fmt::Display) -> Failed {
        let before = self.pos.checked_sub(1).map(|pos| self.tokens[pos].kind);
        if self.kind() == T::Error || before == Some(T::Error) {
            return Failed;
        }
        if self.last_error != Some(self.pos) {
            self.last_error = Some(self.pos);
            self.error_at(self.token().range(), message);
        }
        Failed
    }
    fn error_at(&mut self, range: TextRange, message: impl std::fmt::Display) {
        if usize::from(range.start()) < self.deep_until {
            return;
        }
        self.out.errors.push((self.fixed.unwrap_or(range), message.to_string()));
    }

    /// Parses something that may be nested without bound.
    fn nested<R>(&mut self, parse: impl FnOnce(&mut Self) -> Parse<R>) -> Parse<R> {
        if self.out.depth >= MAX_DEPTH {
            self.too_deep();
            return Err(Failed);
        }
        self.out.depth += 1;
        let result = match self.out.depth % 8 {
            0 => stacker::maybe_grow(256 * 1024, 1024 * 1024, || parse(self)),
            _ => parse(self),
        };
        self.out.depth -= 1;
        result
    }

    /// Reports too deep nesting, once a line, and skips what is nested.
    fn too_deep(&mut self) {
        let here = self.token().end as usize;
        if here > self.deep_until {
            self.error("nesting is too deep");
            let rest = self.text.as_bytes().get(here..).unwrap_or_default();
            let line = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
            self.deep_until = here + line;
        }
        self.skip_group();
    }

    // ------------------------------------------------------------ nodes

    /// The position from byte `start` to the end of the token before.
    fn span(&mut self, start: u32) -> At {
        let end = self.prev_end.max(start);
        let range = TextRange::new(start.into(), end.into());
        self.out.spans.push(self.fixed.unwrap_or(range))
    }
    fn expr_node(&mut self, at: At, kind: ExprKind) -> ExprId {
        self.out.arena.exprs.push(Expr { at, kind });
        ExprId(self.out.arena.exprs.len() as u32 - 1)
    }
    /// An expression from byte `start` to the end of the token before.
    fn expr_from(&mut self, start: u32, kind: ExprKind) -> ExprId {
        let at = self.span(start);
        self.expr_node(at, kind)
    }
    fn type_from(&mut self, start: u32, kind: TypeKind) -> TypeId {
        let at = self.span(start);
        self.out.arena.types.push(Type { at, kind });
        TypeId(self.out.arena.types.len() as u32 - 1)
    }
    fn name_of(&self, token: Token) -> Name {
        Name::new(self.token_text(token))
    }
    /// The identifier that the current token is, whatever its kind.
    fn take_word(&mut self) -> Ident {
        let token = self.bump();
        let name = self.name_of(token);
        Ident { name, at: self.span(token.start) }
    }
    fn ident(&mut self) -> Parse<Ident> {
        if self.kind() == T::Ident {
            return Ok(self.take_word());
        }
        let word = self.token_text(self.token());
        match word.starts_with(|c: char| c.is_ascii_alphabetic()) {
            true => {
                let message = format!("Expected identifier: '{word}' is a reserved word");
                Err(self.error(message))
            }
            false => Err(self.error("Expected identifier")),
        }
    }
    /// A nameless identifier at the current place.
    fn no_ident(&mut self) -> Ident {
        let start = self.start().min(self.prev_end);
        Ident { name: Name::new(""), at: self.span(start) }
    }
}
