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

/// A bucket with more items than this is split. Compiling a unit costs about a millisecond before its
/// first function, and at level 0 a third of one for each.
const MAX_ITEMS: usize = 24;

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
    let root = settings(db, Root).root;
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
        split(file, 0, 0, &items, &mut units);
    }
    Arc::new(units)
}

/// Puts items, sorted by their hashes, into buckets. They agree in the first `bits` bits.
fn split(file: FileId, bucket: u32, bits: u32, items: &[(u64, Item)], units: &mut Partition) {
    if items.is_empty() {
        return;
    }
    if items.len() <= MAX_ITEMS || bits == MAX_BITS {
        let items = items.iter().map(|(_, item)| item.clone()).collect();
        units.insert(UnitId { file, bucket }, items);
        return;
    }
    let ones = items.partition_point(|(hash, _)| hash >> (63 - bits) & 1 == 0);
    split(file, 2 * bucket + 1, bits + 1, &items[..ones], units);
    split(file, 2 * bucket + 2, bits + 1, &items[ones..], units);
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
    use cm_db::DefId;

    fn buckets(count: u32) -> Partition {
        let file = FileId(Name::new("geo"));
        let item = |n: u32| {
            let def = DefId { file, path: Name::new(&format!("f{n}")), index: 0 };
            (xxh3_64(def.to_string().as_bytes()), Item::Global(def))
        };
        let mut items: Vec<_> = (0..count).map(item).collect();
        items.sort();
        let mut units = Partition::new();
        split(file, 0, 0, &items, &mut units);
        units
    }

    #[test]
    fn buckets_have_a_fitting_size() {
        let units = buckets(20_000);
        assert_eq!(units.values().map(Vec::len).sum::<usize>(), 20_000);
        assert!(units.values().all(|items| items.len() <= MAX_ITEMS));
        let mean = 20_000 / units.len();
        assert!((12..=24).contains(&mean), "{mean} items in a unit");
        assert_eq!(buckets(1).keys().next().unwrap().to_string(), "geo#0");
    }

    #[test]
    fn another_item_moves_only_those_of_its_bucket() {
        for count in 1..200 {
            let (before, after) = (buckets(count), buckets(count + 1));
            let changed = before.iter().filter(|(id, items)| after.get(id) != Some(items));
            assert!(changed.count() <= 1, "{count}");
        }
    }
}
