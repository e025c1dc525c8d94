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
pub use parser::parse;
