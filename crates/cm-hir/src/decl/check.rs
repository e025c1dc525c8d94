//! Checks of the declarations of a file.

use super::{
    Class, Found, Item, ItemKind, ItemTree, NamedImport, Problem, Target, alias_info, bounds,
    conform, contains_itself, enum_info, exports, generics_of, global_info, impl_info, imports,
    info, info::already_defined, interface_info, item_tree, lookup, missing, names,
    names::is_overload, signature_info, struct_info, subst::substitute, target,
};
use crate::ty::{GenericArg, Ty, TyKind};
use cm_base::Name;
use cm_db::{Db, DefId, FileId, settings};
use redgreen::Root;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;

pub(super) fn compute(db: &dyn Db, file: &FileId) -> Vec<(DefId, Problem)> {
    let tree = item_tree(db, *file);
    let mut problems = tree.problems.clone();
    problems.extend(imports(db, *file).problems.iter().cloned());
    problems.extend(exports(db, *file).problems.iter().cloned());
    imported_names(db, *file, tree, &mut problems);
    exported_names(db, *file, tree, &mut problems);
    duplicates(db, tree, &mut problems);
    for entry in &tree.entries {
        let mut found = Vec::new();
        definition(db, entry.def, &entry.item, &mut found);
        problems.extend(found.into_iter().map(|problem| (entry.def, problem)));
    }
    if settings(db, Root).root == *file {
        main(db, *file, &mut problems);
    }
    problems.retain(|(_, problem)| !problem.message.is_empty());
    problems
}

/// Names imported one by one: that they are exported there, and nothing else here.
fn imported_names(
    db: &dyn Db,
    file: FileId,
    tree: &ItemTree,
    problems: &mut Vec<(DefId, Problem)>,
) {
    let wrong = missing::wrong_paths(db, file, tree);
    let mut bound: BTreeMap<Name, (Found, &NamedImport)> = BTreeMap::new();
    for import in &imports(db, file).named {
        if wrong.iter().any(|(def, _)| *def == import.def) {
            continue;
        }
        let found = lookup::at(db, &import.place, import.name);
        if found.is_empty() {
            let message = missing::not_exported(db, &import.place, import.name);
            problems.push((import.def, Problem::new(import.at, message)));
            continue;
        }
        let other = bound.entry(import.bound).or_insert_with(|| (found.clone(), import));
        let both = !other.0.things.is_empty() && !found.things.is_empty();
        if both && other.0.things != found.things && !same_things(&other.0, &found) {
            let message = format!("'{}' is imported twice from different modules", import.bound);
            problems.push((import.def, Problem::new(import.at, message)));
        }
    }
    problems.extend(wrong);
    let names = names(db, file);
    let order: FxHashMap<DefId, usize> =
        tree.entries.iter().enumerate().map(|(index, entry)| (entry.def, index)).collect();
    for (name, (found, import)) in &bound {
        let declared = names.get(Name::new(""), *name);
        if let (false, Some(super::Thing::Declared(_, defs))) = (found.things.is_empty(), declared)
        {
            let message = format!("'{name}' is already declared in this module");
            let declaration = defs[0];
            let second = order.get(&declaration) > order.get(&import.def);
            let at = tree.get(declaration).map(|entry| entry.item.name.at);
            problems.push(match at {
                Some(at) if second => (declaration, Problem::new(at, message)),
                _ => (import.def, Problem::new(import.at, message)),
            });
        }
    }
}

/// The same things, found through different modules.
fn same_things(a: &Found, b: &Found) -> bool {
    a.things.iter().map(|(_, thing)| thing).eq(b.things.iter().map(|(_, thing)| thing))
}

/// Names in export lists that other modules should export.
fn exported_names(
    db: &dyn Db,
    file: FileId,
    tree: &ItemTree,
    problems: &mut Vec<(DefId, Problem)>,
) {
    for (def, place) in &imports(db, file).from {
        let Some(entry) = tree.get(*def) else { continue };
        let ItemKind::ExportList(list) = &entry.item.kind else { continue };
        for name in list.entries.iter().flatten() {
            let names::ExportName::Plain(name) = names::export_name(name) else {
                continue;
            };
            if lookup::at(db, place, name.name).is_empty() {
                let message = missing::not_exported(db, place, name.name);
                problems.push((*def, Problem::new(name.at, message)));
            }
        }
    }
    for entries in exports(db, file).entries.values() {
        for target in entries.values().flatten() {
            if let Target::Inside(space, name) = target
                && super::lookup_in(db, super::QualifiedName { space: *space, name: *name })
                    .is_empty()
                && let Some((def, at)) = nested_entry(tree, *name)
            {
                let message = format!("Cannot export unknown name '{name}'");
                problems.push((def, Problem::new(at, message)));
            }
        }
    }
}

