//! Comments at the ends of consecutive lines start in one column.

use super::{
    Gap,
    pieces::{Kind, Piece},
};
use unicode_width::UnicodeWidthStr;

/// A comment after code.
struct Trailing {
    piece: usize,
    line: usize,
    /// The width of the code before it.
    code: usize,
}

/// Sets the gaps before comments that end lines of code.
pub fn align(text: &str, pieces: &[Piece], gaps: &mut [Gap]) {
    let found = trailing(text, pieces, gaps);
    for group in found.chunk_by(|a, b| b.line == a.line + 1) {
        let longest = group.iter().map(|comment| comment.code).max().unwrap_or(0);
        for comment in group {
            gaps[comment.piece] = Gap::Spaces(longest + 2 - comment.code);
        }
    }
}

fn trailing(text: &str, pieces: &[Piece], gaps: &[Gap]) -> Vec<Trailing> {
    let mut found = Vec::new();
    let (mut line, mut column) = (0, 0);
    for (index, (piece, gap)) in pieces.iter().zip(gaps).enumerate() {
        match *gap {
            Gap::Spaces(_) if piece.kind == Kind::LineComment => {
                found.push(Trailing { piece: index, line, code: column });
            }
            Gap::Spaces(count) => column += count,
            Gap::First { indent, .. } => column = indent,
            Gap::Line { empty, indent } => {
                line += if empty { 2 } else { 1 };
                column = indent;
            }
        }
        let shown = piece.text(text);
        match shown.rsplit_once('\n') {
            Some((before, last)) => {
                line += 1 + before.matches('\n').count();
                column = last.width();
            }
            None => column += shown.width(),
        }
    }
    found
}
