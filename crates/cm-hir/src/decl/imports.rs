//! What the imports of a file bind, as far as the file itself and the existence of other files
//! tell. Whether a name is exported there is for look-up: nothing here reads another file, so that
//! files that import each other are no cycle of queries.

use super::{ItemKind, Problem, item_tree, item_tree::join, paths, target};
use cm_base::{At, Name};
use cm_db::{Db, DefId, FileId, canonical, listing, settings};
use cm_syntax::ast::{ExportList, Import, ImportNames, ImportPath};
use redgreen::Root;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A module, or a namespace in one.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Place {
    /// The file.
    pub file: FileId,
    /// Names to follow in its exports.
    pub path: Vec<Name>,
}

/// An import of one name.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct NamedImport {
    /// The name here.
    pub bound: Name,
    /// Where it stands.
    pub at: At,
    /// The import.
    pub def: DefId,
    /// Where it is from.
    pub place: Place,
    /// The name there.
    pub name: Name,
    /// It is re-exported.
    pub exported: bool,
}

/// A dependency on a file.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Edge {
    /// The file.
    pub file: FileId,
    /// The import.
    pub def: DefId,
    /// The path in it.
    pub at: At,
}

/// Namespaces, or names, that come from a place.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Source {
    /// The import.
    pub def: DefId,
    /// Where from.
    pub place: Place,
    /// They are re-exported.
    pub exported: bool,
}

/// The imports of a file.
#[derive(Clone, Default, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Imports {
    /// Files it depends on, in order.
    pub edges: Vec<Edge>,
    /// Names bound one by one.
    pub named: Vec<NamedImport>,
    /// Namespaces (`x`, `x::y`) and what they show.
    pub groups: BTreeMap<Name, Vec<Source>>,
    /// Whose names are bound in bulk.
    pub bulk: Vec<Source>,
    /// Where `export … from` lists take names from.
    pub from: BTreeMap<DefId, Place>,
    /// Names bound by imports that failed: their uses are not reported again.
    pub poisoned: BTreeSet<Name>,
    /// Some bulk import failed, so that any unknown name may be its.
    pub broken: bool,
    /// Imports that failed.
    pub problems: Vec<(DefId, Problem)>,
}

pub(super) fn compute(db: &dyn Db, file: &FileId) -> Imports {
    let mut builder = Builder { db, file: *file, imports: Imports::default() };
    for entry in &item_tree(db, *file).entries {
        match &entry.item.kind {
            ItemKind::Import(import) => builder.import(entry.def, import, entry.item.exported),
            ItemKind::ExportList(list) => builder.export_list(entry.def, list),
            _ => {}
        }
    }
    builder.imports
}

struct Builder<'a> {
    db: &'a dyn Db,
    file: FileId,
    imports: Imports,
}

