//! The graphs that queries must not follow into a circle: files that import one another, and
//! aliases and constants that refer to one another.

use super::{
    Class, ItemKind, Resolution, Thing, TypeDef, imports, info::bare_scope, item, names, needs,
    paths, references, resolve,
};
use crate::files;
use cm_base::At;
use cm_db::{Db, DefId, FileId, settings};
use cm_syntax::ast::{Arena, ArrayLen, ExprKind, Path, TypeArg, TypeId, TypeKind, TypedefKind};
use redgreen::Root;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// An import that closes a circle.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct ImportCycle {
    /// The import.
    pub def: DefId,
    /// The path in it.
    pub at: At,
    /// The circle: from the imported file to the importing one, each with the import in it that
    /// leads on.
    pub chain: Vec<(FileId, DefId, At)>,
}

/// The files of the program.
#[derive(Clone, Default, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct ModuleGraph {
    /// Dependencies first, the root last.
    pub files: Vec<FileId>,
    /// Circles.
    pub cycles: Vec<ImportCycle>,
    /// The import through which each file but the root was reached first.
    pub importers: BTreeMap<FileId, (DefId, At)>,
}

/// A file being visited, and the next of its imports.
struct Visit {
    file: FileId,
    next: usize,
}

pub(super) fn compute_modules(db: &dyn Db, _: &Root) -> Arc<ModuleGraph> {
    let root = settings(db, Root).root;
    let mut graph = ModuleGraph::default();
    let mut seen: BTreeSet<FileId> = [root].into();
    let mut stack = vec![Visit { file: root, next: 0 }];
    let mut depth: FxHashMap<FileId, usize> = [(root, 0)].into_iter().collect();
    while let Some(visit) = stack.last_mut() {
        let edges = &imports(db, visit.file).edges;
        let Some(edge) = edges.get(visit.next) else {
            depth.remove(&visit.file);
            graph.files.push(visit.file);
            stack.pop();
            continue;
        };
        visit.next += 1;
        if let Some(start) = depth.get(&edge.file) {
            let chain = stack[*start..].iter().map(|visit| {
                let edge = &imports(db, visit.file).edges[visit.next - 1];
                (visit.file, edge.def, edge.at)
            });
            let chain = chain.collect();
            graph.cycles.push(ImportCycle { def: edge.def, at: edge.at, chain });
        } else if seen.insert(edge.file) {
            graph.importers.insert(edge.file, (edge.def, edge.at));
            depth.insert(edge.file, stack.len());
            stack.push(Visit { file: edge.file, next: 0 });
        }
    }
    Arc::new(graph)
}

/// A file and all the imports through which it is reached first, from the file to the root.
pub(super) fn import_chain(graph: &ModuleGraph, file: FileId) -> Vec<(DefId, At)> {
    let mut chain = Vec::new();
    let mut file = file;
    while let Some((def, at)) = graph.importers.get(&file) {
        chain.push((*def, *at));
        file = def.file;
    }
    chain
}

/// The display form of a file in messages.
pub(super) fn file_text(file: FileId) -> String {
    format!("{file}.cm")
}

// ---------------------------------------------------------------- references

/// What a definition needs of another to be computed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Need {
    /// The value of a global, or the type behind an alias.
    Definition(DefId),
    /// The layout of a struct, enum or alias: that of everything it holds by value.
    Layout(DefId),
}

impl std::fmt::Display for Need {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Need::Definition(def) => def.fmt(f),
            Need::Layout(def) => write!(f, "layout of {def}"),
        }
    }
}

pub(super) fn compute_references(db: &dyn Db, need: &Need) -> Vec<Need> {
    let (Need::Definition(def) | Need::Layout(def)) = *need;
    let Some(item) = item(db, def) else { return Vec::new() };
    let scope = bare_scope(def, item);
    let mut found = References { db, scope, needs: BTreeSet::new() };
    match (&item.kind, need) {
        (ItemKind::Global(node), _) => {
            found.mentions(&node.arena);
            found.expressions(&node.arena);
        }
        (ItemKind::Typedef(node), Need::Definition(_)) => found.mentions(&node.arena),
        (ItemKind::Typedef(node), Need::Layout(_)) => {
            found.needs.insert(Need::Definition(def));
            if let TypedefKind::Type(ty) = node.kind {
                found.held(&node.arena, ty);
            }
        }
        (ItemKind::Struct(node), _) => {
            found.mentions(&node.arena);
            node.fields.iter().for_each(|field| found.held(&node.arena, field.ty));
        }
        (ItemKind::Enum(node), _) => {
            found.mentions(&node.arena);
            for payload in node.variants.iter().filter_map(|variant| variant.payload) {
                found.held(&node.arena, payload);
            }
        }
        _ => {}
    }
    found.needs.into_iter().collect()
}

struct References<'a> {
    db: &'a dyn Db,
    scope: super::Scope,
    needs: BTreeSet<Need>,
}

