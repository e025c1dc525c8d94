//! The names a file declares, and those it exports.

use super::{
    ItemKind, Problem, checked_files, imports,
    imports::{Imports, Place},
    item_tree,
    item_tree::{Item, join},
    lookup::Space,
    names,
};
use cm_base::Name;
use cm_db::{Db, DefId, FileId, settings};
use cm_syntax::ast::{ExportEntry, ExportList, ImportName};
use redgreen::Root;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What a name can be declared as.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Class {
    /// A function with a body.
    Function,
    /// A prototype of a C function.
    Foreign,
    /// A variable, constant or constant macro.
    Global,
    /// `struct`.
    Struct,
    /// `enum`.
    Enum,
    /// `interface`.
    Interface,
    /// `typedef`.
    Alias,
}

/// A declared thing.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Thing {
    /// Declared in a file. Several definitions are overloads.
    Declared(Class, Vec<DefId>),
    /// `print` or `println`.
    Prelude(Name),
}

/// The names a file declares.
#[derive(Clone, Default, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Names {
    /// By namespace (`""`: the module itself) and name.
    pub scopes: BTreeMap<Name, BTreeMap<Name, Thing>>,
    /// All namespaces, by path.
    pub namespaces: BTreeSet<Name>,
    /// Functions of the file that foreign code can call by their C names.
    pub c_functions: Vec<DefId>,
    /// Functions that are marked `#[test]`.
    pub tests: Vec<DefId>,
}

impl Names {
    /// A declaration.
    pub fn get(&self, namespace: Name, name: Name) -> Option<&Thing> {
        self.scopes.get(&namespace)?.get(&name)
    }
}

/// The names that a file declares or imports one by one, for suggestions.
pub(crate) fn known_names(db: &dyn Db, file: FileId) -> impl Iterator<Item = Name> {
    let declared = names(db, file).scopes.get(&Name::new(""));
    let declared = declared.into_iter().flat_map(|names| names.keys().copied());
    declared.chain(imports(db, file).named.iter().map(|import| import.bound))
}

/// The class of an item that declares a name.
pub(super) fn class(item: &Item) -> Option<Class> {
    Some(match &item.kind {
        _ if item.parent.is_some() || item.name.name.is_empty() => return None,
        ItemKind::Function { foreign: true, .. } => Class::Foreign,
        ItemKind::Function { .. } => Class::Function,
        ItemKind::Struct(_) => Class::Struct,
        ItemKind::Enum(_) => Class::Enum,
        ItemKind::Interface(_) => Class::Interface,
        ItemKind::Typedef(_) => Class::Alias,
        ItemKind::Global(_) => Class::Global,
        ItemKind::Module
        | ItemKind::Use
        | ItemKind::Import(_)
        | ItemKind::ExportList(_)
        | ItemKind::Namespace
        | ItemKind::Impl { .. } => return None,
    })
}

pub(super) fn is_overload(item: &Item) -> bool {
    matches!(&item.kind, ItemKind::Function { signature, .. } if signature.overload)
}

/// A prototype of the language, `int f(int x);`, which declares nothing (`03` §3.3).
fn is_prototype(item: &Item) -> bool {
    matches!(item.kind, ItemKind::Function { has_body: false, foreign: false, .. })
}

/// `extern "C" int f() { … }`.
fn is_c_function(item: &Item) -> bool {
    matches!(&item.kind, ItemKind::Function { signature, has_body: true, .. }
        if signature.extern_c && signature.generics.params.is_empty())
}

/// What foreign code can call, in the files of the program.
pub(super) fn compute_c_functions(db: &dyn Db, _: &Root) -> Vec<DefId> {
    let files = checked_files(db);
    files.flat_map(|file| names(db, file).c_functions.iter().copied()).collect()
}

/// The name that is defined while a program is compiled for its tests.
const TESTING: &str = "__TEST__";

/// The tests of the program, if it is compiled for them.
pub(super) fn compute_tests(db: &dyn Db, _: &Root) -> Vec<DefId> {
    match settings(db, Root).defines.contains(&Name::new(TESTING)) {
        true => checked_files(db).flat_map(|file| names(db, file).tests.iter().copied()).collect(),
        false => Vec::new(),
    }
}