fn nested_entry(tree: &ItemTree, name: Name) -> Option<(DefId, cm_base::At)> {
    tree.entries.iter().find_map(|entry| {
        let ItemKind::ExportList(list) = &entry.item.kind else { return None };
        list.entries.iter().flatten().find_map(|export| match names::export_name(export) {
            names::ExportName::Nested(names) => {
                let found = names.iter().find(|found| found.name.name == name)?;
                Some((entry.def, found.name.at))
            }
            names::ExportName::Plain(_) => None,
        })
    })
}

/// Second declarations of a name in one scope.
fn duplicates(db: &dyn Db, tree: &ItemTree, problems: &mut Vec<(DefId, Problem)>) {
    let mut first: FxHashMap<(Name, Name), Vec<DefId>> = FxHashMap::default();
    for entry in &tree.entries {
        let item = &entry.item;
        let Some(class) = names::class(item) else { continue };
        if matches!(item.kind, ItemKind::Function { has_body: false, foreign: false, .. }) {
            continue;
        }
        let known = first.entry((item.namespace, item.name.name)).or_default();
        let problem = match known.first().and_then(|first| tree.get(*first)) {
            None => None,
            Some(other) if names::class(&other.item) == Some(Class::Foreign) => {
                (class != Class::Foreign || !compatible(db, other.def, entry.def))
                    .then(|| foreign_conflict(class, item.name))
            }
            Some(other) if is_overload(&other.item) && is_overload(item) => {
                let same = known.iter().any(|other| same_params(db, *other, entry.def));
                same.then(|| already_defined(item.name))
            }
            Some(_) => Some(already_defined(item.name)),
        };
        problems.extend(problem.map(|problem| {
            let first = known.first().copied().unwrap_or(entry.def);
            (entry.def, problem.note_def(db, first, "first defined here"))
        }));
        known.push(entry.def);
    }
}

fn foreign_conflict(class: Class, name: cm_syntax::ast::Ident) -> Problem {
    match class {
        Class::Foreign => {
            let message = format!("Conflicting declarations of foreign function '{}'", name.name);
            Problem::new(name.at, message)
        }
        _ => already_defined(name),
    }
}

fn same_params(db: &dyn Db, a: DefId, b: DefId) -> bool {
    match (super::signature(db, a), super::signature(db, b)) {
        (Some(a), Some(b)) => {
            a.params.iter().map(|param| param.ty).eq(b.params.iter().map(|param| param.ty))
        }
        _ => false,
    }
}

/// Declarations of one C function agree, but for which pointer and which size type is used.
fn compatible(db: &dyn Db, a: DefId, b: DefId) -> bool {
    let (Some(a), Some(b)) = (super::signature(db, a), super::signature(db, b)) else {
        return true;
    };
    let loose = |a: Ty, b: Ty| match (&*a, &*b) {
        (TyKind::Error, _) | (_, TyKind::Error) => true,
        (TyKind::Int(_), TyKind::Int(_)) => true,
        (a, b) => is_address(a) && is_address(b) || a == b,
    };
    a.params.len() == b.params.len()
        && a.variadic == b.variadic
        && loose(a.ret, b.ret)
        && a.params.iter().zip(&b.params).all(|(a, b)| loose(a.ty, b.ty))
}

fn is_address(ty: &TyKind) -> bool {
    matches!(ty, TyKind::Pointer { .. } | TyKind::Str | TyKind::CStr | TyKind::Function(..))
}

fn definition(db: &dyn Db, def: DefId, item: &Item, problems: &mut Vec<Problem>) {
    bounds::check(db, def, item, problems);
    match &item.kind {
        ItemKind::Struct(node) => {
            let scope = info::bare_scope(def, item);
            let found = struct_info(db, def).as_ref();
            problems.extend(found.into_iter().flat_map(|info| info.problems.iter().cloned()));
            // Bounds are not part of the fields.
            let mut bounds = Vec::new();
            info::params(db, &scope, &node.generics, &node.arena, &mut bounds);
            problems.extend(bounds.into_iter().filter(|bound| !found_in(found, bound)));
            itself(db, def, item, problems);
        }
        ItemKind::Enum(_) => {
            let found = enum_info(db, def).as_ref();
            problems.extend(found.into_iter().flat_map(|info| info.problems.iter().cloned()));
            itself(db, def, item, problems);
        }
        ItemKind::Interface(node) => {
            let scope = info::bare_scope(def, item);
            info::params(db, &scope, &node.generics, &node.arena, problems);
            let found = interface_info(db, def).as_ref();
            problems.extend(found.into_iter().flat_map(|info| info.problems.iter().cloned()));
        }
        ItemKind::Typedef(_) => problems.extend(alias_info(db, def).problems.iter().cloned()),
        ItemKind::Global(_) => {
            let found = global_info(db, def).as_ref();
            problems.extend(found.into_iter().flat_map(|info| info.problems.iter().cloned()));
        }
        ItemKind::Function { signature, .. } => {
            if signature.is_async
                && let Some(message) = target::async_problem(settings(db, Root).platform)
            {
                problems.push(Problem::new(item.name.at, message.to_owned()));
            }
            if item.is_test && !is_runnable(db, def) {
                let message =
                    "A test takes no parameters and returns nothing, int or bool".to_owned();
                problems.push(Problem::new(item.name.at, message));
            }
            if let Some(info) = signature_info(db, def) {
                bounds::check_signature(db, item, &info.signature, problems);
                problems.extend(info.problems.iter().cloned());
            }
            conform::member(db, def, item, problems);
        }
        ItemKind::Impl { members, .. } => {
            let found = impl_info(db, def).as_ref();
            problems.extend(found.into_iter().flat_map(|info| info.problems.iter().cloned()));
            conform::block(db, def, item, members, problems);
        }
        ItemKind::Module
        | ItemKind::Use
        | ItemKind::Import(_)
        | ItemKind::ExportList(_)
        | ItemKind::Namespace => {}
    }
}

