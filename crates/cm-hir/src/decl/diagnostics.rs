//! Putting diagnostics together. Problems say where they are relative to their item; positions
//! are read only if there is something to show.

use super::{
    Entry, ItemKind, Problem, file_body_problems, file_instances, file_problems, generic_problems,
    graph::{self, ModuleGraph, file_text},
    has_syntax_errors, imports, item_tree, module_graph, signature,
    wounds::Wounds,
};
use crate::{
    body_findings, files, global_problems,
    thir::{Instance, InstanceKind},
    ty,
};
use cm_base::{At, Diagnostic, FileText, Note, Severity, SpanTable, TextRange};
use cm_db::{Db, DefId, FileId, parse, settings, source};
use redgreen::Root;
use std::{collections::BTreeSet, sync::Arc};

pub(super) fn compute_has_syntax_errors(db: &dyn Db, file: &FileId) -> bool {
    !parse(db, *file).errors.is_empty()
}

pub(super) fn compute_bodies(db: &dyn Db, file: &FileId) -> Vec<(DefId, Problem)> {
    let mut found = Vec::new();
    for entry in &item_tree(db, *file).entries {
        let problems = match entry.item.kind {
            ItemKind::Function { has_body: true, .. } => {
                let opaque = || crate::body::opaque_instance(signature(db, entry.def)?, entry.def);
                match plain_instance(db, entry).or_else(opaque) {
                    Some(instance) => &body_findings(db, instance).problems,
                    None => continue,
                }
            }
            ItemKind::Global(_) => global_problems(db, entry.def),
            _ => continue,
        };
        found.extend(problems.iter().map(|problem| (entry.def, problem.clone())));
    }
    found
}

pub(super) fn compute_instances(db: &dyn Db, file: &FileId) -> Vec<Instance> {
    let mut found = BTreeSet::new();
    for entry in &item_tree(db, *file).entries {
        if let ItemKind::Function { has_body: true, .. } = entry.item.kind
            && let Some(instance) = plain_instance(db, entry)
        {
            found.extend(body_findings(db, instance).instances.iter().cloned());
        }
    }
    found.into_iter().collect()
}

/// The instance of a function that is not generic.
fn plain_instance(db: &dyn Db, entry: &Entry) -> Option<Instance> {
    let def = entry.def;
    let plain = match &entry.item.kind {
        // Known without its types.
        ItemKind::Function { signature, .. } if entry.item.parent.is_none() => {
            signature.generics.params.is_empty()
        }
        _ => signature(db, def)?.generics.is_empty(),
    };
    plain.then(|| Instance { def, kind: InstanceKind::Source, args: Vec::new() })
}

/// What is wrong with the generic instances that files reach, without following those into files
/// that are not shown.
pub(super) fn compute_generic_problems(db: &dyn Db, _: &Root) -> Vec<(DefId, Problem)> {
    let mut pending: Vec<Instance> = Vec::new();
    for file in checked_files(db) {
        pending.extend(file_instances(db, file).iter().cloned());
    }
    let mut seen: BTreeSet<Instance> = pending.iter().cloned().collect();
    let mut found = Vec::new();
    while let Some(instance) = pending.pop() {
        if ty::seems_endless(&instance.args) {
            let at = super::item(db, instance.def).as_ref().map_or(At(0), |item| item.at);
            let message = "Infinite instantiation of a generic function".to_owned();
            found.push((instance.def, Problem::new(at, message)));
            continue;
        }
        let findings = body_findings(db, instance.clone());
        let problems = findings.problems.iter();
        found.extend(problems.map(|problem| (instance.def, problem.clone())));
        for next in &findings.instances {
            if seen.insert(next.clone()) {
                pending.push(next.clone());
            }
        }
    }
    found.sort_by(|a, b| (a.0, a.1.at, &a.1.message).cmp(&(b.0, b.1.at, &b.1.message)));
    found.dedup();
    found
}

/// The files all of whose functions are checked. The bundled library has its own tests: of its files a
/// program is concerned with the instances that it reaches.
pub fn checked_files(db: &dyn Db) -> impl Iterator<Item = FileId> {
    let root = settings(db, Root).root;
    files(db, Root).iter().copied().filter(move |file| root.is_library() || !file.is_library())
}

/// The positions of the nodes of a definition. Depends on the text of its file.
pub fn positions(db: &dyn Db, def: DefId) -> Option<Arc<SpanTable>> {
    // The tree's fingerprint does not see positions: only with the text is the answer current.
    source(db, def.file);
    let entry = item_tree(db, def.file).get(def)?;
    item_tree::find(parse(db, def.file), &entry.location).map(|item| item.positions.0.clone())
}

/// That there is no `main`, for commands that need one.
pub fn missing_entry(db: &dyn Db) -> Option<Diagnostic> {
    if crate::entry(db, Root).is_some() {
        return None;
    }
    let root = settings(db, Root).root;
    Some(Diagnostic {
        file: root.0,
        range: TextRange::default().into(),
        severity: Severity::Error,
        message: "Entry point 'main' not found".to_owned(),
        notes: Vec::new(),
    })
}