pub(super) fn compute(db: &dyn Db, file: &FileId) -> Names {
    let tree = item_tree(db, *file);
    let mut found = Names::default();
    for entry in &tree.entries {
        let item = &entry.item;
        if !item.namespace.is_empty() {
            found.namespaces.insert(item.namespace);
        }
        if matches!(item.kind, ItemKind::Namespace) {
            found.namespaces.insert(join(item.namespace, &item.name.name));
        }
        let Some(class) = class(item) else { continue };
        if is_prototype(item) {
            continue;
        }
        if item.exported && is_c_function(item) {
            found.c_functions.push(entry.def);
        }
        if item.is_test && class == Class::Function {
            found.tests.push(entry.def);
        }
        let scope = found.scopes.entry(item.namespace).or_default();
        match scope.get_mut(&item.name.name) {
            None => {
                scope.insert(item.name.name, Thing::Declared(class, vec![entry.def]));
            }
            Some(Thing::Declared(Class::Function, defs)) if is_overload(item) => {
                let first = tree.get(defs[0]);
                if first.is_some_and(|first| is_overload(&first.item)) {
                    defs.push(entry.def);
                }
            }
            Some(_) => {}
        }
    }
    found
}

/// What an exported name stands for.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Target {
    /// A declaration of the file itself.
    Thing(Thing),
    /// A namespace.
    Space(Space),
    /// Something of another file: a name in a place.
    Name(Place, Name),
    /// A name in a namespace that the file's imports bind.
    Inside(Space, Name),
}

/// What a file exports.
#[derive(Clone, Default, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Exports {
    /// By namespace in the export table, then by name.
    pub entries: BTreeMap<Name, BTreeMap<Name, Vec<Target>>>,
    /// Places all of whose exports are exported too.
    pub bulk: Vec<Place>,
    /// Wrong export lists.
    pub problems: Vec<(DefId, Problem)>,
}

impl Exports {
    /// There is a namespace of this path.
    pub fn has_group(&self, path: Name) -> bool {
        self.entries
            .range(path..)
            .take_while(|(group, _)| group.starts_with(path.as_str()))
            .any(|(group, _)| *group == path || group[path.len()..].starts_with("::"))
    }

    fn add(&mut self, group: Name, name: Name, target: Target) {
        let targets = self.entries.entry(group).or_default().entry(name).or_default();
        if !targets.contains(&target) {
            targets.push(target);
        }
    }
}

pub(super) fn compute_exports(db: &dyn Db, file: &FileId) -> Exports {
    let (names, imports) = (names(db, *file), imports(db, *file));
    let mut builder = Builder { file: *file, names, imports, exports: Exports::default() };
    for entry in &item_tree(db, *file).entries {
        match &entry.item.kind {
            ItemKind::ExportList(list) => builder.list(entry.def, entry.item.namespace, list),
            ItemKind::Namespace if entry.item.exported => {
                let path = join(entry.item.namespace, &entry.item.name.name);
                builder.exports.entries.entry(path).or_default();
            }
            _ if entry.item.exported && class(&entry.item).is_some() => {
                builder.declaration(entry.def, &entry.item);
            }
            _ => {}
        }
    }
    builder.imported();
    builder.exports
}

struct Builder<'a> {
    file: FileId,
    names: &'a Names,
    imports: &'a Imports,
    exports: Exports,
}

