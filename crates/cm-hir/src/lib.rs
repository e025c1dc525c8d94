//! From syntax to typed bodies: item trees, module graph, name resolution, types, inference,
//! constant evaluation and the checks of `08-diagnostics.md`.

pub mod body;
pub mod decl;
mod display;
pub mod queries;
mod similar;
pub mod thir;
pub mod ty;

pub use queries::*;
