//! Looking names up (`10-modules.md` §10.7). Re-exports are followed on the graph of export
//! tables, with a memo of this look-up alone, so that modules that re-export each other end.

use super::{
    exports, imports,
    imports::Place,
    item_tree::join,
    lookup_in, names,
    names::{Class, Target, Thing},
    paths,
};
use cm_base::Name;
use cm_db::{Db, FileId};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Something that names are looked up in with `N::x`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Space {
    /// A namespace block, seen from its own file.
    Own(FileId, Name),
    /// The exports of a file, or a namespace in them.
    Exports(FileId, Name),
    /// A namespace that the imports of a file bind.
    Imported(FileId, Name),
}

/// A simple name in a scope: the key of [`super::lookup`] and [`super::lookup_space`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct ScopedName {
    /// The file.
    pub file: FileId,
    /// The namespace in it.
    pub namespace: Name,
    /// The name.
    pub name: Name,
}

/// A name in a namespace: the key of [`super::lookup_in`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct QualifiedName {
    /// The namespace.
    pub space: Space,
    /// The name.
    pub name: Name,
}

impl fmt::Display for ScopedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{}", self.file, join(self.namespace, &self.name))
    }
}

impl fmt::Display for QualifiedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.space {
            Space::Own(file, path) => write!(f, "{file}::{path}::{}", self.name),
            Space::Exports(file, path) => write!(f, "export {file}::{}", join(path, &self.name)),
            Space::Imported(file, path) => write!(f, "import {file}::{path}::{}", self.name),
        }
    }
}

impl Space {
    /// What messages call it.
    pub fn name(self) -> &'static str {
        match self {
            Space::Exports(file, path) if path.is_empty() => paths::module_name(file),
            Space::Own(_, path) | Space::Exports(_, path) | Space::Imported(_, path) => {
                crate::display::last_segment(path)
            }
        }
    }
}

/// What a name was found to be.
#[derive(Clone, Default, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Found {
    /// Different things of that name, each with the module that gave it. More than one: ambiguous.
    pub things: Vec<(Name, Thing)>,
    /// Namespaces of that name; they are merged.
    pub spaces: Vec<Space>,
    /// It would be bound by an import that is reported elsewhere.
    pub poisoned: bool,
}

impl Found {
    /// Nothing of this name.
    pub fn is_empty(&self) -> bool {
        self.things.is_empty() && self.spaces.is_empty()
    }

    fn add(&mut self, module: &str, thing: &Thing) {
        if !self.things.iter().any(|(_, other)| same(other, thing)) {
            self.things.push((Name::new(module), thing.clone()));
        }
    }

    fn merge(&mut self, other: &Found) {
        for (module, thing) in &other.things {
            self.add(module, thing);
        }
        for space in &other.spaces {
            self.add_space(*space);
        }
    }

    fn add_space(&mut self, space: Space) {
        if !self.spaces.contains(&space) {
            self.spaces.push(space);
        }
    }
}

/// Prototypes of one C function are one thing, wherever they stand.
fn same(a: &Thing, b: &Thing) -> bool {
    match (a, b) {
        (Thing::Declared(Class::Foreign, a), Thing::Declared(Class::Foreign, b)) => {
            let name = |defs: &[cm_db::DefId]| crate::display::last_segment(defs[0].path);
            name(a) == name(b)
        }
        _ => a == b,
    }
}

pub(super) fn compute(db: &dyn Db, key: &ScopedName) -> Found {
    let names = names(db, key.file);
    let declared = enclosing(key.namespace).find_map(|scope| names.get(scope, key.name));
    if let Some(thing) = declared {
        let module = Name::new(paths::module_name(key.file));
        return Found { things: vec![(module, thing.clone())], ..Found::default() };
    }
    let imports = imports(db, key.file);
    let mut search = Search { db, memo: FxHashMap::default() };
    let poisoned = imports.poisoned.contains(&key.name);
    let mut found = Found { poisoned, ..Found::default() };
    for import in imports.named.iter().filter(|import| import.bound == key.name) {
        let there = at(db, &import.place, import.name);
        found.poisoned |= there.is_empty();
        // A second import of other things is reported at the import.
        if found.things.is_empty() {
            found.merge(&there);
        }
    }
    if found.things.is_empty() && !found.poisoned {
        imports.bulk.iter().for_each(|source| found.merge(&search.at(&source.place, key.name)));
        found.poisoned = imports.broken;
    }
    found.spaces.clear();
    if found.things.is_empty() && paths::is_prelude(key.name) {
        found.things.push((Name::new("std"), Thing::Prelude(key.name)));
    }
    found.poisoned &= found.things.is_empty();
    found
}

