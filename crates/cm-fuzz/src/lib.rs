//! Programs for the compiler. Some are made from the conformance programs by damaging them: the
//! front end neither panics nor hangs nor takes all memory, what it accepts becomes MIR that the
//! verifier accepts, and an edit gives what a build from nothing gives. Others are grown and right: they do
//! the same interpreted and compiled, at every level, and release what they make.

pub mod cases;
pub mod check;
pub mod compare;
pub mod minimise;
pub mod programs;
pub mod seeds;
pub mod watch;
