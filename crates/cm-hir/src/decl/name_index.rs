//! Positions in a list by name.

use cm_base::Name;
use rustc_hash::FxHashMap;
use std::{
    hash::{Hash, Hasher},
    sync::OnceLock,
};

/// The positions of what a list names, made when the first is looked for, so that finding all of many
/// takes linear time. It says nothing that the list does not say: all indices are equal.
#[derive(Clone, Default, Debug)]
pub struct NameIndex(OnceLock<FxHashMap<Name, usize>>);

impl NameIndex {
    /// The first position of a name in the list that this belongs to.
    pub fn position(&self, name: Name, list: impl Iterator<Item = Name>) -> Option<usize> {
        let index = self.0.get_or_init(|| {
            let mut index = FxHashMap::default();
            for (position, name) in list.enumerate() {
                index.entry(name).or_insert(position);
            }
            index
        });
        index.get(&name).copied()
    }
}

impl PartialEq for NameIndex {
    fn eq(&self, _: &NameIndex) -> bool {
        true
    }
}

impl Eq for NameIndex {}

impl Hash for NameIndex {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}
