//! `fmt`: formatting files, and replacing them.

use crate::{
    Error, Report, reason,
    render::{Source, resolve},
    session::defined_names,
};
use camino::Utf8Path;
use cm_base::{Diagnostic, FileText, Name, OsSystem, Severity, System, TextRange};
use cm_syntax::{fmt, parse};
use std::{fs, io::Write as _, ops::RangeInclusive, rc::Rc, sync::Arc};

/// What formatting makes of a text.
#[derive(Clone, Debug)]
pub enum Formatted {
    /// It is formatted already.
    Same,
    /// Something else.
    Changed {
        /// The new text.
        text: String,
        /// How many places differ.
        changes: usize,
    },
    /// Nothing: it has syntax errors.
    Wrong(Report),
}

/// Formats a text, or the lines of a range, counted from 1. `shown` is its path in messages.
pub fn format(shown: &Utf8Path, text: &Arc<str>, lines: Option<RangeInclusive<u32>>) -> Formatted {
    let defines = defined_names(3);
    if let Some(report) = syntax_errors(shown, text, &defines) {
        return Formatted::Wrong(report);
    }
    let edits = match lines {
        Some(lines) => fmt::range_edits(text, &defines, range_of(text, &lines)),
        None => fmt::edits(text, &defines),
    };
    match edits.len() {
        0 => Formatted::Same,
        changes => Formatted::Changed { text: fmt::apply(text, &edits), changes },
    }
}

fn syntax_errors(shown: &Utf8Path, text: &Arc<str>, defines: &[Name]) -> Option<Report> {
    let tree = parse(text, defines);
    if tree.errors.is_empty() {
        return None;
    }
    let source = Rc::new(Source::new(shown.as_str(), text.clone()));
    let diagnostics = tree.errors.iter().map(|error| {
        let diagnostic = Diagnostic {
            file: Name::new(shown.as_str()),
            range: tree.positions.0.get(error.at).into(),
            severity: Severity::Error,
            message: error.message.clone(),
            notes: Vec::new(),
        };
        resolve(&diagnostic, &mut |_| source.clone())
    });
    Some(Report { diagnostics: diagnostics.collect() })
}

/// The bytes from the beginning of the first line to the end of the last.
fn range_of(text: &str, lines: &RangeInclusive<u32>) -> TextRange {
    let start_of = |line: u32| {
        let ends = text.match_indices('\n').map(|(at, _)| at + 1);
        ends.take(line as usize - 1).last().unwrap_or(0) as u32
    };
    TextRange::new(start_of(*lines.start()).into(), start_of(*lines.end()).into())
}

/// The text of a file.
///
/// # Errors
/// If it cannot be read, or is not text.
pub fn read(path: &Utf8Path) -> Result<Arc<str>, Error> {
    match OsSystem.read(path) {
        FileText::Text(text) => Ok(text),
        FileText::Absent => Err(format!("cannot open {path}").into()),
        FileText::Unreadable(why) => {
            Err(format!("cannot read {path}: {}", crate::error::without_number(&why)).into())
        }
    }
}

/// Standard input as text.
///
/// # Errors
/// If it cannot be read, or is not text.
pub fn read_input() -> Result<Arc<str>, Error> {
    match FileText::from_bytes(crate::input::bytes()?.to_vec()) {
        FileText::Text(text) => Ok(text),
        FileText::Absent => Ok(Arc::from("")),
        FileText::Unreadable(why) => Err(format!("cannot read standard input: {why}").into()),
    }
}

/// Replaces a file at once, so that a write that fails leaves the old one. Its mode stays; of a
/// symbolic link, what it leads to is replaced.
///
/// # Errors
/// If it cannot be written.
pub fn replace(path: &Utf8Path, text: &str) -> Result<(), Error> {
    let write = || -> std::io::Result<()> {
        let target = path.canonicalize_utf8()?;
        let permissions = fs::metadata(&target)?.permissions();
        if permissions.readonly() {
            // The directory would let us, but somebody has said no.
            return Err(std::io::Error::other("Permission denied"));
        }
        let mut file =
            tempfile::NamedTempFile::new_in(target.parent().unwrap_or(Utf8Path::new(".")))?;
        file.write_all(text.as_bytes())?;
        file.as_file().set_permissions(permissions)?;
        file.persist(&target)?;
        Ok(())
    };
    Ok(write().map_err(|error| format!("cannot write {path}: {}", reason(&error)))?)
}
