//! Grouping into code-generation units.
//!
//! The items of a file are put into buckets by the leading bits of a hash of their symbols; a
//! bucket that is too large is split in two by the next bit. The grouping depends on the set of
//! symbols alone, and another symbol changes one bucket, or splits it.

use crate::{Item, linkage};
use cm_base::Name;
use cm_db::{Db, FileId, settings};
use cm_mir::{
    mir::{Abi, Function, Global},
    unit::Unit,
};
use redgreen::Root;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};
use xxhash_rust::xxh3::xxh3_64;

/// A bucket with more items than this is split. After an edit, compiling a unit costs two milliseconds before its
/// first function and a third of one for each; with smaller units linking takes what compiling saves, and a
/// build from nothing takes longer.
const MAX_ITEMS: usize = 16;
/// The same where code is optimized, which is for code that is seen together.
const MAX_OPTIMIZED: usize = 24;

/// No bucket is split further than this.
const MAX_BITS: u32 = 30;

/// Some functions and globals of a file that are compiled together.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct UnitId {
    /// Whose items.
    pub file: FileId,
    /// The path of its bucket in the tree of splits: 0 is the root, the halves of n are 2n + 1 and 2n + 2.
    pub bucket: u32,
}

impl UnitId {
    /// The bucket of C's `main`.
    const START: u32 = u32::MAX;
}

impl fmt::Display for UnitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.bucket {
            UnitId::START => write!(f, "{}#start", self.file),
            bucket => write!(f, "{}#{bucket}", self.file),
        }
    }
}

/// The units of a program with their items, sorted.
pub type Partition = BTreeMap<UnitId, Vec<Item>>;

/// Computes [`crate::partition`].
pub(crate) fn partition(db: &dyn Db, _: &Root) -> Arc<Partition> {
    let settings = settings(db, Root);
    let root = settings.root;
    let most = if settings.optimize { MAX_OPTIMIZED } else { MAX_ITEMS };
    let mut files: BTreeMap<FileId, Vec<(u64, Item)>> = BTreeMap::new();
    let mut units = Partition::new();
    for item in &crate::reachable(db, Root).items {
        if *item == Item::Start {
            units.insert(UnitId { file: root, bucket: UnitId::START }, vec![Item::Start]);
            continue;
        }
        let hash = xxh3_64(item.to_string().as_bytes());
        files.entry(item.file().unwrap_or(root)).or_default().push((hash, item.clone()));
    }
    for (file, mut items) in files {
        items.sort();
        let mut add = |bucket, items: &[(u64, Item)]| {
            let items = items.iter().map(|(_, item)| item.clone()).collect();
            units.insert(UnitId { file, bucket }, items);
        };
        split(most, 0, 0, &items, &mut add);
    }
    Arc::new(units)
}

/// Puts items, sorted by their hashes, into buckets with at most so many. They agree in the first `bits` bits.
fn split<T>(
    most: usize,
    bucket: u32,
    bits: u32,
    items: &[(u64, T)],
    add: &mut impl FnMut(u32, &[(u64, T)]),
) {
    if items.is_empty() {
        return;
    }
    if items.len() <= most || bits == MAX_BITS {
        return add(bucket, items);
    }
    let ones = items.partition_point(|(hash, _)| hash >> (63 - bits) & 1 == 0);
    split(most, 2 * bucket + 1, bits + 1, &items[..ones], add);
    split(most, 2 * bucket + 2, bits + 1, &items[ones..], add);
}

/// Computes [`crate::units`].
pub(crate) fn units(db: &dyn Db, _: &Root) -> Vec<UnitId> {
    crate::partition(db, Root).keys().copied().collect()
}

/// Computes [`crate::unit_members`].
pub(crate) fn members(db: &dyn Db, unit: &UnitId) -> Vec<Item> {
    crate::partition(db, Root).get(unit).cloned().unwrap_or_default()
}

/// Computes [`crate::unit`].
pub(crate) fn unit(db: &dyn Db, id: &UnitId) -> Arc<[u8]> {
    assemble(db, *id).encode().into()
}

/// A unit before it is encoded.
pub fn assemble(db: &dyn Db, id: UnitId) -> Unit<&Function, &Global> {
    let mut unit = Unit::new(Name::shown(&id));
    for item in crate::unit_members(db, id) {
        if let Some(lowered) = crate::mir(db, item.clone()) {
            unit.functions.extend(&lowered.functions);
            unit.globals.extend(&lowered.globals);
        }
    }
    unit.functions.sort_by_key(|function| function.decl.symbol);
    unit.globals.sort_by_key(|global| global.decl.symbol);
    if settings(db, Root).optimize {
        link(db, id, &mut unit);
    }
    unit
}

/// Tells a unit what is private to it, and gives it small functions of others.
fn link<'db>(db: &'db dyn Db, id: UnitId, unit: &mut Unit<&'db Function, &'db Global>) {
    let linkage = linkage(db, id);
    let ours = unit.functions.iter().filter(|function| function.decl.abi == Abi::Cm);
    let functions = ours.map(|function| function.decl.symbol);
    let globals = unit.globals.iter().map(|global| global.decl.symbol);
    unit.private = linkage::private(db, linkage, functions.chain(globals).collect());
    let imports = linkage.imports.iter().filter_map(|item| linkage::small(db, item));
    unit.imports = imports.collect();
    unit.imports.sort_by_key(|function| function.decl.symbol);
}

/// Everything that an item needs to run.
pub fn closure(db: &dyn Db, start: Item) -> Unit<&Function, &Global> {
    let mut seen = BTreeSet::from([start.clone()]);
    let mut work = vec![start];
    let mut unit = Unit::new(Name::new(""));
    while let Some(item) = work.pop() {
        if let Some(lowered) = crate::mir(db, item.clone()) {
            unit.functions.extend(&lowered.functions);
            unit.globals.extend(&lowered.globals);
        }
        let next = crate::mir_refs(db, item).iter().filter(|next| !next.is_endless());
        work.extend(next.filter(|next| seen.insert((*next).clone())).cloned());
    }
    unit.functions.sort_by_key(|function| function.decl.symbol);
    unit.globals.sort_by_key(|global| global.decl.symbol);
    unit
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers of the items of each bucket.
    fn buckets(most: usize, count: u32) -> BTreeMap<u32, Vec<u32>> {
        let item = |n: u32| (xxh3_64(format!("geo::f{n}").as_bytes()), n);
        let mut items: Vec<_> = (0..count).map(item).collect();
        items.sort();
        let mut buckets = BTreeMap::new();
        split(most, 0, 0, &items, &mut |bucket, items| {
            buckets.insert(bucket, items.iter().map(|(_, n)| *n).collect());
        });
        buckets
    }

    #[test]
    fn buckets_have_a_fitting_size() {
        for most in [MAX_ITEMS, MAX_OPTIMIZED] {
            let buckets = buckets(most, 20_000);
            assert_eq!(buckets.values().map(Vec::len).sum::<usize>(), 20_000);
            assert!(buckets.values().all(|items| items.len() <= most));
            let mean = 20_000 / buckets.len();
            assert!((most / 2..=most).contains(&mean), "{mean} items in a unit");
        }
        assert_eq!(buckets(1, 1), BTreeMap::from([(0, vec![0])]));
    }

    #[test]
    fn another_item_moves_only_those_of_its_bucket() {
        for count in 1..200 {
            let (before, after) = (buckets(MAX_ITEMS, count), buckets(MAX_ITEMS, count + 1));
            let changed = before.iter().filter(|(id, items)| after.get(id) != Some(items));
            assert!(changed.count() <= 1, "{count}");
        }
    }
}
