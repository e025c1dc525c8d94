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

    /// Braces that the tokens from `start` on have opened and not closed.
    fn open_braces(&self, start: usize) -> usize {
        let mut depth = 0_usize;
        for token in &self.tokens[start..self.pos] {
            match token.kind {
                T::LBrace => depth += 1,
                T::RBrace => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        depth
    }

    /// Skips the rest of a statement that began at token `start`: up to and including `;`, or up to
    /// `}`, `{` or a word that starts a statement.
    pub(super) fn skip_stmt(&mut self, start: usize) {
        let mut depth = self.open_braces(start);
        if self.pos == start && self.kind() != T::RBrace && !self.at_item() {
            depth += usize::from(self.kind() == T::LBrace);
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
                kind if depth == 0 && starts_stmt(kind) => return,
                kind if depth == 0 && kind.is_primitive() && self.starts_line(self.pos) => return,
                _ => {}
            }
            self.bump();
        }
    }

    /// Skips the rest of an item or member that began at token `start`: up to and including `;` or
    /// its closing brace, or up to a word that starts an item.
    pub(super) fn skip_item(&mut self, start: usize) {
        let mut depth = self.open_braces(start);
        if self.pos == start && self.kind() != T::RBrace {
            depth += usize::from(self.kind() == T::LBrace);
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

    /// Skips the rest of a `match` arm that began at token `start`.
    pub(super) fn skip_arm(&mut self, start: usize) {
        if self.pos == start {
            self.skip_group();
        }
        let mut depth = 0_usize;
        for token in &self.tokens[start..self.pos] {
            match token.kind {
                kind if opens(kind) => depth += 1,
                kind if closes(kind) => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        loop {
            match self.kind() {
                T::Eof => return,
                kind if starts_item(kind) => return,
                kind if opens(kind) => depth += 1,
                T::RBrace if depth == 0 => return,
                kind if closes(kind) => {
                    depth = depth.saturating_sub(1);
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
