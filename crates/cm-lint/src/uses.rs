//! The names that occur in a file, locals apart.

use cm_base::{Name, TextRange};
use rustc_hash::FxHashMap;

/// Where a name stands.
#[derive(Clone, Copy, Debug)]
pub struct Use {
    /// Its bytes.
    pub range: TextRange,
    /// It is a member of something: a field, a method, what follows `::`.
    pub member: bool,
}

/// The names that occur, and where.
#[derive(Default)]
pub struct Uses {
    by_name: FxHashMap<Name, Vec<Use>>,
}

impl Uses {
    /// A name occurs.
    pub fn add(&mut self, name: Name, range: TextRange, member: bool) {
        self.by_name.entry(name).or_default().push(Use { range, member });
    }

    /// Where a name occurs.
    pub fn of(&self, name: Name) -> &[Use] {
        self.by_name.get(&name).map_or(&[], Vec::as_slice)
    }

    /// Whether a name occurs in a range.
    pub fn within(&self, name: Name, range: TextRange) -> bool {
        self.of(name).iter().any(|found| range.contains_range(found.range))
    }

    /// Whether a name occurs outside a range.
    pub fn outside(&self, name: Name, range: TextRange) -> bool {
        self.of(name).iter().any(|found| !range.contains_range(found.range))
    }
}
