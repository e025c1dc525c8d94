//! What a program consists of: everything that `main` needs.

use crate::{Item, Lowered, glue, lower};
use cm_db::Db;
use cm_mir::mir::Function;
use redgreen::Root;
use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, sync::Arc};

/// All that is reachable from the entry.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Reachable {
    /// Sorted.
    pub items: Vec<Item>,
    /// Instances that were not followed, since there would be no end.
    pub endless: Vec<Item>,
}

/// Computes [`crate::mir`].
pub(crate) fn mir(db: &dyn Db, item: &Item) -> Option<Arc<Lowered>> {
    let lowered = match item {
        Item::Function(instance) => lower::function(db, instance),
        Item::Global(def) => glue::global(db, *def),
        Item::Drop(ty) => Some(glue::drop_glue(db, *ty)),
        Item::Start => glue::start(db),
    };
    if cfg!(debug_assertions) {
        lowered.iter().flat_map(|lowered| &lowered.functions).for_each(verify);
    }
    lowered.map(Arc::new)
}

fn verify(function: &Function) {
    if let Err(errors) = cm_mir::verify::verify(function) {
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        panic!("lowering made wrong MIR:\n{}\n{}", errors.join("\n"), cm_mir::text::dump(function));
    }
}

/// Computes [`crate::mir_refs`].
pub(crate) fn refs(db: &dyn Db, item: &Item) -> Vec<Item> {
    crate::mir(db, item.clone()).as_ref().map_or(Vec::new(), |lowered| lowered.refs.clone())
}

/// Computes [`crate::reachable`].
pub(crate) fn reachable(db: &dyn Db, _: &Root) -> Reachable {
    let mut endless = BTreeSet::new();
    let mut seen = FxHashSet::from_iter([Item::Start]);
    let mut items = Vec::new();
    let mut work = vec![Item::Start];
    while let Some(item) = work.pop() {
        for next in crate::mir_refs(db, item.clone()) {
            if next.is_endless() {
                endless.insert(next.clone());
            } else if seen.insert(next.clone()) {
                work.push(next.clone());
            }
        }
        items.push(item);
    }
    items.sort();
    Reachable { items, endless: endless.into_iter().collect() }
}
