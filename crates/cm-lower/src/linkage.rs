//! How units hang together, for optimizing code generation: what they share, and which small functions
//! of others they may take in.

use crate::{Item, UnitId};
use cm_base::Name;
use cm_db::Db;
use cm_mir::mir::{Abi, Function};
use redgreen::Root;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// A function with more statements is not taken into other units …
const MAX_STMTS: usize = 30;
/// … nor one with more blocks.
const MAX_BLOCKS: usize = 12;

/// Functions that a unit refers to are taken in, functions that these refer to, and so on, so many
/// times: a destructor of a container, what it calls, and what that calls.
const MAX_DEPTH: usize = 3;

/// How a unit hangs together with others.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Linkage {
    /// Its items that other units refer to.
    pub shared: BTreeSet<Item>,
    /// Small functions of other units that it refers to, directly or through others of them.
    pub imports: BTreeSet<Item>,
}

/// Computes [`crate::linkages`].
pub(crate) fn linkages(db: &dyn Db, _: &Root) -> Arc<BTreeMap<UnitId, Linkage>> {
    let partition = crate::partition(db, Root);
    let mut units: FxHashMap<&Item, UnitId> = FxHashMap::default();
    for (unit, items) in &**partition {
        units.extend(items.iter().map(|item| (item, *unit)));
    }
    let mut linkages: BTreeMap<UnitId, Linkage> = BTreeMap::new();
    let share = |linkages: &mut BTreeMap<UnitId, Linkage>, user: UnitId, item: &Item| {
        let Some(owner) = units.get(item).filter(|owner| **owner != user) else { return false };
        linkages.entry(*owner).or_default().shared.insert(item.clone());
        true
    };
    for (unit, items) in &**partition {
        let mut next: Vec<&Item> =
            items.iter().flat_map(|item| crate::mir_refs(db, item.clone())).collect();
        for depth in 0..=MAX_DEPTH {
            for item in std::mem::take(&mut next) {
                let foreign = share(&mut linkages, *unit, item);
                if foreign && depth < MAX_DEPTH && *crate::is_small(db, item.clone()) {
                    // Its code will be in this unit too.
                    let imports = &mut linkages.entry(*unit).or_default().imports;
                    if imports.insert(item.clone()) {
                        next.extend(crate::mir_refs(db, item.clone()));
                    }
                }
            }
        }
    }
    Arc::new(linkages)
}

/// Computes [`crate::linkage`].
pub(crate) fn linkage(db: &dyn Db, unit: &UnitId) -> Linkage {
    crate::linkages(db, Root).get(unit).cloned().unwrap_or_default()
}

/// Computes [`crate::is_small`].
pub(crate) fn is_small(db: &dyn Db, item: &Item) -> bool {
    small(db, item).is_some()
}

/// The function of an item, if it may be taken into other units: small, and with nothing else beside it.
pub(crate) fn small<'a>(db: &'a dyn Db, item: &Item) -> Option<&'a Function> {
    let lowered = crate::mir(db, item.clone()).as_ref()?;
    let ([function], []) = (&lowered.functions[..], &lowered.globals[..]) else { return None };
    let stmts: usize = function.blocks.iter().map(|block| block.stmts.len()).sum();
    let fits = stmts <= MAX_STMTS && function.blocks.len() <= MAX_BLOCKS;
    (fits && function.decl.abi == Abi::Cm).then_some(function)
}

/// The symbols among `defined` that only the unit itself refers to, sorted.
pub(crate) fn private(db: &dyn Db, linkage: &Linkage, defined: Vec<Name>) -> Vec<Name> {
    let shared: BTreeSet<Name> = linkage.shared.iter().map(|item| item.symbol(db)).collect();
    let mut private: Vec<Name> =
        defined.into_iter().filter(|symbol| !shared.contains(symbol)).collect();
    private.sort();
    private
}
