//! Tests of the graph with a toy compiler.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod damage;
mod edits;
mod interruptions;
mod random;
mod records;
mod toy;
