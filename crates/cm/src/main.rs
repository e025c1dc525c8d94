//! The cm command.
fn main() {}
