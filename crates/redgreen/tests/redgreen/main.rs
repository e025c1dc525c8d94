//! Tests of the graph with a toy compiler.

mod edits;
mod toy;
