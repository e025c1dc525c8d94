//! Putting diagnostics together. Problems say where they are relative to their item; positions
//! are read only if there is something to show.

use super::{
    Problem, file_body_problems, file_problems,
    graph::{self, ModuleGraph, file_text},
    has_syntax_errors, imports, item_tree, module_graph,
};
use crate::files;
use cm_base::{At, Diagnostic, FileText, Note, Severity, SpanTable, TextRange};
use cm_db::{Db, DefId, FileId, parse, settings, source};
use redgreen::Root;
use std::{collections::BTreeSet, sync::Arc};

pub(super) fn compute_has_syntax_errors(db: &dyn Db, file: &FileId) -> bool {
    !parse(db, *file).errors.is_empty()
}

pub(super) fn compute_bodies(_: &dyn Db, _: &FileId) -> Vec<(DefId, Problem)> {
    Vec::new()
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
    let silent = dependents(db, files, &broken);
    let mut all = Vec::new();
    for file in files {
        let mut found = Vec::new();
        if broken.contains(file) {
            found.extend(syntax_errors(db, *file));
        }
        for cycle in graph.cycles.iter().filter(|cycle| cycle.def.file == *file) {
            found.extend(circle(db, cycle));
        }
        if !silent.contains(file) {
            let problems = file_problems(db, *file).iter().chain(file_body_problems(db, *file));
            found.extend(problems.filter_map(|(def, problem)| {
                diagnostic(db, *def, problem.at, problem.message.clone())
            }));
        }
        if found.is_empty() {
            continue;
        }
        found.sort_by(|a, b| (a.range, &a.message).cmp(&(b.range, &b.message)));
        found.dedup();
        let notes = imported_here(db, graph, *file);
        for diagnostic in &mut found {
            diagnostic.notes.extend(notes.iter().cloned());
        }
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
    if let FileText::Unreadable(why) = source(db, file) {
        let message = format!("cannot read {}: {why}", file_text(file));
        return vec![error(file, TextRange::default(), message)];
    }
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

fn circle(db: &dyn Db, cycle: &graph::ImportCycle) -> Option<Diagnostic> {
    let mut names: Vec<String> = cycle.chain.iter().map(|(file, ..)| file_text(*file)).collect();
    names.extend(names.first().cloned());
    let message = format!("Circular dependency detected: {}", names.join(" -> "));
    let mut found = diagnostic(db, cycle.def, cycle.at, message)?;
    for (_, def, at) in cycle.chain.iter().filter(|(_, def, _)| *def != cycle.def) {
        found.notes.extend(note(db, *def, *at, "imported here"));
    }
    Some(found)
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
