//! Where lines start, and how far they are indented.

use super::{
    Gap,
    pieces::{Kind, Piece},
    spaces,
};
use crate::token::TokenKind as T;

const STEP: usize = 4;

/// The gap before each piece.
pub fn gaps(text: &str, pieces: &[Piece], operators: &[bool]) -> Vec<Gap> {
    let blocks = blocks(text, pieces);
    let mut layout = Layout {
        text,
        pieces,
        blocks: &blocks,
        state: State { open: Vec::new(), code: None, stmt: Statement::default() },
        branches: Vec::new(),
        line: 0,
        indent: 0,
        source_indent: 0,
    };
    let mut gaps = Vec::with_capacity(pieces.len());
    for (n, piece) in pieces.iter().enumerate() {
        if n == 0 || piece.newlines > 0 {
            layout.source_indent = piece.blanks;
        }
        layout.branch(n);
        gaps.push(match n.checked_sub(1) {
            None => {
                layout.start_line(n);
                Gap::First { empty: piece.newlines > 0, indent: layout.indent }
            }
            Some(before) if layout.breaks(before, n) => {
                layout.start_line(n);
                Gap::Line { empty: is_after_empty_line(pieces, n), indent: layout.indent }
            }
            Some(before) => {
                let operator = operators[before] || operators[n];
                Gap::Spaces(spaces::between(&pieces[before], piece, operator))
            }
        });
        layout.pass(n);
    }
    gaps
}

/// Of several empty lines one stays, and none at the ends of a block.
fn is_after_empty_line(pieces: &[Piece], n: usize) -> bool {
    pieces[n].newlines > 1 && !pieces[n].is(T::RBrace) && !pieces[n - 1].is(T::LBrace)
}

/// Where a statement starts: its indentation in the source, and ours.
#[derive(Clone, Copy, Default)]
struct Statement {
    source: usize,
    indent: usize,
}

/// An open bracket.
#[derive(Clone, Copy)]
struct Open {
    piece: usize,
    /// Of lines in it. Parentheses indent nothing.
    inside: Option<usize>,
    /// The output line on which it stands.
    line: usize,
    /// The statement around it.
    stmt: Statement,
}

#[derive(Clone)]
struct State {
    open: Vec<Open>,
    /// The last token.
    code: Option<usize>,
    /// The statement that is being laid out.
    stmt: Statement,
}

impl State {
    /// The indentation of a statement.
    fn base(&self) -> usize {
        self.open.iter().rev().find_map(|open| open.inside).unwrap_or(0)
    }
}

/// An open `#ifdef`.
struct Branch {
    at_start: State,
    /// After the first branch, once there is a second: what follows goes on from the first.
    after_first: Option<State>,
}

struct Layout<'a> {
    text: &'a str,
    pieces: &'a [Piece],
    blocks: &'a [bool],
    state: State,
    branches: Vec<Branch>,
    /// The number of the output line.
    line: usize,
    /// Its indentation.
    indent: usize,
    /// The indentation of the source line.
    source_indent: usize,
}

