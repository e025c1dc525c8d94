//! Tests of the lexer and the parser, mostly through data below `fixtures/`.

mod common;
mod conformance;
mod fixtures;
mod robustness;
mod trees;