/// Whether a function can be called as a test.
fn is_runnable(db: &dyn Db, def: DefId) -> bool {
    let Some(signature) = super::signature(db, def) else { return true };
    let ret = matches!(
        *signature.ret,
        TyKind::Void | TyKind::Bool | TyKind::Error | TyKind::Int(crate::ty::IntTy::Int)
    );
    ret && signature.params.is_empty() && signature.generics.is_empty() && !signature.has_self
}

fn found_in(info: Option<&std::sync::Arc<info::StructInfo>>, problem: &Problem) -> bool {
    info.is_some_and(|info| info.problems.contains(problem))
}

fn itself(db: &dyn Db, def: DefId, item: &Item, problems: &mut Vec<Problem>) {
    if *contains_itself(db, def) {
        let word = if matches!(item.kind, ItemKind::Struct(_)) { "Struct" } else { "Enum" };
        let message = format!("{word} '{}' contains itself", item.name.name);
        problems.push(Problem::new(item.name.at, message));
    }
}

/// More instances of one generic type than this inside a type mean that it grows without end.
const DEEPEST: u32 = 64;

pub(super) fn compute_contains_itself(db: &dyn Db, start: &DefId) -> bool {
    if !super::cyclic(db, Root).contains(&super::Need::Layout(*start)) {
        return false;
    }
    let mut pending = held(db, *start, &identity_args(db, *start));
    let mut seen: FxHashSet<Ty> = FxHashSet::default();
    let mut counts: FxHashMap<DefId, u32> = FxHashMap::default();
    while let Some(ty) = pending.pop() {
        match &*ty {
            TyKind::Struct(def, _) | TyKind::Enum(def, _) if def == start => return true,
            TyKind::Struct(def, args) | TyKind::Enum(def, args) => {
                let count = counts.entry(*def).or_default();
                *count += 1;
                if *count < DEEPEST && seen.insert(ty) {
                    pending.extend(held(db, *def, args));
                }
            }
            TyKind::Array(of, _) | TyKind::ArrayParam(of, _) => pending.push(*of),
            TyKind::Union(members) => pending.extend(members),
            _ => {}
        }
    }
    false
}

fn identity_args(db: &dyn Db, def: DefId) -> Vec<GenericArg> {
    super::types::identity(generics_of(db, def)).into_iter().map(|(_, arg)| arg).collect()
}

/// The types of what a struct or enum holds.
fn held(db: &dyn Db, def: DefId, args: &[GenericArg]) -> Vec<Ty> {
    let generics = super::interfaces::bindings(db, def, args);
    let mut types: Vec<Ty> = Vec::new();
    if let Some(info) = struct_info(db, def) {
        types.extend(info.fields.iter().map(|field| substitute(field.ty, &generics)));
    }
    if let Some(info) = enum_info(db, def) {
        let payloads = info.variants.iter().filter_map(|variant| variant.payload);
        types.extend(payloads.map(|payload| substitute(payload, &generics)));
    }
    types
}

/// The entry point takes nothing and returns `int` or nothing.
fn main(db: &dyn Db, file: FileId, problems: &mut Vec<(DefId, Problem)>) {
    let Some(super::Thing::Declared(Class::Function, defs)) =
        names(db, file).get(Name::new(""), Name::new("main"))
    else {
        return;
    };
    let def = defs[0];
    let (Some(signature), Some(item)) = (super::signature(db, def), super::item(db, def)) else {
        return;
    };
    let at = item.name.at;
    let ret =
        matches!(*signature.ret, TyKind::Void | TyKind::Error | TyKind::Int(crate::ty::IntTy::Int));
    let message = match signature {
        signature if !signature.generics.is_empty() => "main cannot be generic",
        signature if !signature.params.is_empty() => "main takes no parameters",
        _ if !ret => "main must return int or void",
        _ => return,
    };
    problems.push((def, Problem::new(at, message.to_owned())));
}