pub(super) fn compute_spaces(db: &dyn Db, key: &ScopedName) -> Found {
    let names = names(db, key.file);
    let declared = enclosing(key.namespace).map(|scope| join(scope, &key.name));
    if let Some(path) = declared.into_iter().find(|path| names.namespaces.contains(path)) {
        return Found { spaces: vec![Space::Own(key.file, path)], ..Found::default() };
    }
    let imports = imports(db, key.file);
    let mut search = Search { db, memo: FxHashMap::default() };
    let mut found = Found::default();
    for import in imports.named.iter().filter(|import| import.bound == key.name) {
        found.merge(&at(db, &import.place, import.name));
    }
    if imports.has_group(key.name) {
        found.add_space(Space::Imported(key.file, key.name));
    }
    imports.bulk.iter().for_each(|source| found.merge(&search.at(&source.place, key.name)));
    found.things.clear();
    let failed = imports.poisoned.contains(&key.name) || imports.broken;
    found.poisoned = found.spaces.is_empty() && failed;
    found
}

/// A namespace and those around it, innermost first, down to the module.
fn enclosing(namespace: Name) -> impl Iterator<Item = Name> {
    let outer = |scope: &Name| {
        let (outer, _) = scope.rsplit_once("::").unwrap_or_default();
        (!scope.is_empty()).then(|| Name::new(outer))
    };
    std::iter::successors(Some(namespace), outer)
}

pub(super) fn compute_in(db: &dyn Db, key: &QualifiedName) -> Found {
    Search { db, memo: FxHashMap::default() }.name(key.space, key.name)
}

/// What a name is at a place. Who asks depends on this name alone: another one can be exported there, or
/// be exported no more, without concerning them.
pub(super) fn at(db: &dyn Db, place: &Place, name: Name) -> Found {
    in_all(db, &spaces(db, place), name)
}

/// The namespaces of a place, which are merged.
pub(super) fn spaces(db: &dyn Db, place: &Place) -> Vec<Space> {
    let start = vec![Space::Exports(place.file, Name::new(""))];
    place.path.iter().fold(start, |spaces, segment| in_all(db, &spaces, *segment).spaces)
}

fn in_all(db: &dyn Db, spaces: &[Space], name: Name) -> Found {
    let mut found = Found::default();
    for space in spaces {
        found.merge(lookup_in(db, QualifiedName { space: *space, name }));
    }
    found
}

struct Search<'a> {
    db: &'a dyn Db,
    /// What was looked up; nothing while it is being looked up.
    memo: FxHashMap<(Space, Name), Found>,
}

impl Search<'_> {
    fn at(&mut self, place: &Place, name: Name) -> Found {
        let mut found = Found::default();
        for space in self.spaces(place) {
            found.merge(&self.name(space, name));
        }
        found
    }

    fn spaces(&mut self, place: &Place) -> Vec<Space> {
        let mut spaces = vec![Space::Exports(place.file, Name::new(""))];
        for segment in &place.path {
            let mut inner = Found::default();
            for space in spaces {
                inner.merge(&self.name(space, *segment));
            }
            spaces = inner.spaces;
        }
        spaces
    }

    fn name(&mut self, space: Space, name: Name) -> Found {
        if let Some(found) = self.memo.get(&(space, name)) {
            return found.clone();
        }
        self.memo.insert((space, name), Found::default());
        let found = stacker::maybe_grow(64 * 1024, 1024 * 1024, || match space {
            Space::Own(file, path) => self.own(file, path, name),
            Space::Exports(file, path) => self.exported(file, path, name),
            Space::Imported(file, path) => self.imported(file, path, name),
        });
        self.memo.insert((space, name), found.clone());
        found
    }

    fn own(&mut self, file: FileId, path: Name, name: Name) -> Found {
        let names = names(self.db, file);
        let mut found = Found::default();
        if let Some(thing) = names.get(path, name) {
            found.add(crate::display::last_segment(path), thing);
        }
        let inner = join(path, &name);
        if names.namespaces.contains(&inner) {
            found.add_space(Space::Own(file, inner));
        }
        found
    }

    fn exported(&mut self, file: FileId, path: Name, name: Name) -> Found {
        if path.is_empty() && paths::has_prelude(file) && paths::is_prelude(name) {
            let things = vec![(Name::new("std"), Thing::Prelude(name))];
            return Found { things, ..Found::default() };
        }
        let exports = exports(self.db, file);
        let mut found = Found::default();
        let targets = exports.entries.get(&path).and_then(|group| group.get(&name));
        for target in targets.into_iter().flatten() {
            match target {
                Target::Thing(thing) => found.add(paths::module_name(file), thing),
                Target::Space(space) => found.add_space(*space),
                Target::Name(place, name) => found.merge(&self.at(place, *name)),
                Target::Inside(space, name) => found.merge(&self.name(*space, *name)),
            }
        }
        let group = join(path, &name);
        if exports.has_group(group) {
            found.add_space(Space::Exports(file, group));
        }
        if path.is_empty() && found.is_empty() {
            for place in &exports.bulk {
                found.merge(&self.at(place, name));
            }
        }
        found
    }

    fn imported(&mut self, file: FileId, path: Name, name: Name) -> Found {
        let imports = imports(self.db, file);
        let mut found = Found::default();
        for source in imports.groups.get(&path).into_iter().flatten() {
            found.merge(&self.at(&source.place, name));
        }
        let inner = join(path, &name);
        if imports.has_group(inner) {
            found.add_space(Space::Imported(file, inner));
        }
        found
    }
}