impl Builder<'_> {
    fn declaration(&mut self, def: DefId, item: &Item) {
        let name = item.name.name;
        if name == "main" && item.namespace.is_empty() && class(item) == Some(Class::Function) {
            let problem = Problem::new(item.name.at, "main cannot be exported".to_owned());
            self.exports.problems.push((def, problem));
        } else if let Some(thing) = self.names.get(item.namespace, name) {
            self.exports.add(item.namespace, name, Target::Thing(thing.clone()));
        }
    }

    /// `export import …`.
    fn imported(&mut self) {
        for import in self.imports.named.iter().filter(|import| import.exported) {
            let target = Target::Name(import.place.clone(), import.name);
            self.exports.add(Name::new(""), import.bound, target);
        }
        for (path, sources) in &self.imports.groups {
            if sources.iter().any(|source| source.exported) {
                let first = path.split_once("::").map_or(path.as_str(), |(first, _)| first);
                let space = Space::Imported(self.file, Name::new(first));
                self.exports.add(Name::new(""), Name::new(first), Target::Space(space));
            }
        }
        let bulk = self.imports.bulk.iter().filter(|source| source.exported);
        self.exports.bulk.extend(bulk.map(|source| source.place.clone()));
    }

    fn list(&mut self, def: DefId, namespace: Name, list: &ExportList) {
        if list.from.is_some() {
            let Some(place) = self.imports.from.get(&def) else { return };
            match &list.entries {
                None => self.exports.bulk.push(place.clone()),
                Some(entries) => self.from(namespace, place, entries),
            }
            return;
        }
        for entry in list.entries.iter().flatten() {
            match entry {
                ExportEntry::Name(name) => self.name(def, namespace, namespace, None, name),
                ExportEntry::Nested(path, names) => {
                    let path = Name::from(super::type_text::path(path));
                    for name in names {
                        self.name(def, namespace, join(namespace, &path), Some(path), name);
                    }
                }
            }
        }
    }

    fn from(&mut self, namespace: Name, place: &Place, entries: &[ExportEntry]) {
        for entry in entries {
            let (prefix, names) = match entry {
                ExportEntry::Name(name) => (Vec::new(), std::slice::from_ref(name)),
                ExportEntry::Nested(path, names) => {
                    (path.segments.iter().map(|segment| segment.name).collect(), names.as_slice())
                }
            };
            for name in names {
                let mut place = place.clone();
                place.path.extend(&prefix);
                let group =
                    prefix.iter().fold(namespace, |group, segment| join(group, segment.as_str()));
                let bound = name.alias.unwrap_or(name.name).name;
                self.exports.add(group, bound, Target::Name(place, name.name.name));
            }
        }
    }

    /// An entry of an export list without `from`, to be exported in `group`. `inside`: the path
    /// before it, which may be a namespace that holds it.
    fn name(
        &mut self,
        def: DefId,
        namespace: Name,
        group: Name,
        inside: Option<Name>,
        name: &ImportName,
    ) {
        let bound = name.alias.unwrap_or(name.name).name;
        let targets = self.targets(namespace, inside, name.name.name);
        if targets.is_empty() && !self.imports.poisoned.contains(&name.name.name) {
            let message = format!("Cannot export unknown name '{}'", name.name.name);
            self.exports.problems.push((def, Problem::new(name.name.at, message)));
        }
        for target in targets {
            self.exports.add(group, bound, target);
        }
    }

    fn targets(&self, namespace: Name, inside: Option<Name>, name: Name) -> Vec<Target> {
        let mut targets = Vec::new();
        targets.extend(self.names.get(namespace, name).cloned().map(Target::Thing));
        let own = join(namespace, &name);
        if self.names.namespaces.contains(&own) {
            targets.push(Target::Space(Space::Own(self.file, own)));
        }
        for import in self.imports.named.iter().filter(|import| import.bound == name) {
            targets.push(Target::Name(import.place.clone(), import.name));
        }
        if self.imports.has_group(name) {
            targets.push(Target::Space(Space::Imported(self.file, name)));
        }
        if let (Some(inside), true) = (inside, targets.is_empty()) {
            if self.imports.has_group(inside) {
                targets.push(Target::Inside(Space::Imported(self.file, inside), name));
            }
            targets.extend(self.names.get(inside, name).cloned().map(Target::Thing));
        }
        targets
    }
}

/// The names of an entry of an export list.
pub(super) enum ExportName<'a> {
    Plain(cm_syntax::ast::Ident),
    Nested(&'a [ImportName]),
}

pub(super) fn export_name(entry: &ExportEntry) -> ExportName<'_> {
    match entry {
        ExportEntry::Name(name) => ExportName::Plain(name.name),
        ExportEntry::Nested(_, names) => ExportName::Nested(names),
    }
}
