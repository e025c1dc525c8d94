//! Diagnostics as text (`13-cli.md` §13.5).

use crate::messages::{self, Lang};
use cm_base::{Diagnostic, Name, Severity, diagnostic::Range};
use cm_lint::{Finding, Level};
use serde::Serialize;
use std::{fmt::Write, rc::Rc, sync::Arc};

/// A diagnostic with everything that is needed to show it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Rendered {
    /// Path as shown.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// From 1, in bytes.
    pub column: u32,
    /// Line of the end.
    pub end_line: u32,
    /// Column of the end, one past the last byte.
    pub end_column: u32,
    /// `error`, `warning` or `hint`.
    pub severity: &'static str,
    /// The code of the rule or message; of messages only after [`Rendered::in_language`].
    pub code: Option<String>,
    /// One line.
    pub message: String,
    /// Explanations.
    pub notes: Vec<RenderedNote>,
    /// The source line; of a very long one the part around the column.
    #[serde(skip)]
    pub excerpt: String,
    /// How many bytes of the line are missing before the excerpt.
    #[serde(skip)]
    pub cut: usize,
}

/// A note of a [`Rendered`] diagnostic.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct RenderedNote {
    /// Path as shown.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// From 1, in bytes.
    pub column: u32,
    /// One line.
    pub message: String,
}

/// Escape sequences, or nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Colors {
    on: bool,
}

