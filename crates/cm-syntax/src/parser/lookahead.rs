//! Decisions that need more than one token. They read tokens and parse nothing, and each token is
//! read a bounded number of times.

use super::{MAX_DEPTH, Parser, types::is_unsupported};
use crate::token::TokenKind as T;

/// A place between tokens: before this one, or inside it if it is a `>>` whose first half is taken.
#[derive(Clone, Copy)]
struct Place {
    pos: usize,
    half: bool,
}

impl Parser<'_> {
    fn kind_at(&self, pos: usize) -> T {
        self.tokens.get(pos).map_or(T::Eof, |token| token.kind)
    }

    /// The token after the type that starts at token `pos`, if a type (or a union) stands there.
    pub(super) fn type_end(&self, pos: usize) -> Option<usize> {
        let place = self.union_end(pos, 0)?;
        (!place.half).then_some(place.pos)
    }

    fn union_end(&self, pos: usize, depth: u32) -> Option<Place> {
        let mut place = self.plain_end(pos, depth)?;
        while !place.half && self.kind_at(place.pos) == T::Pipe {
            place = self.plain_end(place.pos + 1, depth)?;
        }
        Some(place)
    }

    fn plain_end(&self, mut pos: usize, depth: u32) -> Option<Place> {
        if depth > MAX_DEPTH / 8 {
            return None;
        }
        if self.kind_at(pos) == T::Const {
            pos += 1;
        }
        let mut place = Place { pos: pos + 1, half: false };
        match self.kind_at(pos) {
            T::Ident => {
                while self.kind_at(place.pos) == T::ColonColon
                    && self.kind_at(place.pos + 1) == T::Ident
                {
                    place.pos += 2;
                }
                if self.kind_at(place.pos) == T::Lt {
                    place = self.arguments_end(place.pos + 1, depth)?;
                }
            }
            T::Typeof | T::TypeofUnder if self.kind_at(place.pos).is_lparen() => {
                place.pos = self.group_end(place.pos)?;
            }
            T::Auto | T::Null => {}
            kind if kind.is_primitive() => {}
            _ => return None,
        }
        if place.half { Some(place) } else { self.suffixes_end(place.pos, depth) }
    }

    fn suffixes_end(&self, mut pos: usize, depth: u32) -> Option<Place> {
        loop {
            let next = self.kind_at(pos + 1);
            pos = match self.kind_at(pos) {
                T::Star if next.is_lparen() => {
                    if self.kind_at(pos + 2) == T::RParen {
                        pos + 3
                    } else {
                        self.list_end(pos + 2, T::RParen, depth)?.pos
                    }
                }
                T::Star | T::Amp => pos + 1,
                T::LBracket if next == T::RBracket => pos + 2,
                T::LBracket if matches!(next, T::Int | T::Ident) => {
                    if self.kind_at(pos + 2) != T::RBracket {
                        return None;
                    }
                    pos + 3
                }
                T::LBracket => return None,
                _ => return Some(Place { pos, half: false }),
            };
        }
    }

    fn arguments_end(&self, pos: usize, depth: u32) -> Option<Place> {
        self.list_end(pos, T::Gt, depth)
    }

    /// The end of a list of types (and numbers, between angles) that `close` ends.
    fn list_end(&self, mut pos: usize, close: T, depth: u32) -> Option<Place> {
        loop {
            let place = match self.kind_at(pos) {
                T::Int if close == T::Gt => Place { pos: pos + 1, half: false },
                _ => self.union_end(pos, depth + 1)?,
            };
            if place.half {
                // The second half of `>>` ends this list too.
                return (close == T::Gt).then_some(Place { pos: place.pos + 1, half: false });
            }
            match self.kind_at(place.pos) {
                T::Comma => pos = place.pos + 1,
                kind if kind == close => return Some(Place { pos: place.pos + 1, half: false }),
                T::Shr if close == T::Gt => return Some(Place { pos: place.pos, half: true }),
                _ => return None,
            }
        }
    }

    /// The token after the bracket that closes the one at `pos`.
    fn group_end(&self, mut pos: usize) -> Option<usize> {
        let mut depth = 0_usize;
        loop {
            match self.kind_at(pos) {
                T::Eof | T::LBrace | T::RBrace | T::Semi => return None,
                kind if kind.is_lparen() => depth += 1,
                T::RParen => depth -= 1,
                _ => {}
            }
            pos += 1;
            if depth == 0 {
                return Some(pos);
            }
        }
    }

    /// Whether the statement here declares a variable: a type, then a name.
    pub(super) fn at_var_decl(&self) -> bool {
        match (self.kind(), self.peek(1)) {
            (T::Static | T::Const | T::Constexpr | T::Auto, _) => true,
            (kind, _) if is_unsupported(kind) => true,
            // No expression: the error is that of the type.
            (T::Star, T::Ident) => self.peek(2) == T::Ident,
            (T::Star, next) => next.is_primitive(),
            (T::Typeof | T::TypeofUnder | T::Null, _) => self.type_and_name(),
            (T::Ident, T::Ident) => true,
            (T::Ident, T::Dot | T::Assign | T::Semi | T::LParen | T::Arrow) => false,
            (T::Ident, _) => self.type_and_name(),
            (kind, _) => kind.is_primitive(),
        }
    }

    fn type_and_name(&self) -> bool {
        let Some(end) = self.type_end(self.pos) else { return false };
        match self.kind_at(end) {
            T::Ident => true,
            T::As | T::In => false,
            // A reserved word in the place of a name.
            kind => kind.is_keyword() && matches!(self.kind_at(end + 1), T::Assign | T::Semi),
        }
    }

    /// The token after the type in `for (T x in …)`, or the name in `for (x in …)`; `None` for
    /// another kind of `for`.
    pub(super) fn for_in_name(&self) -> Option<usize> {
        let is_name = |pos| self.kind_at(pos) == T::Ident && self.kind_at(pos + 1) == T::In;
        if is_name(self.pos) {
            return Some(self.pos);
        }
        self.type_end(self.pos).filter(|end| is_name(*end))
    }

    /// Whether the `(` here, whose `)` is followed by `=>`, starts a lambda: what is inside are
    /// pairs of type and name. (Names alone are taken too: the checker reports them.)
    pub(super) fn at_lambda(&self) -> bool {
        let mut pos = self.pos + 1;
        if self.kind_at(pos) == T::RParen {
            return true;
        }
        let mut count = 0;
        loop {
            let bare = self.kind_at(pos) == T::Ident
                && matches!(self.kind_at(pos + 1), T::Comma | T::RParen);
            count += 1;
            let name = if bare { Some(pos) } else { self.type_end(pos) };
            let Some(name) = name.filter(|name| self.kind_at(*name) == T::Ident) else {
                return false;
            };
            match self.kind_at(name + 1) {
                T::Comma => pos = name + 2,
                T::RParen => return !(bare && count == 1 && self.in_guard),
                _ => return false,
            }
        }
    }

    /// Whether the type that starts here is followed by the `)` of `sizeof(…)`.
    pub(super) fn at_type_in_parens(&self) -> bool {
        self.type_end(self.pos).is_some_and(|end| self.kind_at(end) == T::RParen)
    }

    /// Whether the `<` here, after the type of a cast, opens type arguments.
    pub(super) fn at_type_arguments(&self) -> bool {
        self.arguments_end(self.pos + 1, 0).is_some()
    }

    /// Whether the `<` here, after a path in an expression, opens type arguments: a balanced list
    /// of type-like tokens follows, and `::`, `(` or `{` follows its `>`.
    ///
    /// One scan decides every `<` that it passes, for nesting is the same wherever it is read from.
    pub(super) fn at_generic(&mut self) -> bool {
        if self.pos >= self.angles_decided {
            self.decide_angles();
        }
        self.angles.contains(&(self.pos as u32))
    }

    fn decide_angles(&mut self) {
        self.angles.clear();
        let mut open = vec![(T::Gt, self.pos as u32)];
        let mut pos = self.pos + 1;
        while let Some(&(expected, start)) = open.last() {
            match self.kind_at(pos) {
                T::Ident | T::ColonColon | T::Const | T::Int | T::Comma | T::Star => {}
                kind if kind.is_primitive() => {}
                T::LParen | T::LParenArrow => open.push((T::RParen, 0)),
                T::LBracket => open.push((T::RBracket, 0)),
                T::Lt => open.push((T::Gt, pos as u32)),
                T::Shr if expected == T::Gt => {
                    open.pop();
                    match open.pop() {
                        Some((T::Gt, outer)) => self.decide_angle(outer, pos),
                        _ => break,
                    }
                }
                kind if kind == expected => {
                    open.pop();
                    if kind == T::Gt {
                        self.decide_angle(start, pos);
                    }
                }
                _ => break,
            }
            pos += 1;
        }
        self.angles_decided = pos;
    }

    /// Decides the `<` at `open`, which the token at `close` ends.
    fn decide_angle(&mut self, open: u32, close: usize) {
        let empty = open as usize + 1 == close;
        let next = self.kind_at(close + 1);
        if !empty && (next.is_lparen() || matches!(next, T::ColonColon | T::LBrace)) {
            self.angles.insert(open);
        }
    }
}
