//! What must hold of any text.

use crate::seeds::repository;
use camino::{Utf8Path, Utf8PathBuf};
use cm_base::{Diagnostic, FileText, MemorySystem, Name, OsSystem, Stamp, System};
use cm_db::World;
use cm_lower::Item;
use cm_mir::{
    interp::{Captured, Limits, Outcome, Program, run_within},
    unit::Unit,
};
use cm_test::mutate::Case;
use redgreen::{Database, Edit, Registry, Root};
use std::{collections::BTreeMap, sync::Arc};

/// The program in memory, the library on disk.
struct Files(MemorySystem);

const MAIN: &str = "/fuzz/main.cm";

impl Files {
    fn on_disk(&self, path: &Utf8Path) -> bool {
        path.starts_with(library())
    }
}

impl System for Files {
    fn stamp(&self, path: &Utf8Path) -> Stamp {
        if self.on_disk(path) { OsSystem.stamp(path) } else { self.0.stamp(path) }
    }
    fn read(&self, path: &Utf8Path) -> FileText {
        if self.on_disk(path) { OsSystem.read(path) } else { self.0.read(path) }
    }
    fn list(&self, path: &Utf8Path) -> Option<Vec<Utf8PathBuf>> {
        if self.on_disk(path) { OsSystem.list(path) } else { self.0.list(path) }
    }
    fn canonical(&self, path: &Utf8Path) -> Option<Utf8PathBuf> {
        if self.on_disk(path) { OsSystem.canonical(path) } else { self.0.canonical(path) }
    }
}

fn library() -> Utf8PathBuf {
    repository().join("libs")
}

fn database(memory: &MemorySystem) -> Database {
    let world = World::new(Files(memory.clone()), "/fuzz", "main", library());
    let groups = [&cm_db::QUERIES, &cm_hir::QUERIES, &cm_hir::decl::QUERIES, &cm_lower::QUERIES];
    Database::new(Registry::new(&groups), Arc::new(world))
}

/// What the front end makes of a program.
#[derive(PartialEq, Eq)]
struct Products {
    diagnostics: Vec<Diagnostic>,
    units: BTreeMap<String, Vec<u8>>,
}

/// Checks a case. What is wrong starts with a word that says of which kind it is.
///
/// # Errors
/// If something is wrong.
pub fn check(case: &Case) -> Result<(), String> {
    let memory = MemorySystem::default();
    memory.write(MAIN, &case.text);
    let made = products(&database(&memory))?;
    plausible(&made.diagnostics, &case.text)?;
    verify(&made)?;
    let Some(before) = &case.before else { return Ok(()) };
    let memory = MemorySystem::default();
    memory.write(MAIN, before);
    let mut edited = database(&memory);
    products(&edited)?;
    memory.write(MAIN, &case.text);
    edited.edit(Edit::All);
    let found = products(&edited)?;
    if found.diagnostics != made.diagnostics {
        return Err(format!(
            "edit-diagnostics: after an edit {:?}, from nothing {:?}",
            found.diagnostics.first(),
            made.diagnostics.first()
        ));
    }
    match found.units == made.units {
        true => Ok(()),
        false => Err("edit-units: an edit gives other MIR than a build from nothing".to_owned()),
    }
}

fn products(db: &Database) -> Result<Products, String> {
    let mut diagnostics = cm_hir::diagnostics(db, Root).clone();
    diagnostics.extend(cm_hir::decl::missing_entry(db));
    let mut units = BTreeMap::new();
    if diagnostics.is_empty() {
        let reachable = cm_lower::reachable(db, Root);
        if let Some(endless) = reachable.endless.first() {
            return Err(format!("endless: {endless} is not rejected"));
        }
        for item in &reachable.items {
            let foreign = matches!(item, Item::Function(instance)
                if instance.kind == cm_hir::thir::InstanceKind::Foreign);
            if !foreign && cm_lower::mir(db, item.clone()).is_none() {
                return Err(format!("unreported: no MIR for {item}, and no error"));
            }
        }
        for id in cm_lower::units(db, Root) {
            units.insert(id.to_string(), cm_lower::unit(db, *id).to_vec());
        }
    }
    Ok(Products { diagnostics, units })
}

fn plausible(diagnostics: &[Diagnostic], text: &str) -> Result<(), String> {
    for found in diagnostics {
        let (start, end) = (found.range.start as usize, found.range.end as usize);
        if found.message.is_empty() || found.message.contains('\n') {
            return Err(format!("message: {:?}", found.message));
        }
        if found.file == Name::new("main") && (start > end || text.get(start..end).is_none()) {
            return Err(format!("position: {start}..{end} of '{}'", found.message));
        }
    }
    Ok(())
}

fn verify(made: &Products) -> Result<(), String> {
    let units = decode(made)?;
    // Whatever it does, the interpreter must survive it.
    interpret(&units, Limits { steps: 100_000, stack: 1 << 20, memory: 64 << 20 });
    Ok(())
}

/// The units, which the verifier accepts.
fn decode(made: &Products) -> Result<Vec<Unit>, String> {
    let unit = |(name, bytes): (&String, &Vec<u8>)| {
        let unit = Unit::decode(bytes).ok_or_else(|| format!("codec: {name} cannot be read"))?;
        cm_mir::verify::verify_unit(&unit)
            .map_err(|errors| format!("verifier: {}", errors[0].to_string().replace('\n', " ")))?;
        Ok(unit)
    };
    made.units.iter().map(unit).collect()
}

/// The units of a program that is right.
///
/// # Errors
/// If the compiler does not accept it.
pub(crate) fn compile(text: &str) -> Result<Vec<Unit>, String> {
    let memory = MemorySystem::default();
    memory.write(MAIN, text);
    let made = products(&database(&memory))?;
    match made.diagnostics.first() {
        None => decode(&made),
        Some(first) => {
            let line = text.get(..first.range.start as usize).map_or(0, |it| it.lines().count());
            // The kind of the failure is the message: what is rejected otherwise is another one.
            Err(format!("rejected:{} line {line}", first.message.replace(' ', "_")))
        }
    }
}

/// Runs a program.
pub(crate) fn interpret(units: &[Unit], limits: Limits) -> (Outcome, Captured) {
    let functions = units.iter().flat_map(|unit| &unit.functions);
    let program = Program::new(functions, units.iter().flat_map(|unit| &unit.globals));
    let mut host = Captured::default();
    let outcome = run_within(&program, "main", &mut host, limits);
    (outcome, host)
}
