//! Conditional compilation: `#ifdef`, `#ifndef`, `#else`, `#end`.
//!
//! The lexer calls [`Conditionals::directive`] at a line whose first non-blank byte is `#`. In an
//! inactive region it skips lines with [`Conditionals::skip`], without lexing them.

use crate::lexer::LexError;
use cm_base::Name;

/// The open conditionals of a file.
pub struct Conditionals<'a> {
    defines: &'a [Name],
    open: Vec<Open>,
    /// Every branch is kept.
    keep_all: bool,
}

struct Open {
    /// Where its directive starts.
    start: usize,
    word: &'static str,
    active: bool,
    has_else: bool,
}

/// A directive line.
struct Directive<'t> {
    start: usize,
    word: &'static str,
    name: &'t str,
}

impl<'a> Conditionals<'a> {
    /// No open conditional; `defines` are the names that are defined.
    pub fn new(defines: &'a [Name]) -> Self {
        Conditionals { defines, open: Vec::new(), keep_all: false }
    }

    /// Keeps every branch, for tools that look at the text rather than at the program.
    pub fn keeping_all() -> Self {
        Conditionals { defines: &[], open: Vec::new(), keep_all: true }
    }

    /// If a directive stands at the `#` at `hash`, obeys it and returns where lexing goes on.
    pub fn directive(
        &mut self,
        text: &str,
        hash: usize,
        errors: &mut Vec<LexError>,
    ) -> Option<usize> {
        let directive = parse(text, hash)?;
        self.obey(directive, errors);
        let end = line_end(text, hash);
        Some(if self.active() { end } else { self.skip(text, end, errors) })
    }

    /// Skips an inactive region that starts at the end of a line; returns its end.
    fn skip(&mut self, text: &str, mut at: usize, errors: &mut Vec<LexError>) -> usize {
        while !self.active() && at < text.len() {
            let line = at + 1;
            at = line_end(text, line);
            let blanks = text[line..at].bytes().take_while(|b| matches!(b, b' ' | b'\t' | b'\r'));
            let hash = line + blanks.count();
            if text.as_bytes().get(hash) == Some(&b'#')
                && let Some(directive) = parse(text, hash)
            {
                self.obey(directive, errors);
            }
        }
        at
    }

    /// Reports the conditionals that are still open at the end of the file.
    pub fn finish(self, errors: &mut Vec<LexError>) {
        for open in self.open {
            let message = format!("Unterminated #{}", open.word);
            errors.push(LexError::new(open.start, open.start + 1 + open.word.len(), message));
        }
    }

    fn active(&self) -> bool {
        self.keep_all || self.open.last().is_none_or(|open| open.active)
    }

    fn obey(&mut self, directive: Directive, errors: &mut Vec<LexError>) {
        let Directive { start, word, name } = directive;
        let mut error =
            |message: String| errors.push(LexError::new(start, start + 1 + word.len(), message));
        match word {
            "ifdef" | "ifndef" => {
                if name.is_empty() {
                    error(format!("Expected identifier after #{word}"));
                }
                let defined = self.defines.iter().any(|define| *define == *name);
                let active = self.active() && defined == (word == "ifdef");
                self.open.push(Open { start, word, active, has_else: false });
            }
            "else" => {
                let outer = self.open.len() < 2 || self.open[self.open.len() - 2].active;
                match self.open.last_mut() {
                    None => error("Unmatched #else".into()),
                    Some(open) if open.has_else => error("Duplicate #else".into()),
                    Some(open) => {
                        open.has_else = true;
                        open.active = outer && !open.active;
                    }
                }
            }
            _ => {
                if self.open.pop().is_none() {
                    error("Unmatched #end".into());
                }
            }
        }
    }
}

/// The directive at a `#`, if there is one.
fn parse(text: &str, hash: usize) -> Option<Directive<'_>> {
    let rest = &text[hash + 1..line_end(text, hash)];
    let found = word(rest);
    let word = ["ifdef", "ifndef", "else", "end"].into_iter().find(|w| *w == found)?;
    let name = rest[word.len()..].trim_start();
    Some(Directive { start: hash, word, name: self::word(name) })
}

/// The identifier that a text starts with; may be empty.
fn word(text: &str) -> &str {
    let end = text.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
    if text.starts_with(|c: char| c.is_ascii_digit()) { "" } else { &text[..end] }
}

/// The offset of the next line end, or the end of the text.
pub fn line_end(text: &str, from: usize) -> usize {
    let rest = text.as_bytes().get(from..).unwrap_or_default();
    rest.iter().position(|b| *b == b'\n').map_or(text.len(), |n| from + n)
}
