//! Lexer, parser and syntax tree of the Cm language. Pure: no queries, no I/O.

pub mod ast;

use cm_base::Name;

/// Parses a file, with these names defined for conditional compilation. Never fails.
pub fn parse(_text: &str, _defines: &[Name]) -> ast::File {
    ast::File {
        items: Vec::new(),
        errors: Vec::new(),
        positions: Default::default(),
        platform: None,
    }
}