impl Colors {
    /// With or without.
    pub fn new(on: bool) -> Colors {
        Colors { on }
    }
    fn paint(self, code: &str, text: &str) -> String {
        if self.on { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
    /// A line of a unified diff, with its end.
    pub fn diff_line(self, line: &str) -> String {
        let text = line.trim_end_matches('\n');
        let code = match line.as_bytes().first() {
            Some(b'-') => "31",
            Some(b'+') => "32",
            Some(b'@') => "36",
            _ => return line.to_owned(),
        };
        format!("{}{}", self.paint(code, text), &line[text.len()..])
    }
    fn severity(self, severity: &str) -> String {
        let code = match severity {
            "error" => "1;31",
            "warning" => "1;33",
            _ => "1;36",
        };
        self.paint(code, severity)
    }
}

/// A source file, prepared for finding many places in it.
pub struct Source {
    path: String,
    text: Arc<str>,
    /// Where lines begin.
    lines: Vec<usize>,
}

impl Source {
    /// A file with its path as shown.
    pub fn new(path: impl Into<String>, text: Arc<str>) -> Source {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let lines = [0].into_iter().chain(ends.map(|(at, _)| at + 1)).collect();
        Source { path: path.into(), text, lines }
    }
    /// Line and column of a byte offset, both from 1.
    pub fn position(&self, offset: u32) -> (u32, u32) {
        let offset = (offset as usize).min(self.text.len());
        let line = self.lines.partition_point(|start| *start <= offset);
        let start = self.lines.get(line.saturating_sub(1)).copied().unwrap_or(0);
        (line as u32, (offset - start) as u32 + 1)
    }
    /// A line, counted from 1, without the blanks around it.
    pub fn line_range(&self, number: u32) -> Range {
        let line = self.line(number);
        let start = self.lines.get(number as usize - 1).copied().unwrap_or(0);
        let blanks = line.len() - line.trim_start().len();
        Range { start: (start + blanks) as u32, end: (start + line.len()) as u32 }
    }
    /// A line, counted from 1, without its end.
    fn line(&self, number: u32) -> &str {
        let start = self.lines.get(number as usize - 1).copied().unwrap_or(0);
        let end = self.lines.get(number as usize).copied().unwrap_or(self.text.len());
        self.text.get(start..end).unwrap_or("").trim_end()
    }
}

/// Resolves a diagnostic. `source` gives a file.
pub fn resolve(diagnostic: &Diagnostic, source: &mut dyn FnMut(Name) -> Rc<Source>) -> Rendered {
    let file = source(diagnostic.file);
    let (line, column) = file.position(diagnostic.range.start);
    let (end_line, end_column) = file.position(diagnostic.range.end.max(diagnostic.range.start));
    let notes = diagnostic.notes.iter().map(|note| {
        let file = source(note.file);
        let (line, column) = file.position(note.range.start);
        RenderedNote { file: file.path.clone(), line, column, message: note.message.clone() }
    });
    let notes = notes.collect();
    let (excerpt, cut) = window(file.line(line), column as usize - 1);
    Rendered {
        file: file.path.clone(),
        line,
        column,
        end_line,
        end_column,
        severity: diagnostic.severity.word(),
        code: None,
        message: diagnostic.message.clone(),
        notes,
        excerpt: excerpt.to_owned(),
        cut,
    }
}

/// A finding of a rule that has this level.
pub fn resolve_finding(
    finding: &Finding,
    level: Level,
    file: Name,
    source: &mut dyn FnMut(Name) -> Rc<Source>,
) -> Rendered {
    let severity = match level {
        Level::Error => Severity::Error,
        Level::Hint => Severity::Hint,
        Level::Warning | Level::Off => Severity::Warning,
    };
    let message = finding.rule.message(&finding.name);
    let diagnostic =
        Diagnostic { file, range: finding.range, severity, message, notes: Vec::new() };
    let code = Some(finding.rule.code().to_owned());
    Rendered { code, ..resolve(&diagnostic, source) }
}

impl Rendered {
    /// The first line alone.
    pub fn short(&self, colors: Colors) -> String {
        let place = format!("{}:{}:{}:", self.file, self.line, self.column);
        let place = colors.paint("1", &place);
        format!("{place} {}: {}\n", colors.severity(self.severity), self.message)
    }

    /// The first line, an excerpt and the notes.
    pub fn full(&self, colors: Colors) -> String {
        let mut out = self.short(colors);
        let number = self.line.to_string();
        let gutter = " ".repeat(number.len());
        let bar = colors.paint("34", "|");
        let shown = &self.excerpt;
        let before = (self.column as usize - 1).saturating_sub(self.cut);
        let end = if self.end_line == self.line { self.end_column } else { u32::MAX };
        let width = (end.saturating_sub(self.column) as usize)
            .min(self.excerpt.len().saturating_sub(before));
        let carets = "^".repeat(width.clamp(1, 100));
        let lead: String = self
            .excerpt
            .bytes()
            .take(before)
            .filter(|byte| byte & 0xC0 != 0x80)
            .map(|byte| if byte == b'\t' { '\t' } else { ' ' })
            .collect();
        let carets = colors.paint("1;31", &carets);
        let number = colors.paint("34", &number);
        writeln!(out, "{gutter} {bar}\n{number} {bar} {shown}\n{gutter} {bar} {lead}{carets}")
            .expect("writing to a string cannot fail");
        for note in &self.notes {
            let place = format!("{}:{}:{}:", note.file, note.line, note.column);
            let word = colors.paint("1;36", "note");
            writeln!(out, "{} {word}: {}", colors.paint("1", &place), note.message)
                .expect("writing to a string cannot fail");
        }
        out
    }

    /// With messages in a language. Paths, places and the words before messages stay as they are, since
    /// editors and other tools look for them.
    pub fn in_language(mut self, lang: Lang) -> Rendered {
        self.code = self.code.or_else(|| messages::code(&self.message).map(ToOwned::to_owned));
        self.message = messages::translate(&self.message, lang).into_owned();
        for note in &mut self.notes {
            note.message = messages::translate(&note.message, lang).into_owned();
        }
        self
    }

    /// One JSON object.
    pub fn json(&self) -> String {
        serde_json::to_string(self).expect("strings and numbers are always valid JSON") + "\n"
    }
}

/// The part of a very long line around a column, and where it begins.
fn window(line: &str, column: usize) -> (&str, usize) {
    const WIDTH: usize = 240;
    if line.len() <= WIDTH {
        return (line, 0);
    }
    let boundary = |mut at: usize| {
        while !line.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = boundary(column.min(line.len()).saturating_sub(WIDTH / 2));
    (&line[start..boundary((start + WIDTH).min(line.len()))], start)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(source: &str, start: u32, end: u32) -> String {
        let diagnostic = Diagnostic {
            file: "a".into(),
            range: Range { start, end },
            severity: Severity::Error,
            message: "Undefined variable 'totl'".into(),
            notes: vec![],
        };
        let file = Rc::new(Source::new("src/a.cm", source.into()));
        resolve(&diagnostic, &mut |_| file.clone()).full(Colors::default())
    }

    #[test]
    fn an_excerpt_marks_the_place() {
        let text = "int main() {\n    total = totl + i;\n}\n";
        let at = text.find("totl").map_or(0, |at| at as u32);
        assert_eq!(
            rendered(text, at, at + 4),
            "src/a.cm:2:13: error: Undefined variable 'totl'\n  |\n2 |     total = totl + i;\n  |             ^^^^\n"
        );
    }

    #[test]
    fn odd_places_do_not_panic() {
        for (text, start, end) in
            [("", 0, 0), ("x", 1, 1), ("x", 9, 99), ("ä\tö", 2, 5), ("a\nb", 0, 3)]
        {
            assert!(rendered(text, start, end).contains('^'));
        }
        assert!(rendered(&"y".repeat(10_000_000), 5_000_000, 5_000_001).len() < 1000);
    }
}
