//! Source positions.
//!
//! Trees never hold positions. A node holds an [`At`], an index into the position table of the
//! item that contains it, and the table is no part of what a tree's hash or equality sees: moving
//! an item, or adding a comment inside it, changes no tree.

pub use text_size::{TextRange, TextSize};

use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

/// An index into the [`SpanTable`] of an item. Numbered in parse order, so that two texts of an
/// item that differ in white space and comments alone give equal numbers.
#[derive(
    Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize,
)]
pub struct At(pub u32);

/// The positions of one item, in bytes from the beginning of the file.
#[derive(Clone, Default, Debug, PartialEq, Eq)]
pub struct SpanTable {
    /// Position of each [`At`].
    pub ranges: Vec<TextRange>,
}

impl SpanTable {
    /// The position of `at`; the empty range at the start of the file for an `At` of another item.
    pub fn get(&self, at: At) -> TextRange {
        self.ranges.get(at.0 as usize).copied().unwrap_or_default()
    }
    /// Adds a position.
    #[inline]
    pub fn push(&mut self, range: TextRange) -> At {
        self.ranges.push(range);
        At(self.ranges.len() as u32 - 1)
    }
}

/// A [`SpanTable`] beside a tree: invisible to `Eq` and `Hash`, hence to fingerprints. Only
/// queries that also depend on the text itself may read it.
#[derive(Clone, Default, Debug)]
pub struct Positions(pub Arc<SpanTable>);

impl PartialEq for Positions {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl Eq for Positions {}
impl Hash for Positions {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}
