//! Blanks between two pieces of one line.

use super::pieces::{Kind, Piece};
use crate::token::TokenKind as T;

/// How many blanks stand between `before` and `after`. `operator`: one of them is a binary operator.
pub fn between(before: &Piece, after: &Piece, operator: bool) -> usize {
    let as_it_is = usize::from(after.newlines > 0 || after.blanks > 0);
    let (left, right) = match (before.kind, after.kind) {
        (_, Kind::LineComment) => return 2,
        (Kind::Token(T::Comma), _) if after.is_comment() => return 1,
        (Kind::Token(left), Kind::Token(right)) => (left, right),
        _ => return as_it_is.max(usize::from(operator)),
    };
    match (left, right) {
        (T::LParen | T::LParenArrow, _) | (_, T::RParen | T::Comma | T::Semi) => 0,
        (T::Comma, T::RBracket) => 0,
        (T::Semi, T::RBrace) => as_it_is,
        (T::Comma | T::Semi, _) => 1,
        (T::Pipe, bracket) | (bracket, T::Pipe) if is_bracket(bracket) && !operator => as_it_is,
        (T::Pipe, _) | (_, T::Pipe) => 1,
        _ if operator || is_spaced(left) || is_spaced(right) => 1,
        (T::RBrace, T::Else) => 1,
        (left, T::LBrace) => match left {
            T::LBracket | T::LBrace | T::RBrace | T::ColonColon => as_it_is,
            _ => 1,
        },
        (T::If | T::For | T::While | T::Match | T::Switch | T::Case | T::Return, right)
            if right.is_lparen() =>
        {
            1
        }
        _ => as_it_is,
    }
}

fn is_bracket(kind: T) -> bool {
    kind.is_lparen() || matches!(kind, T::LBracket | T::RBracket | T::LBrace | T::RBrace)
}

/// Symbols and words that are always between two things. `|=` is left alone.
fn is_spaced(kind: T) -> bool {
    use T::{
        AmpAssign, As, Assign, CaretAssign, FatArrow, In, MinusAssign, PercentAssign, PlusAssign,
        ShlAssign, ShrAssign, SlashAssign, StarAssign,
    };
    matches!(
        kind,
        As | In
            | Assign
            | FatArrow
            | PlusAssign
            | MinusAssign
            | StarAssign
            | SlashAssign
            | PercentAssign
            | AmpAssign
            | CaretAssign
            | ShlAssign
            | ShrAssign
    )
}
