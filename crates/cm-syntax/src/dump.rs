//! Readable dumps of tokens and trees.

use crate::{ast, lexer::lex_file};
use cm_base::Name;
use std::fmt::Write;

/// The tokens of a file, one a line.
pub fn dump_tokens(text: &str, defines: &[Name]) -> String {
    let mut out = String::new();
    for token in lex_file(text, defines).tokens {
        let text = &text[token.start as usize..token.end as usize];
        let _ = writeln!(out, "{}..{} {:?} {text:?}", token.start, token.end, token.kind);
    }
    out
}

/// The tree of a file.
pub fn dump_ast(file: &ast::File) -> String {
    format!("{file:#?}\n")
}
