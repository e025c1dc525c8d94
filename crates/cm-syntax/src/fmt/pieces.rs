//! A file as tokens, comments and directives, with nothing but blanks between them.

use super::BLANKS;
use crate::{
    lexer::{lex_all_branches, lex_file},
    preprocess::line_end,
    token::{Token, TokenKind as T},
};
use cm_base::Name;

/// What a [`Piece`] is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A token.
    Token(T),
    /// `// …`, without the line end.
    LineComment,
    /// `/* … */`.
    BlockComment,
    /// `#ifdef …` or `#ifndef …`.
    If,
    /// `#else`.
    Else,
    /// `#end`.
    End,
    /// Lines that are left as they are: conditional branches that do not consist of tokens.
    Opaque,
}

/// Something that formatting never changes or moves past another.
#[derive(Clone, Copy, Debug)]
pub struct Piece {
    /// Which.
    pub kind: Kind,
    /// First byte.
    pub start: usize,
    /// Byte after the last.
    pub end: usize,
    /// Line ends before it, after the piece before.
    pub newlines: usize,
    /// Blanks directly before it, on its line; a tab counts for four.
    pub blanks: usize,
}

impl Piece {
    /// Whether it is this token.
    pub fn is(&self, kind: T) -> bool {
        self.kind == Kind::Token(kind)
    }
    /// The token that it is.
    pub fn token(&self) -> Option<T> {
        if let Kind::Token(kind) = self.kind { Some(kind) } else { None }
    }
    /// Whether it is a comment.
    pub fn is_comment(&self) -> bool {
        matches!(self.kind, Kind::LineComment | Kind::BlockComment)
    }
    /// Whether it fills whole lines.
    pub fn is_directive(&self) -> bool {
        matches!(self.kind, Kind::If | Kind::Else | Kind::End | Kind::Opaque)
    }
    /// The piece itself.
    pub fn text<'t>(&self, text: &'t str) -> &'t str {
        &text[self.start..self.end]
    }
}

/// The pieces of a file, those of all its conditional branches. If there is a branch that does not
/// consist of tokens, only the branches that are kept with these names are looked into.
pub fn pieces(text: &str, defines: &[Name]) -> Vec<Piece> {
    let every = lex_all_branches(text);
    if every.errors.is_empty() {
        return Gatherer::run(text, &every.tokens, false);
    }
    let kept = lex_file(text, defines);
    let opaque = kept.errors.len() < every.errors.len();
    Gatherer::run(text, if opaque { &kept.tokens } else { &every.tokens }, opaque)
}

struct Gatherer<'t> {
    text: &'t str,
    out: Vec<Piece>,
    /// The end of the last piece.
    end: usize,
    /// A gap may hold what is skipped.
    opaque: bool,
}

impl<'t> Gatherer<'t> {
    fn run(text: &'t str, tokens: &[Token], opaque: bool) -> Vec<Piece> {
        let bom = text.len() - text.trim_start_matches('\u{feff}').len();
        let mut this = Gatherer { text, out: Vec::with_capacity(tokens.len()), end: bom, opaque };
        for token in tokens {
            this.gap(token.start as usize);
            if token.kind != T::Eof {
                this.push(Kind::Token(token.kind), token.start as usize, token.end as usize);
            }
        }
        this.out
    }

    /// Adds a piece; between the last one and it there are only blanks.
    fn push(&mut self, kind: Kind, start: usize, end: usize) {
        let gap = &self.text[self.end..start];
        let newlines = gap.matches('\n').count();
        let line = gap.rsplit('\n').next().unwrap_or_default();
        let width = |c| match c {
            '\t' => 4,
            '\r' => 0,
            _ => 1,
        };
        self.out.push(Piece { kind, start, end, newlines, blanks: line.chars().map(width).sum() });
        self.end = end;
    }

    /// Adds what stands between the last token and the next, which starts at `next`.
    fn gap(&mut self, next: usize) {
        while let Some(at) = self.text[self.end..next].find(|c| c != '\n' && !BLANKS.contains(&c)) {
            let start = self.end + at;
            let rest = &self.text[start..next];
            let line = line_end(self.text, start).min(next);
            let line = start + self.text[start..line].trim_end_matches(BLANKS).len();
            if rest.starts_with("//") {
                self.push(Kind::LineComment, start, line);
            } else if let Some(body) = rest.strip_prefix("/*") {
                let end = body.find("*/").map_or(next, |length| start + length + 4);
                self.push(Kind::BlockComment, start, end);
            } else if self.opaque {
                let last = rest.rfind("\n").map_or(next, |at| start + at);
                let end = start + self.text[start..last].trim_end().len();
                self.push(Kind::Opaque, start, end.max(line));
            } else {
                self.push(directive(rest), start, line);
            }
        }
    }
}

fn directive(text: &str) -> Kind {
    match text {
        _ if text.starts_with("#if") => Kind::If,
        _ if text.starts_with("#else") => Kind::Else,
        _ => Kind::End,
    }
}
