//! Programs from source text to MIR.

use camino::Utf8PathBuf;
use cm_base::{MemorySystem, Name};
use cm_db::{FileId, World};
use cm_mir::unit::Unit;
use redgreen::{Database, Registry, Root};
use std::{fs, path::Path, sync::Arc};

/// A database with one source file, `main.cm`.
fn database(text: &str) -> Database {
    let system = MemorySystem::default();
    system.write("/p/main.cm", text);
    let world = World {
        system: Arc::new(system),
        base: Utf8PathBuf::from("/p"),
        root_path: None,
        root: FileId(Name::new("main")),
        library: Utf8PathBuf::from("/lib"),
        search: Vec::new(),
        defines: Vec::new(),
        platform: Name::new("native"),
    };
    let groups = [&cm_db::QUERIES, &cm_hir::QUERIES, &cm_hir::decl::QUERIES, &cm_lower::QUERIES];
    Database::new(Registry::new(&groups), Arc::new(world))
}

/// The units of a program, or its errors.
fn compile(text: &str) -> Result<Vec<Unit>, String> {
    let db = database(text);
    let errors: Vec<String> =
        cm_hir::diagnostics(&db, Root).iter().map(|d| format!("{d:?}")).collect();
    if !errors.is_empty() {
        return Err(errors.join("\n"));
    }
    let units = cm_lower::units(&db, Root).iter();
    Ok(units.map(|id| Unit::decode(cm_lower::unit(&db, *id)).expect("units can be read")).collect())
}

#[test]
fn dump() {
    let Ok(path) = std::env::var("CM_PROGRAM") else { return };
    let text = fs::read_to_string(path).unwrap();
    match compile(&text) {
        Ok(units) => {
            for unit in units {
                println!("{}", cm_mir::text::dump_unit(&unit));
            }
        }
        Err(errors) => println!("{errors}"),
    }
}

#[test]
fn all() {
    let Ok(path) = std::env::var("CM_PROGRAMS") else { return };
    let mut bad = 0;
    let mut files: Vec<_> =
        fs::read_dir(Path::new(&path)).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    for file in files {
        if file.extension().is_some_and(|e| e == "cm") && file.with_extension("out").exists() {
            let text = fs::read_to_string(&file).unwrap();
            let result = std::panic::catch_unwind(|| compile(&text));
            match result {
                Ok(Ok(units)) => {
                    let mut defined = std::collections::BTreeSet::new();
                    for unit in &units {
                        defined.extend(unit.functions.iter().map(|f| f.decl));
                    }
                    for unit in &units {
                        for f in &unit.functions {
                            cm_mir::visit::function(f, &mut |m| if let cm_mir::visit::Mention::Function(d) = m {
                                if d.abi == cm_mir::mir::Abi::Cm && !defined.contains(&d) { bad += 1; println!("{}: undefined {}", file.display(), d.symbol); }
                            });
                        }
                    }
                    for unit in units {
                        if let Err(e) = cm_mir::verify::verify_unit(&unit) {
                            println!("{}: {e:?}", file.display());
                        }
                    }
                }
                Ok(Err(errors)) => {
                    bad += 1;
                    println!("{}: {errors}", file.display());
                }
                Err(_) => {
                    bad += 1;
                    println!("{}: PANIC", file.display())
                }
            }
        }
    }
    println!("{bad} bad");
}