pub(super) fn compute(db: &dyn Db) -> Vec<Diagnostic> {
    let graph = module_graph(db, Root);
    let files = files(db, Root);
    let broken = broken_files(db, files);
    let wounds = Wounds::find(db, &broken);
    let doubtful = dependents(db, files, &broken);
    // Instances of files that do not parse would be checked with half of their functions.
    let generic = if broken.is_empty() { generic_problems(db, Root).as_slice() } else { &[] };
    let checked: BTreeSet<FileId> = checked_files(db).collect();
    let mut all = Vec::new();
    // The methods of arrays are in a file that nobody imports.
    let unseen: BTreeSet<FileId> = generic.iter().map(|(def, _)| def.file).collect();
    let unseen = unseen.iter().filter(|file| !files.contains(file));
    for file in unseen.chain(files) {
        let mut found = Vec::new();
        if broken.contains(file) {
            found.extend(syntax_errors(db, *file));
        }
        let mut problems: Vec<&(DefId, Problem)> = Vec::new();
        if checked.contains(file) {
            problems.extend(file_problems(db, *file));
            problems.extend(file_body_problems(db, *file));
        }
        // What does not parse may hide the declarations of names.
        problems.retain(|(def, problem)| {
            !doubtful.contains(file)
                || !crate::body::concerns_names(&problem.message) && !wounds.concern(db, *def)
        });
        problems.extend(generic.iter().filter(|(def, _)| def.file == *file));
        found.extend(problems.into_iter().filter_map(|(def, found)| problem(db, *def, found)));
        found.retain(|diagnostic| !diagnostic.message.is_empty());
        let circles = graph.cycles.iter().filter(|cycle| cycle.def.file == *file);
        let circles: Vec<_> = circles.filter_map(|cycle| circle(db, graph, cycle)).collect();
        if found.is_empty() && circles.is_empty() {
            continue;
        }
        found.sort_by(|a, b| (a.range, &a.message).cmp(&(b.range, &b.message)));
        found.dedup();
        let notes = imported_here(db, graph, *file);
        for diagnostic in &mut found {
            diagnostic.notes.extend(notes.iter().cloned());
        }
        found.extend(circles);
        found.sort_by(|a, b| (a.range, &a.message).cmp(&(b.range, &b.message)));
        all.extend(found);
    }
    all
}

/// Files that do not parse, or cannot be read.
fn broken_files(db: &dyn Db, files: &[FileId]) -> BTreeSet<FileId> {
    files.iter().filter(|file| *has_syntax_errors(db, **file)).copied().collect()
}

/// Files whose other errors may follow from those of broken files: these and all that import them.
fn dependents(db: &dyn Db, files: &[FileId], broken: &BTreeSet<FileId>) -> BTreeSet<FileId> {
    let mut found = broken.clone();
    if broken.is_empty() {
        return found;
    }
    for file in files {
        if imports(db, *file).edges.iter().any(|edge| found.contains(&edge.file)) {
            found.insert(*file);
        }
    }
    found
}

fn syntax_errors(db: &dyn Db, file: FileId) -> Vec<Diagnostic> {
    // As in [`positions`].
    source(db, file);
    let tree = parse(db, file);
    let range = |at| tree.positions.0.get(at);
    tree.errors.iter().map(|found| error(file, range(found.at), found.message.clone())).collect()
}

fn error(file: FileId, range: TextRange, message: String) -> Diagnostic {
    let (severity, range, notes) = (Severity::Error, range.into(), Vec::new());
    Diagnostic { file: file.0, range, severity, message, notes }
}

fn diagnostic(db: &dyn Db, def: DefId, at: At, message: String) -> Option<Diagnostic> {
    Some(error(def.file, positions(db, def)?.get(at), message))
}

fn problem(db: &dyn Db, def: DefId, problem: &Problem) -> Option<Diagnostic> {
    let mut found = diagnostic(db, def, problem.at, problem.message.clone())?;
    found.severity = problem.severity;
    if let Some(part) = problem.part
        && let Some(part) = positions(db, def).map(|positions| positions.get(part))
        && let FileText::Text(text) = source(db, def.file)
        && let Some(before) = text.get(found.range.start as usize..part.start().into())
        && !before.contains('\n')
    {
        found.range = part.into();
    }
    for part in &problem.notes {
        found.notes.extend(note(db, part.def.unwrap_or(def), part.at, &part.message));
    }
    Some(found)
}

fn circle(db: &dyn Db, graph: &ModuleGraph, cycle: &graph::ImportCycle) -> Option<Diagnostic> {
    let mut names: Vec<String> = cycle.chain.iter().map(|(file, ..)| file_text(*file)).collect();
    names.extend(names.first().cloned());
    let message = format!("Circular dependency detected: {}", names.join(" -> "));
    let mut found = diagnostic(db, cycle.def, cycle.at, message)?;
    for (_, def, at) in cycle.chain.iter().filter(|(_, def, _)| *def != cycle.def) {
        found.notes.extend(note(db, *def, *at, "imported here"));
    }
    let (first, ..) = cycle.chain.first()?;
    found.notes.extend(imported_here(db, graph, *first));
    Some(found)
}

/// The comment before a declaration, without comment marks. Depends on the text of its file, since
/// a comment changes no tree.
pub fn documentation(db: &dyn Db, def: DefId) -> Option<Box<str>> {
    source(db, def.file);
    let entry = item_tree(db, def.file).get(def)?;
    item_tree::find(parse(db, def.file), &entry.location)?.doc.0.clone()
}

fn note(db: &dyn Db, def: DefId, at: At, message: &str) -> Option<Note> {
    let range = positions(db, def)?.get(at);
    Some(Note { file: def.file.0, range: range.into(), message: message.to_owned() })
}

/// The imports that lead to a file, up to the root.
fn imported_here(db: &dyn Db, graph: &ModuleGraph, file: FileId) -> Vec<Note> {
    let chain = graph::import_chain(graph, file);
    chain.into_iter().filter_map(|(def, at)| note(db, def, at, "imported here")).collect()
}
