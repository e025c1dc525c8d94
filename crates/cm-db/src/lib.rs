//! The compiler database: what enters it, and the parse query.

pub mod ids;
pub mod queries;
pub mod world;

pub use ids::{DefId, FileId};
pub use queries::*;
pub use redgreen::Db;
pub use world::{Unreadable, World};
