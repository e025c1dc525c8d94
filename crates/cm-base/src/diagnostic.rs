//! Diagnostics as plain data. Rendering is the command's and the language server's.

use crate::{Name, TextRange};
use serde::{Deserialize, Serialize};

/// How bad it is. Only errors affect the exit status.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Severity {
    /// The program is rejected.
    Error,
    /// Suspicious, but accepted.
    Warning,
    /// A suggestion.
    Hint,
}

impl Severity {
    /// The word that messages show.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Hint => "hint",
        }
    }
}

/// A finding at a place in a file.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Diagnostic {
    /// The file, as the driver names files.
    pub file: Name,
    /// Bytes from the beginning of the file.
    pub range: Range,
    /// How bad it is.
    pub severity: Severity,
    /// One line, complete in itself.
    pub message: String,
    /// Further places that explain it.
    pub notes: Vec<Note>,
}

/// An ordered [`TextRange`].
#[derive(
    Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default, Serialize, Deserialize,
)]
pub struct Range {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl From<TextRange> for Range {
    fn from(range: TextRange) -> Range {
        Range { start: range.start().into(), end: range.end().into() }
    }
}

/// An explanation attached to a [`Diagnostic`].
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Note {
    /// The file.
    pub file: Name,
    /// Bytes from the beginning of the file.
    pub range: Range,
    /// One line.
    pub message: String,
}
