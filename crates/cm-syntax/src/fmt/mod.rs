//! The formatter (`14-formatter-linter.md` §14.1).
//!
//! It decides nothing but the blanks between pieces: the tokens and comments of a file stay what
//! they are and where they are, by construction. Lines stay as they were broken, apart from a few
//! rules; so what is decided for each piece is whether it starts a line, how far that is indented,
//! and otherwise how many blanks stand before it.

mod comments;
mod layout;
mod operators;
mod pieces;
mod spaces;

use cm_base::{Name, TextRange};
use pieces::pieces;

/// A change of the text of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Edit {
    /// What is replaced, in bytes of the old text.
    pub range: TextRange,
    /// By what.
    pub text: String,
}

/// The formatted text. Works on any text; one with syntax errors is better left alone, since its
/// author will not have meant what its brackets say. `defines` matter only in files that have
/// conditional branches which do not even consist of tokens.
pub fn format(text: &str, defines: &[Name]) -> String {
    apply(text, &edits(text, defines))
}

/// The changes that formatting makes, in order.
pub fn edits(text: &str, defines: &[Name]) -> Vec<Edit> {
    let pieces = pieces(text, defines);
    let start = text.len() - text.trim_start_matches('\u{feff}').len();
    let mut edits = Edits { text, list: Vec::new() };
    if pieces.is_empty() {
        edits.replace(start, text.len(), "");
        return edits.list;
    }
    let operators = operators::find(text, &pieces);
    let mut gaps = layout::gaps(text, &pieces, &operators);
    comments::align(text, &pieces, &mut gaps);
    let mut end = start;
    for (piece, gap) in pieces.iter().zip(&gaps) {
        edits.replace(end, piece.start, &gap.text());
        if piece.is_comment() {
            edits.replace(piece.start, piece.end, &without_trailing_blanks(piece.text(text)));
        }
        end = piece.end;
    }
    // An unterminated comment holds the end of the file.
    edits.replace(end, text.len(), if text[..end].ends_with('\n') { "" } else { "\n" });
    edits.list
}

/// The changes that formatting makes in the lines that a range touches.
pub fn range_edits(text: &str, defines: &[Name], range: TextRange) -> Vec<Edit> {
    let clamp = |at: usize| (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    let (first, last) =
        (clamp(range.start().into()).unwrap_or(0), clamp(range.end().into()).unwrap_or(0));
    let first = text[..first].rfind('\n').map_or(0, |at| at + 1);
    let last = text[last..].find('\n').map_or(text.len(), |at| last + at);
    let mut edits = edits(text, defines);
    // What stands before the first piece of a line belongs to the line.
    edits.retain(|edit| (first..=last).contains(&edit.range.end().into()));
    edits
}

/// The text with edits that are in order.
pub fn apply(text: &str, edits: &[Edit]) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    let mut end = 0;
    for edit in edits {
        out.push_str(&text[end..edit.range.start().into()]);
        out.push_str(&edit.text);
        end = edit.range.end().into();
    }
    out + &text[end..]
}

struct Edits<'t> {
    text: &'t str,
    list: Vec<Edit>,
}

impl Edits<'_> {
    fn replace(&mut self, start: usize, end: usize, new: &str) {
        if &self.text[start..end] != new {
            let range = TextRange::new((start as u32).into(), (end as u32).into());
            self.list.push(Edit { range, text: new.to_owned() });
        }
    }
}

/// A comment, whose line ends are not its own.
fn without_trailing_blanks(comment: &str) -> String {
    let lines: Vec<&str> = comment.split('\n').map(|l| l.trim_end_matches(BLANKS)).collect();
    lines.join("\n")
}

const BLANKS: [char; 3] = [' ', '\t', '\r'];

/// What stands before a piece.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Gap {
    /// Blanks.
    Spaces(usize),
    /// A new line, perhaps after an empty one.
    Line { empty: bool, indent: usize },
    /// The first piece of the file.
    First { empty: bool, indent: usize },
}

impl Gap {
    fn text(self) -> String {
        match self {
            Gap::Spaces(count) => " ".repeat(count),
            Gap::Line { empty, indent } => {
                format!("{}{}", if empty { "\n\n" } else { "\n" }, " ".repeat(indent))
            }
            Gap::First { empty, indent } => {
                format!("{}{}", if empty { "\n" } else { "" }, " ".repeat(indent))
            }
        }
    }
}
