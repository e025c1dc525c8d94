//! The sections of a fixture.

use crate::script::{self, Revision};
use std::{collections::BTreeMap, fmt};

/// Texts of files by path.
pub type Files = BTreeMap<String, String>;

/// Files, and what is done with them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Fixture {
    /// The files at the beginning.
    pub files: Files,
    /// A directory whose files are there at the beginning too; whoever runs the fixture knows where it is.
    pub program: Option<String>,
    /// The revisions in order, numbered from 1. Empty: the fixture has no script.
    pub revisions: Vec<Revision>,
}

/// What is wrong with a fixture.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParseError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub message: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for ParseError {}

impl Fixture {
    /// Reads a fixture.
    pub fn parse(text: &str) -> Result<Fixture, ParseError> {
        let mut fixture = Fixture::default();
        let mut lines = Lines { lines: text.lines().collect(), next: 0 };
        let first = lines.text_until(&["//-", "//="]);
        if !first.trim().is_empty() {
            fixture.files.insert("/main.cm".into(), first);
        }
        while let Some((number, line)) = lines.take() {
            let error = |message: String| ParseError { line: number, message };
            if let Some(path) = line.strip_prefix("//-") {
                if !fixture.revisions.is_empty() {
                    return Err(error("a file after the first revision: use `write`".into()));
                }
                if let Some(directory) = path.trim().strip_prefix("program ") {
                    fixture.program = Some(directory.trim().to_owned());
                    continue;
                }
                let path = script::path(path.trim()).map_err(error)?;
                let text = lines.text_until(&["//-", "//="]);
                if fixture.files.insert(path.clone(), text).is_some() {
                    return Err(error(format!("{path} is there twice")));
                }
            } else {
                let next = fixture.revisions.len() + 1;
                fixture.revisions.push(script::revision(next, number, line, &mut lines)?);
            }
        }
        Ok(fixture)
    }
}

/// The lines that are left.
pub(crate) struct Lines<'a> {
    lines: Vec<&'a str>,
    next: usize,
}

impl<'a> Lines<'a> {
    /// The next line and its number.
    pub(crate) fn take(&mut self) -> Option<(usize, &'a str)> {
        let line = self.peek()?;
        self.next += 1;
        Some((self.next, line))
    }

    /// The indented lines that come next.
    pub(crate) fn take_indented(&mut self) -> Vec<&'a str> {
        let mut lines = Vec::new();
        while let Some(line) = self.peek().filter(|line| line.starts_with([' ', '\t'])) {
            lines.push(line.trim());
            self.next += 1;
        }
        lines
    }

    /// What stands behind `| ` on the lines that come next.
    pub(crate) fn take_quoted(&mut self) -> Vec<&'a str> {
        let mut lines = Vec::new();
        while let Some(line) = self.peek().and_then(|line| line.strip_prefix('|')) {
            lines.push(line.strip_prefix(' ').unwrap_or(line));
            self.next += 1;
        }
        lines
    }

    /// The next line, which stays.
    pub(crate) fn peek(&self) -> Option<&'a str> {
        self.lines.get(self.next).copied()
    }

    /// The text up to a line that begins with one of `ends`.
    pub(crate) fn text_until(&mut self, ends: &[&str]) -> String {
        let mut text = String::new();
        while let Some(line) = self.peek()
            && !ends.iter().any(|end| line.starts_with(end))
        {
            text.push_str(line);
            text.push('\n');
            self.next += 1;
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files() {
        let fixture = Fixture::parse("//- /a.cm\n  int x;\n\n//- /b/c.cm\n").unwrap();
        let files = [("/a.cm", "  int x;\n\n"), ("/b/c.cm", "")];
        assert_eq!(fixture.files, files.map(|(a, b)| (a.to_owned(), b.to_owned())).into());
        assert_eq!(fixture.revisions, []);
        let fixture = Fixture::parse("int main() {}\n").unwrap();
        assert_eq!(fixture.files["/main.cm"], "int main() {}\n");
        assert_eq!(Fixture::parse(""), Ok(Fixture::default()));
        let fixture = Fixture::parse("//- program apps/shop\n//- /a.cm\n").unwrap();
        assert_eq!((fixture.program.as_deref(), fixture.files.len()), (Some("apps/shop"), 1));
    }

    #[test]
    fn mistakes() {
        let check = |text: &str, message: &str| {
            assert_eq!(Fixture::parse(text).unwrap_err().to_string(), message, "{text}");
        };
        check("//- a.cm", "line 1: `a.cm` is not a path: paths begin with `/`");
        check("//- /a.cm\n//- /a.cm", "line 2: /a.cm is there twice");
        check("//= 1 cold\n//- /a.cm", "line 2: a file after the first revision: use `write`");
        check("//= 2 cold", "line 1: this is revision 1");
    }
}