impl Layout<'_> {
    /// Whether piece `n` starts a line.
    fn breaks(&self, before: usize, n: usize) -> bool {
        let (last, piece) = (&self.pieces[before], &self.pieces[n]);
        if last.kind == Kind::LineComment || last.is_directive() || piece.is_directive() {
            return true;
        }
        if piece.newlines > 0 {
            return !self.joins(last, n);
        }
        if self.ends_line(n) {
            return false;
        }
        if last.is(T::LBrace) {
            return self.blocks[before];
        }
        // `} }` on different lines if what they close was.
        if last.is(T::RBrace) && piece.is(T::RBrace) {
            return self.state.open.last().is_some_and(|open| open.line < self.line);
        }
        // `a; b;` in a block, but not in parentheses or in braces on one line.
        last.is(T::Semi)
            && self.state.open.last().is_none_or(|open| {
                open.inside.is_some() && (open.line < self.line || self.blocks[open.piece])
            })
    }

    /// Whether nothing but comments stands from piece `n` to the end of its line.
    fn ends_line(&self, n: usize) -> bool {
        let mut rest = self.pieces[n..].iter().enumerate();
        let next = rest.find(|(at, piece)| !piece.is_comment() || (*at > 0 && piece.newlines > 0));
        self.pieces[n].is_comment() && next.is_none_or(|(_, next)| next.newlines > 0)
    }

    /// Whether piece `n` is a `{` alone on a line that belongs to the line before.
    fn joins(&self, last: &Piece, n: usize) -> bool {
        let piece = &self.pieces[n];
        let alone = self.pieces.get(n + 1).is_none_or(|next| next.newlines > 0);
        let Some(token) = last.token() else { return false };
        let stays = token.is_lparen()
            || matches!(token, T::Semi | T::LBrace | T::RBrace | T::Comma | T::LBracket);
        piece.is(T::LBrace) && piece.newlines == 1 && alone && !stays
    }

    /// Piece `n` starts a line: finds its indentation.
    fn start_line(&mut self, n: usize) {
        self.line += 1;
        let base = self.state.base();
        match self.pieces[n].kind {
            Kind::If | Kind::Opaque => {
                self.indent = base;
                return;
            }
            // `branch` has set it.
            Kind::Else | Kind::End => return,
            _ => {}
        }
        if let Some(outer) = self.closing(n) {
            self.indent = outer;
        } else if self.continues(n) {
            let Statement { source, indent } = self.state.stmt;
            self.indent = indent + self.source_indent.saturating_sub(source);
            return;
        } else {
            self.indent = base;
        }
        if self.state.open.last().is_none_or(|open| open.inside.is_some()) {
            self.state.stmt = Statement { source: self.source_indent, indent: self.indent };
        }
    }

    /// The indentation of a line that starts with `}` or `]`: that of the outermost bracket that is
    /// closed by those it starts with.
    fn closing(&self, n: usize) -> Option<usize> {
        let closes = |n: &usize| {
            self.pieces.get(*n).is_some_and(|piece| piece.is(T::RBrace) || piece.is(T::RBracket))
        };
        // `} }` is two lines.
        let on_line = |n: &usize| {
            let two = self.pieces[*n].is(T::RBrace) && self.pieces[*n - 1].is(T::RBrace);
            self.pieces[*n].newlines == 0 && !two
        };
        let more = (n + 1..).take_while(|n| closes(n) && on_line(n)).count();
        let count = if closes(&n) { 1 + more } else { 0 };
        let opened = self.state.open.iter().rev().take(count);
        let inside = opened.map_while(|open| open.inside).last()?;
        Some(inside.saturating_sub(STEP))
    }

    /// Whether a line that starts with piece `n` goes on with a statement: it keeps its place
    /// relative to the statement's first line.
    fn continues(&self, n: usize) -> bool {
        if self.pieces[n].is(T::LBrace) {
            return false;
        }
        let Some(code) = self.state.code else { return false };
        let in_parens = self.state.open.last().is_some_and(|open| open.inside.is_none());
        let ended = match self.pieces[code].token() {
            Some(T::Semi | T::LBrace | T::LBracket) => true,
            Some(T::RBrace) => !matches!(self.pieces[n].token(), Some(T::Dot | T::Arrow)),
            Some(T::RBracket) => self.ends_attribute(code),
            Some(T::Comma) => !self.state.open.is_empty(),
            _ => false,
        };
        in_parens || !ended
    }

    /// Whether the `]` at `n` ends `#[…]`.
    fn ends_attribute(&self, n: usize) -> bool {
        let mut depth = 0;
        let open = (0..=n).rev().find(|n| {
            depth += i32::from(self.pieces[*n].is(T::RBracket));
            depth -= i32::from(self.pieces[*n].is(T::LBracket));
            depth == 0
        });
        let before = open.and_then(|open| open.checked_sub(1)).map(|n| &self.pieces[n]);
        before.is_some_and(|piece| piece.is(T::Hash) || piece.is(T::At))
    }

    /// Goes past piece `n`.
    fn pass(&mut self, n: usize) {
        let piece = &self.pieces[n];
        self.line += piece.text(self.text).matches('\n').count();
        let Some(token) = piece.token() else { return };
        self.state.code = Some(n);
        match token {
            T::LBrace | T::LBracket => {
                let outer = self.state.open.iter().rev().find(|open| open.inside.is_some());
                let outer = outer.filter(|open| open.line == self.line).and_then(|o| o.inside);
                self.open(n, Some(outer.unwrap_or(self.indent) + STEP));
            }
            T::LParen | T::LParenArrow => self.open(n, None),
            T::RBrace | T::RBracket | T::RParen => {
                if let Some(open) = self.state.open.pop() {
                    self.state.stmt = open.stmt;
                }
            }
            _ => {}
        }
    }

    fn open(&mut self, piece: usize, inside: Option<usize>) {
        self.state.open.push(Open { piece, inside, line: self.line, stmt: self.state.stmt });
    }

    /// Brackets may be open in one branch of a conditional and in the other: both start from the
    /// same state. The directives stand below one another.
    fn branch(&mut self, n: usize) {
        match self.pieces[n].kind {
            Kind::If => {
                self.branches.push(Branch { at_start: self.state.clone(), after_first: None });
            }
            Kind::Else => {
                if let Some(branch) = self.branches.last_mut() {
                    let after = std::mem::replace(&mut self.state, branch.at_start.clone());
                    branch.after_first.get_or_insert(after);
                }
                self.indent = self.state.base();
            }
            Kind::End => {
                if let Some(branch) = self.branches.pop() {
                    self.indent = branch.at_start.base();
                    self.state = branch.after_first.unwrap_or_else(|| self.state.clone());
                }
            }
            _ => {}
        }
    }
}

/// For each `{`, whether it opens statements on several lines.
fn blocks(text: &str, pieces: &[Piece]) -> Vec<bool> {
    let mut blocks = vec![false; pieces.len()];
    // The bracket, whether a `;` and whether a line end was met in it.
    let mut open: Vec<(usize, bool, bool)> = Vec::new();
    for (n, piece) in pieces.iter().enumerate() {
        if let Some((_, _, lines)) = open.last_mut() {
            *lines |= piece.newlines > 0 || piece.text(text).contains('\n');
        }
        match piece.token() {
            Some(T::LBrace | T::LBracket | T::LParen | T::LParenArrow) => {
                open.push((n, false, false));
            }
            Some(T::RBrace | T::RBracket | T::RParen) => {
                let Some((start, statements, lines)) = open.pop() else { continue };
                blocks[start] = pieces[start].is(T::LBrace) && statements && lines;
                if let Some((_, _, outer)) = open.last_mut() {
                    *outer |= lines;
                }
            }
            Some(T::Semi) => {
                if let Some((_, statements, _)) = open.last_mut() {
                    *statements = true;
                }
            }
            _ => {}
        }
    }
    blocks
}
