//! Names that an import or a path asks a module for and that are not there, and what may have been
//! meant.

use super::{
    ItemKind, ItemTree, Problem, exports,
    graph::module_text,
    imports,
    imports::Place,
    item_tree::join,
    lookup::{self, Space},
    names, paths,
};
use crate::similar::meant;
use cm_base::Name;
use cm_db::{Db, DefId, FileId};
use cm_syntax::ast::{Import, ImportNames, ImportPath};
use std::collections::BTreeSet;

/// All names that can be asked for at a place.
pub fn offered(db: &dyn Db, place: &Place) -> BTreeSet<Name> {
    offered_in(db, lookup::spaces(db, place))
}

/// The same for namespaces that are merged. Re-exports are followed, in circles too.
pub(super) fn offered_in(db: &dyn Db, mut open: Vec<Space>) -> BTreeSet<Name> {
    let mut found = BTreeSet::new();
    let mut seen = BTreeSet::new();
    while let Some(space) = open.pop() {
        if !seen.insert(space) {
            continue;
        }
        match space {
            Space::Own(file, path) => {
                let names = names(db, file);
                found.extend(names.scopes.get(&path).into_iter().flat_map(|scope| scope.keys()));
                found.extend(children(&names.namespaces, path));
            }
            Space::Exports(file, path) => {
                let exports = exports(db, file);
                let entries = exports.entries.get(&path);
                found.extend(entries.into_iter().flat_map(|names| names.keys()));
                found.extend(children(exports.entries.keys(), path));
                if path.is_empty() {
                    open.extend(exports.bulk.iter().flat_map(|place| lookup::spaces(db, place)));
                    let prelude =
                        if paths::has_prelude(file) { &paths::PRELUDE_NAMES[..] } else { &[] };
                    found.extend(prelude.iter().map(|name| Name::new(name)));
                }
            }
            Space::Imported(file, path) => {
                let groups = &imports(db, file).groups;
                found.extend(children(groups.keys(), path));
                let sources = groups.get(&path).into_iter().flatten();
                open.extend(sources.flat_map(|source| lookup::spaces(db, &source.place)));
            }
        }
    }
    found
}

/// The names right below a namespace.
fn children<'a>(paths: impl IntoIterator<Item = &'a Name>, path: Name) -> Vec<Name> {
    let prefix = join(path, "");
    let below = |name: &&'a Name| **name != prefix;
    let inner = |name: &'a Name| {
        let rest = match prefix.is_empty() {
            true => name.as_str(),
            false => name.strip_prefix(prefix.as_str())?.strip_prefix("::")?,
        };
        Some(Name::new(rest.split_once("::").map_or(rest, |(first, _)| first)))
    };
    paths.into_iter().filter(below).filter_map(inner).collect()
}

/// Says that a place does not export a name.
pub(super) fn not_exported(db: &dyn Db, place: &Place, name: Name) -> String {
    let module = place.path.last().map_or(module_text(place.file), |last| last.as_str());
    let meant = meant(name, offered(db, place));
    format!("'{name}' is not exported by module '{module}'{meant}")
}

/// The imports of a file whose paths lead through something that is no module.
pub(super) fn wrong_paths(db: &dyn Db, file: FileId, tree: &ItemTree) -> Vec<(DefId, Problem)> {
    let import = |entry: &super::Entry| match &entry.item.kind {
        ItemKind::Import(import) => Some((entry.def, wrong_path(db, file, import)?)),
        _ => None,
    };
    tree.entries.iter().filter_map(import).collect()
}

fn wrong_path(db: &dyn Db, file: FileId, import: &Import) -> Option<Problem> {
    let path = &import.path;
    // The last part of `import P;` may be an item.
    let last = match import.names {
        ImportNames::List(_) | ImportNames::Wildcard => path.segments.len(),
        ImportNames::Plain | ImportNames::Alias(_) => path.segments.len().checked_sub(1)?,
        ImportNames::Directory(_) => return None,
    };
    let (target, used) = paths::resolve(db, file, path)?;
    let mut place = Place { file: target, path: Vec::new() };
    for n in used..last {
        let segment = path.segments[n];
        let found = lookup::at(db, &place, segment.name);
        if found.spaces.is_empty() {
            let message = match found.things.is_empty() {
                true => not_exported(db, &place, segment.name),
                false => no_module(path, n),
            };
            return Some(Problem::new(segment.at, message));
        }
        place.path.push(segment.name);
    }
    None
}

/// Says that a part of a path names something in a module.
fn no_module(path: &ImportPath, n: usize) -> String {
    let upto = ImportPath { segments: path.segments[..=n].to_vec(), ..path.clone() };
    let meant = format!("; did you mean '{}'?", paths::text(&upto));
    format!("'{}' is not a module{meant}", path.segments[n].name)
}
