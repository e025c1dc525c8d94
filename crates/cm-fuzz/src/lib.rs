//! Programs made from the conformance programs by damaging them, and what must hold of each: the
//! front end neither panics nor hangs nor takes all memory, what it accepts becomes MIR that the
//! verifier accepts, and an edit gives what a build from nothing gives.

pub mod check;
pub mod minimise;
pub mod seeds;
pub mod watch;
