//! A small static linker: objects become one image, an [`executable`] or in the memory of a process.
//!
//! It is pure, bytes in and bytes out, and deterministic. It does what the objects of Cm programs and
//! plain C objects need; what other linkers are for (archives, thread-local variables, groups of
//! sections, scripts) is [`LinkError::Unsupported`], so that the caller can use one of them.

mod dynamic;
mod elf;
mod error;
mod executable;
mod image;
mod interner;
mod layout;
mod library;
mod memory;
mod names;
mod relocate;
mod sections;
mod start;
mod symbols;

pub use elf::Object;
pub use error::{Duplicate, LinkError, Result, Undefined};
pub use executable::{executable, executable_again};
pub use image::{Image, Place};
pub use interner::Interner;
pub use layout::{Layout, Part, Segment};
pub use library::{Export, Library};
pub use memory::{Input, Memory};
pub use names::{Bound, Import, Names};
