//! What every stage of the compiler shares: interned names, source positions, diagnostics and the
//! [`System`] trait, the only door to the file system below the driver.

mod content;
pub mod diagnostic;
pub mod hashed;
pub mod intern;
pub mod list;
pub mod name;
pub mod scratch;
pub mod span;
pub mod system;

pub use diagnostic::{Diagnostic, Note, Severity};
pub use hashed::Hashed;
pub use intern::{Intern, Interned};
pub use name::Name;
pub use scratch::{Scratch, scratch};
pub use span::{At, Positions, SpanTable, TextRange, TextSize};
pub use system::{FileText, Look, MemorySystem, OsSystem, Stamp, System};