impl Builder<'_> {
    fn import(&mut self, def: DefId, import: &Import, exported: bool) {
        if let ImportNames::Directory(only) = &import.names {
            let only = only.as_ref().map(|names| names.iter().map(|n| n.name.name).collect());
            return self.directory(def, &import.path, only, exported);
        }
        let Some(place) = self.place(def, &import.path) else { return self.failed(import) };
        if !gives_prelude_alone(&place, &import.names) {
            self.depend(&place, def, &import.path);
        }
        match &import.names {
            ImportNames::Plain | ImportNames::Alias(_) => {
                let alias = match import.names {
                    ImportNames::Alias(alias) => Some(alias),
                    _ => None,
                };
                self.whole(def, &import.path, place, alias.map(|alias| alias.name), exported);
            }
            ImportNames::List(names) => {
                for name in names {
                    let bound = name.alias.unwrap_or(name.name).name;
                    let (at, name, place) = (name.name.at, name.name.name, place.clone());
                    self.imports.named.push(NamedImport { bound, at, def, place, name, exported });
                }
            }
            ImportNames::Wildcard => self.imports.bulk.push(Source { def, place, exported }),
            ImportNames::Directory(_) => {}
        }
    }

    /// `import P;`, `import P as x;`.
    fn whole(
        &mut self,
        def: DefId,
        path: &ImportPath,
        place: Place,
        alias: Option<Name>,
        exported: bool,
    ) {
        let source = Source { def, place, exported };
        if let Some((name, path_before)) = source.place.path.split_last() {
            let at = path.segments.last().map_or(path.at, |segment| segment.at);
            let place = Place { file: source.place.file, path: path_before.to_vec() };
            let (bound, name) = (alias.unwrap_or(*name), *name);
            self.imports.named.push(NamedImport { bound, at, def, place, name, exported });
        } else {
            let name = alias.unwrap_or_else(|| written_name(path, source.place.file));
            self.imports.groups.entry(name).or_default().push(source.clone());
        }
        if alias.is_none() {
            self.imports.bulk.push(source);
        }
    }

    fn directory(
        &mut self,
        def: DefId,
        path: &ImportPath,
        only: Option<BTreeSet<Name>>,
        exported: bool,
    ) {
        let part = path.file.unwrap_or(Name::new("."));
        let directory = paths::relative(self.file, &part);
        let Some(files) = listing(self.db, FileId(Name::new(&directory))) else {
            self.imports.broken = true;
            return self.problem(def, path, format!("Directory not found: {part}"));
        };
        for relative in files {
            let name = if directory.is_empty() {
                *relative
            } else {
                Name::from(format!("{directory}/{relative}"))
            };
            let file = *canonical(self.db, FileId(name));
            let (folder, stem) = relative.rsplit_once('/').unwrap_or(("", relative));
            let wanted = only.as_ref().is_none_or(|only| only.contains(&Name::new(stem)));
            if file == self.file || !wanted {
                continue;
            }
            self.imports.edges.push(Edge { file, def, at: path.at });
            let group = if folder.is_empty() { stem.to_owned() } else { folder.replace('/', "::") };
            let source = Source { def, place: Place { file, path: Vec::new() }, exported };
            self.imports.groups.entry(Name::from(group)).or_default().push(source.clone());
            self.imports.bulk.push(source);
        }
    }

    fn export_list(&mut self, def: DefId, list: &ExportList) {
        let Some(path) = &list.from else { return };
        match self.place(def, path) {
            Some(place) => {
                self.depend(&place, def, path);
                self.imports.from.insert(def, place);
            }
            None => self.imports.broken = true,
        }
    }

    fn place(&mut self, def: DefId, path: &ImportPath) -> Option<Place> {
        if path.file.is_none()
            && let platform = settings(self.db, Root).platform
            && let Some(message) = target::unavailable(&path.segments, platform)
        {
            self.problem(def, path, message);
            return None;
        }
        let Some((file, used)) = paths::resolve(self.db, self.file, path) else {
            self.problem(def, path, format!("Module not found: {}", paths::text(path)));
            return None;
        };
        let path = path.segments[used.min(path.segments.len())..].iter();
        Some(Place { file, path: path.map(|segment| segment.name).collect() })
    }

    fn depend(&mut self, place: &Place, def: DefId, path: &ImportPath) {
        if !paths::has_prelude(place.file) || *cm_db::exists(self.db, place.file) {
            self.imports.edges.push(Edge { file: place.file, def, at: path.at });
        }
    }

    fn problem(&mut self, def: DefId, path: &ImportPath, message: String) {
        self.imports.problems.push((def, Problem::new(path.at, message)));
    }

    /// Remembers what a failed import would have bound.
    fn failed(&mut self, import: &Import) {
        let poisoned = &mut self.imports.poisoned;
        match &import.names {
            ImportNames::List(names) => {
                poisoned.extend(names.iter().map(|name| name.alias.unwrap_or(name.name).name));
            }
            ImportNames::Alias(alias) => {
                poisoned.insert(alias.name);
            }
            ImportNames::Plain => {
                let last = import.path.segments.last().map(|segment| segment.name);
                let file = import.path.file.map(|part| Name::new(last_component(&part)));
                poisoned.extend(last.or(file));
                self.imports.broken = true;
            }
            ImportNames::Wildcard | ImportNames::Directory(_) => self.imports.broken = true,
        }
    }
}

/// An import of nothing but `print` and `println`, for which no file is read.
fn gives_prelude_alone(place: &Place, names: &ImportNames) -> bool {
    paths::has_prelude(place.file)
        && match (names, place.path.as_slice()) {
            (ImportNames::Plain | ImportNames::Alias(_), [name]) => paths::is_prelude(*name),
            (ImportNames::List(names), []) => {
                names.iter().all(|name| paths::is_prelude(name.name.name))
            }
            _ => false,
        }
}

/// The namespace of `import P;`: the last component as written.
fn written_name(path: &ImportPath, file: FileId) -> Name {
    match (path.segments.last(), path.file) {
        (Some(segment), _) => segment.name,
        (None, Some(part)) => Name::new(last_component(&part)),
        (None, None) => Name::new(paths::module_name(file)),
    }
}

fn last_component(part: &str) -> &str {
    part.rsplit('/').next().unwrap_or(part)
}

impl Imports {
    /// The namespace of this name that imports bind begins here.
    pub fn has_group(&self, path: Name) -> bool {
        let prefix = join(path, "");
        self.groups.contains_key(&prefix)
            || self
                .groups
                .range(prefix..)
                .take_while(|(name, _)| name.starts_with(prefix.as_str()))
                .any(|(name, _)| name[prefix.len()..].starts_with("::"))
    }
}
