//! Where parsing resumes after an error.

use super::Parser;
use crate::token::TokenKind as T;

/// Whether an item starts with this keyword, and nothing else does.
fn starts_item(kind: T) -> bool {
    matches!(
        kind,
        T::Struct
            | T::Enum
            | T::Interface
            | T::Impl
            | T::Typedef
            | T::Import
            | T::Export
            | T::Use
            | T::Extern
            | T::Macro
            | T::Namespace
            | T::Module
    )
}

fn starts_stmt(kind: T) -> bool {
    matches!(
        kind,
        T::If
            | T::While
            | T::For
            | T::Switch
            | T::Return
            | T::Break
            | T::Continue
            | T::Defer
            | T::Must
    )
}

/// Brackets that have been opened and not closed.
#[derive(Clone, Copy, Default)]
pub(super) struct OpenBrackets {
    braces: i32,
    /// Of all kinds.
    all: i32,
}

impl OpenBrackets {
    /// Counts a token.
    pub(super) fn count(&mut self, kind: T) {
        if (T::LParen..=T::RBracket).contains(&kind) {
            let step = if opens(kind) { 1 } else { -1 };
            self.all += step;
            if matches!(kind, T::LBrace | T::RBrace) {
                self.braces += step;
            }
        }
    }
}

/// Where a statement or item starts.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    /// The token, if at least one token must be taken.
    pos: Option<usize>,
    open: OpenBrackets,
}

fn opens(kind: T) -> bool {
    matches!(kind, T::LBrace | T::LBracket | T::LParen | T::LParenArrow)
}

fn closes(kind: T) -> bool {
    matches!(kind, T::RBrace | T::RBracket | T::RParen)
}

impl Parser<'_> {
    /// Whether the current token starts an item, which cannot be here.
    pub(super) fn at_item(&self) -> bool {
        starts_item(self.kind())
    }

    /// Whether the current token was reported, in the middle of a line: a reserved word for a name.
    fn misplaced(&self) -> bool {
        self.last_error == Some(self.pos) && !self.starts_line(self.pos)
    }

    /// The current place.
    pub(super) fn mark(&self) -> Mark {
        Mark { pos: Some(self.pos), open: self.open }
    }

    /// The current place, for skipping that need not take a token.
    pub(super) fn mark_behind(&self) -> Mark {
        Mark { pos: None, ..self.mark() }
    }

    /// Skips the rest of a statement that began at `start`: up to and including `;`, or up to
    /// `}`, `{` or a word that starts a statement.
    pub(super) fn skip_stmt(&mut self, start: Mark) {
        let mut depth = self.open.braces.saturating_sub(start.open.braces).max(0);
        if Some(self.pos) == start.pos && self.kind() != T::RBrace && !self.at_item() {
            depth += i32::from(self.kind() == T::LBrace);
            self.bump();
        }
        loop {
            match self.kind() {
                T::Eof => return,
                T::LBrace | T::RBrace if depth == 0 => return,
                T::LBrace => depth += 1,
                T::RBrace => depth -= 1,
                T::Semi if depth == 0 => {
                    self.bump();
                    return;
                }
                kind if starts_item(kind) => return,
                kind if depth == 0 && starts_stmt(kind) && !self.misplaced() => return,
                kind if depth == 0 && kind.is_primitive() && self.starts_line(self.pos) => return,
                _ => {}
            }
            self.bump();
        }
    }

    /// Skips the rest of an item or member that began at `start`: up to and including `;` or
    /// its closing brace, or up to a word that starts an item.
    pub(super) fn skip_item(&mut self, start: Mark) {
        let mut depth = self.open.braces.saturating_sub(start.open.braces).max(0);
        if Some(self.pos) == start.pos && self.kind() != T::RBrace {
            depth += i32::from(self.kind() == T::LBrace);
            self.bump();
        }
        loop {
            match self.kind() {
                T::Eof => return,
                T::RBrace if depth == 0 => return,
                T::LBrace => depth += 1,
                T::RBrace => {
                    depth -= 1;
                    if depth == 0 {
                        self.bump();
                        self.eat(T::Semi);
                        return;
                    }
                }
                T::Semi if depth == 0 => {
                    self.bump();
                    return;
                }
                kind if starts_item(kind) => return,
                _ => {}
            }
            self.bump();
        }
    }

    /// Skips the rest of a `match` arm that began at `start`.
    pub(super) fn skip_arm(&mut self, start: Mark) {
        if Some(self.pos) == start.pos {
            self.skip_group();
        }
        let mut depth = self.open.all.saturating_sub(start.open.all).max(0);
        loop {
            match self.kind() {
                T::Eof => return,
                kind if starts_item(kind) => return,
                kind if opens(kind) => depth += 1,
                T::RBrace if depth == 0 => return,
                kind if closes(kind) => {
                    depth = (depth - 1).max(0);
                    if depth == 0 && kind == T::RBrace {
                        self.bump();
                        self.eat(T::Comma);
                        return;
                    }
                }
                T::Comma if depth == 0 => {
                    self.bump();
                    return;
                }
                _ => {}
            }
            self.bump();
        }
    }

    /// Skips to the end of a field or variant: up to and including `end`, or up to `}`.
    pub(super) fn skip_entry(&mut self, end: T) {
        while !matches!(self.kind(), T::Eof | T::RBrace) && !self.at_item() {
            if self.bump().kind == end {
                return;
            }
        }
    }

    /// Skips to the `)` that closes a list, and takes it. Stops at braces and semicolons.
    pub(super) fn skip_parens(&mut self) {
        let mut depth = 0_usize;
        loop {
            match self.kind() {
                T::Eof | T::LBrace | T::RBrace | T::Semi => return,
                kind if kind.is_lparen() => depth += 1,
                T::RParen if depth == 0 => {
                    self.bump();
                    return;
                }
                T::RParen => depth -= 1,
                _ => {}
            }
            self.bump();
        }
    }

    /// Skips the rest of the head of a `for`, whose inside began at `inside`. Whether a body follows.
    pub(super) fn skip_head(&mut self, inside: Mark) -> bool {
        while self.open.all >= inside.open.all {
            if matches!(self.kind(), T::Eof | T::LBrace | T::RBrace) || self.at_item() {
                return false;
            }
            self.bump();
        }
        self.kind() == T::LBrace
    }

    /// Skips a bracket and everything up to its partner, or one other token.
    pub(super) fn skip_group(&mut self) {
        let mut depth = 0_usize;
        loop {
            match self.kind() {
                T::Eof => return,
                kind if opens(kind) => depth += 1,
                kind if closes(kind) => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.bump();
            if depth == 0 {
                return;
            }
        }
    }
}
