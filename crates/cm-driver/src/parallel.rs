//! Work for all processors. It is started here, outside of every query, so no dependency comes from
//! it: it asks for what the build will ask for anyway, and the results wait in memory.

use crate::{
    queries::{self, provide::unit_object},
    session::{Clock, Session},
};
use castore::Digest;
use cm_base::FileText;
use cm_db::{Db, FileId, settings};
use cm_hir::decl;
use cm_lower::{Item, UnitId};
use rayon::{Scope, prelude::*};
use redgreen::{Database, Root};
use rustc_hash::FxHashSet;
use std::{cmp::Reverse, hash::Hash, sync::Mutex};

/// Checks a program of which nothing is known yet. After an edit the graph finds the little there is
/// to do faster than threads could be started.
pub fn front_end(db: &Database, clock: &Clock) {
    if db.graph().has_image() {
        return;
    }
    let root = settings(db, Root).root;
    explore(db, root, &|db, file| {
        decl::has_syntax_errors(db, *file);
        decl::imports(db, *file).edges.iter().map(|edge| edge.file).collect()
    });
    clock.lap("syntax and imports");
    let files: &[FileId] = cm_hir::files(db, Root);
    // What follows from syntax errors is not shown, nor looked for.
    if files.iter().any(|file| *decl::has_syntax_errors(db, *file)) {
        return;
    }
    let mut checked: Vec<FileId> = decl::checked_files(db).collect();
    checked.sort_by_cached_key(|file| match cm_db::source(db, *file) {
        FileText::Text(text) => Reverse(text.len()),
        _ => Reverse(0),
    });
    each(db, &checked, |db, file| {
        decl::file_problems(db, *file);
        decl::file_body_problems(db, *file);
    });
    clock.lap("types and bodies");
}

/// Compiles the units of an accepted program. The objects of those that did not change are fetched
/// meanwhile.
pub fn units(db: &Database, session: &Session) {
    let clock = &session.clock;
    if !db.graph().has_image() {
        explore(db, Item::Start, &|db, item| cm_lower::mir_refs(db, item.clone()).clone());
        // What follows keeps one processor busy.
        session.begin_keeping(db, &[cm_hir::queries::node::diagnostics(Root)]);
        // There, since threads of the pool have memory at hand by now.
        each(db, &[Root], |db, root| {
            cm_lower::units(db, *root);
        });
        clock.lap("MIR");
    }
    let units = cm_lower::units(db, Root).iter();
    let in_doubt = |unit: &UnitId| redgreen::is_in_doubt::<unit_object>(db, unit);
    let (doubtful, mut fresh): (Vec<UnitId>, Vec<UnitId>) = units.partition(|unit| in_doubt(unit));
    if db.graph().has_image() {
        // So that it is plain which of them changed; most often there is one.
        for unit in &doubtful {
            cm_lower::fp::unit(db, *unit);
        }
        clock.lap("MIR");
    }
    let is_stale = |unit: &UnitId| redgreen::is_stale::<unit_object>(db, unit);
    let (mut stale, same): (Vec<UnitId>, Vec<UnitId>) =
        doubtful.into_iter().partition(|unit| is_stale(unit));
    fresh.extend(same);
    if !stale.is_empty() {
        let digest = |unit: &UnitId| queries::unit_object(db, *unit).digest().map(Digest);
        // In a process that stays they are there.
        let fresh = if session.tools.has_blobs() { &[] } else { &fresh[..] };
        session.tools.fetch(fresh.iter().filter_map(digest).collect(), session.expected());
    }
    if stale.len() > rayon::current_num_threads() {
        each(db, &stale, |db, unit| {
            cm_lower::unit(db, *unit);
        });
        stale.sort_by_cached_key(|unit| Reverse(cm_lower::unit(db, *unit).len()));
    }
    if stale.len() > 1 {
        each(db, &stale, |db, unit| {
            queries::fp::unit_object(db, *unit);
        });
    }
    clock.lap("units");
}

/// Does two things on threads of the pool, or on this one if they must be done `here`.
pub fn both<A: Send, B: Send>(
    here: bool,
    one: impl FnOnce() -> A + Send,
    other: impl FnOnce() -> B + Send,
) -> (A, B) {
    if here { (one(), other()) } else { rayon::join(one, other) }
}

/// Does something for each key, on threads of the pool. Those that take longest should come first.
pub fn each<K: Sync, R: Send>(
    db: &Database,
    keys: &[K],
    work: impl Fn(&Database, &K) -> R + Sync,
) -> Vec<R> {
    let handles: Vec<_> = keys.iter().map(|key| (db.clone(), key)).collect();
    // One by one: of longer pieces, the last would keep one processor busy while the others wait.
    let handles = handles.into_par_iter().with_max_len(1);
    handles.map(|(db, key)| work(&db, key)).collect()
}

/// Asks for what follows from a key, and for what follows from that, until there is nothing new.
fn explore<K>(db: &Database, start: K, next: Next<'_, K>)
where
    K: Clone + Eq + Hash + Send,
{
    let seen = Mutex::new(FxHashSet::from_iter([start.clone()]));
    let (db, seen) = (db.clone(), &seen);
    rayon::scope(move |scope| visit(scope, db, start, seen, next));
}

type Next<'a, K> = &'a (dyn Fn(&Database, &K) -> Vec<K> + Sync);

fn visit<'a, K>(
    scope: &Scope<'a>,
    db: Database,
    key: K,
    seen: &'a Mutex<FxHashSet<K>>,
    next: Next<'a, K>,
) where
    K: Clone + Eq + Hash + Send + 'a,
{
    let mut found = next(&db, &key);
    let mut known = seen.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    found.retain(|key| known.insert(key.clone()));
    drop(known);
    for key in found {
        let db = db.clone();
        scope.spawn(move |scope| visit(scope, db, key, seen, next));
    }
}
