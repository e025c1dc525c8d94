//! What every test of incremental builds asks: is this build the same as one from nothing?

mod minimal;
mod outcome;
mod place;
mod system;

pub use minimal::{EdgeKind, Graph, decisive, needed};
pub use outcome::{
    Behaviour, Clean, Made, Outcome, build_clean, build_with_store, clean, execute, front_graph,
};
pub use place::{Place, Saved};
pub use system::TestSystem;

/// An error as the message that tests fail with.
pub fn text(error: impl ToString) -> String {
    error.to_string()
}
