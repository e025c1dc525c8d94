//! Lexer, parser and syntax tree of the Cm language. Pure: no queries, no I/O.

pub mod ast;
pub mod dump;
pub mod fmt;
mod lexer;
mod parser;
mod preprocess;
mod strings;
mod token;

pub use dump::{dump_ast, dump_tokens};
pub use parser::{parse, platform};

/// Whether a word is reserved.
pub fn is_keyword(word: &str) -> bool {
    !word.is_empty() && token::keyword(word.as_bytes()) != token::TokenKind::Ident
}
