//! Names by numbers, so that they are compared once.

use hashbrown::hash_table::{Entry, HashTable};
use rustc_hash::FxBuildHasher;
use std::{hash::BuildHasher as _, ops::Range};

/// Names that objects share. Which number a name has must not show in what is linked.
#[derive(Default)]
pub struct Interner {
    /// One behind the other.
    bytes: Vec<u8>,
    /// Where each is.
    places: Vec<Range<u32>>,
    /// Their numbers.
    index: HashTable<NameId>,
}

/// The number of a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NameId(u32);

impl NameId {
    /// The numbers are dense.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl Interner {
    /// How many names there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The name with a number.
    pub fn name(&self, id: NameId) -> &[u8] {
        name(&self.bytes, &self.places, id)
    }

    /// The number of a name, if it has one.
    pub fn find(&self, wanted: &[u8]) -> Option<NameId> {
        self.index.find(hash(wanted), |id| self.name(*id) == wanted).copied()
    }

    /// The number of a name, which may be new.
    pub fn intern(&mut self, new: &[u8]) -> NameId {
        let Interner { bytes, places, index } = self;
        let same = |id: &NameId| name(bytes, places, *id) == new;
        let rehash = |id: &NameId| hash(name(bytes, places, *id));
        match index.entry(hash(new), same, rehash) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(free) => {
                let id = NameId(places.len() as u32);
                free.insert(id);
                let start = bytes.len() as u32;
                bytes.extend_from_slice(new);
                places.push(start..bytes.len() as u32);
                id
            }
        }
    }
}

fn name<'a>(bytes: &'a [u8], places: &[Range<u32>], id: NameId) -> &'a [u8] {
    let Range { start, end } = places[id.index()];
    &bytes[start as usize..end as usize]
}

fn hash(name: &[u8]) -> u64 {
    FxBuildHasher.hash_one(name)
}
