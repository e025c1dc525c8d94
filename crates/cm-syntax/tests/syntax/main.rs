//! Tests of the lexer, the parser and the formatter, mostly through data below `fixtures/`.

mod common;
mod conformance;
mod fixtures;
mod format;
mod robustness;
mod trees;
