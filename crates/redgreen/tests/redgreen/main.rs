//! Tests of the graph with a toy compiler.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]
#![expect(clippy::ptr_arg, reason = "providers take their keys as they are declared")]

mod damage;
mod edits;
mod interruptions;
mod random;
mod records;
mod toy;