impl References<'_> {
    /// Aliases, and constants in array lengths and type arguments.
    fn mentions(&mut self, arena: &Arena) {
        for ty in &arena.types {
            match &ty.kind {
                TypeKind::Path(path, args) => {
                    if let Some(TypeDef::Alias(def)) = self.ty(path) {
                        self.needs.insert(Need::Definition(def));
                    }
                    for arg in args {
                        if let TypeArg::Type(arg) = arg
                            && let TypeKind::Path(path, _) = &arena[*arg].kind
                        {
                            self.global(path);
                        }
                    }
                }
                TypeKind::Array(_, ArrayLen::Named(name)) => {
                    self.global(&Path::from(*name));
                }
                _ => {}
            }
        }
    }

    /// What the expressions and the types of an initializer need.
    fn expressions(&mut self, arena: &Arena) {
        for expr in &arena.exprs {
            if let ExprKind::Path(path, _) = &expr.kind {
                self.global(path);
            }
        }
        for ty in &arena.types {
            if let TypeKind::Path(path, _) = &ty.kind {
                self.layout(path);
                // The operand of `sizeof` may be a variable.
                self.global(path);
            }
        }
    }

    /// What a value of a type holds in itself.
    fn held(&mut self, arena: &Arena, ty: TypeId) {
        stacker::maybe_grow(32 * 1024, 1024 * 1024, || match &arena[ty].kind {
            TypeKind::Path(path, args) => {
                self.layout(path);
                for arg in args {
                    if let TypeArg::Type(arg) = arg {
                        self.held(arena, *arg);
                    }
                }
            }
            TypeKind::Const(inner) | TypeKind::Array(inner, _) => self.held(arena, *inner),
            TypeKind::Union(members) => members.iter().for_each(|ty| self.held(arena, *ty)),
            _ => {}
        });
    }

    fn ty(&self, path: &Path) -> Option<TypeDef> {
        match resolve::ty(self.db, &self.scope, path) {
            Ok(Resolution::Type(def)) => Some(def),
            _ => None,
        }
    }

    fn global(&mut self, path: &Path) {
        let found = resolve::value(self.db, &self.scope, path, resolve::Aliases::Keep);
        if let Ok(Resolution::Global(def)) = found {
            self.needs.insert(Need::Definition(def));
        }
    }

    fn layout(&mut self, path: &Path) {
        if let Some(TypeDef::Struct(def) | TypeDef::Enum(def) | TypeDef::Alias(def)) = self.ty(path)
        {
            self.needs.insert(Need::Layout(def));
        }
    }
}

/// What can need itself in a file.
pub(super) fn compute_needs(db: &dyn Db, file: &FileId) -> Vec<Need> {
    let things = names(db, *file).scopes.values().flat_map(|scope| scope.values());
    let need = |thing: &Thing| match thing {
        Thing::Declared(Class::Global | Class::Alias, defs) => Some(Need::Definition(defs[0])),
        Thing::Declared(Class::Struct | Class::Enum, defs) => Some(Need::Layout(defs[0])),
        _ => None,
    };
    things.filter_map(need).collect()
}

/// What needs itself. Of layouts it is a superset: an argument of a generic type counts as held.
pub(super) fn compute_cyclic(db: &dyn Db, _: &Root) -> Arc<BTreeSet<Need>> {
    let mut components = Components::new(db);
    for need in files(db, Root).iter().flat_map(|file| needs(db, *file)) {
        components.visit(*need);
    }
    Arc::new(components.cyclic)
}

/// Strongly connected components, by Tarjan, without recursion.
struct Components<'a> {
    db: &'a dyn Db,
    /// Order of the first visit, and the earliest node on the stack that is reachable.
    numbers: FxHashMap<Need, (usize, usize)>,
    /// Nodes whose component is open.
    open: Vec<Need>,
    is_open: BTreeSet<Need>,
    cyclic: BTreeSet<Need>,
}

impl<'a> Components<'a> {
    fn new(db: &'a dyn Db) -> Self {
        Components {
            db,
            numbers: FxHashMap::default(),
            open: Vec::new(),
            is_open: BTreeSet::new(),
            cyclic: BTreeSet::new(),
        }
    }

    fn visit(&mut self, start: Need) {
        if self.numbers.contains_key(&start) {
            return;
        }
        let mut stack = vec![(start, 0)];
        self.enter(start);
        while let Some((node, next)) = stack.last_mut() {
            let node = *node;
            let Some(target) = references(self.db, node).get(*next).copied() else {
                stack.pop();
                self.leave(node, stack.last().map(|(parent, _)| *parent));
                continue;
            };
            *next += 1;
            if target == node {
                self.mark(node);
            } else if let Some((number, _)) = self.numbers.get(&target).copied() {
                if self.is_open.contains(&target) {
                    self.lower(node, number);
                }
            } else {
                self.enter(target);
                stack.push((target, 0));
            }
        }
    }

    fn enter(&mut self, node: Need) {
        let number = self.numbers.len();
        self.numbers.insert(node, (number, number));
        self.open.push(node);
        self.is_open.insert(node);
    }

    fn lower(&mut self, node: Need, low: usize) {
        if let Some((_, lowest)) = self.numbers.get_mut(&node) {
            *lowest = low.min(*lowest);
        }
    }

    fn leave(&mut self, node: Need, parent: Option<Need>) {
        let (number, low) = self.numbers[&node];
        if let Some(parent) = parent {
            self.lower(parent, low);
        }
        if number != low {
            return;
        }
        let start = self.open.iter().rposition(|open| *open == node).unwrap_or_default();
        let component = self.open.split_off(start);
        for member in &component {
            self.is_open.remove(member);
            if component.len() > 1 {
                self.mark(*member);
            }
        }
    }

    fn mark(&mut self, node: Need) {
        self.cyclic.insert(node);
    }
}

pub(super) fn compute_in_cycle(db: &dyn Db, def: &DefId) -> bool {
    super::cyclic(db, Root).contains(&Need::Definition(*def))
}

/// The module a file is, in messages.
pub(super) fn module_text(file: FileId) -> &'static str {
    paths::module_name(file)
}
