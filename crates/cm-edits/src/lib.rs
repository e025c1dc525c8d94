//! Random programs and random edits, built incrementally and from nothing, and compared.

pub mod crashes;
pub mod edits;
pub mod faults;
pub mod grow;
pub mod growth;
pub mod hostile;
pub mod kinds;
pub mod model;
#[cfg(feature = "mutation")]
pub mod mutants;
pub mod oracle;
pub mod print;
pub mod random;
pub mod shrink;
pub mod walk;
