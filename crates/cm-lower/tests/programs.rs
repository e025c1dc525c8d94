//! Programs from source text to MIR: what they print when it is interpreted, and how some of them
//! look.

use camino::{Utf8Path, Utf8PathBuf};
use cm_base::{MemorySystem, OsSystem, System};
use cm_db::World;
use cm_mir::{
    interp::{Captured, Limits, Outcome, Program, run_within},
    passes::optimize,
    unit::Unit,
};
use redgreen::{Database, Registry, Root};
use std::{fs, sync::Arc};

fn repository() -> &'static Utf8Path {
    Utf8Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn database(system: impl System + 'static, base: &Utf8Path, root: &str) -> Database {
    let world = World::new(system, base, root, repository().join("libs"));
    let groups = [&cm_db::QUERIES, &cm_hir::QUERIES, &cm_hir::decl::QUERIES, &cm_lower::QUERIES];
    Database::new(Registry::new(&groups), Arc::new(world))
}

/// The units of a program.
fn compile(db: &Database) -> Result<Vec<Unit>, String> {
    let diagnostics = cm_hir::diagnostics(db, Root);
    if let Some(first) = diagnostics.first() {
        return Err(format!("{first:?}"));
    }
    let units = cm_lower::units(db, Root).iter();
    Ok(units.map(|id| Unit::decode(cm_lower::unit(db, *id)).expect("units can be read")).collect())
}

/// What a program prints, its status, and how many objects it leaves behind.
fn interpret(units: &[Unit]) -> (Vec<u8>, Outcome, u64) {
    let functions = units.iter().flat_map(|unit| &unit.functions);
    let program = Program::new(functions, units.iter().flat_map(|unit| &unit.globals));
    let mut host = Captured::default();
    let limits = Limits { steps: 2_000_000_000, ..Limits::default() };
    let outcome = run_within(&program, "main", &mut host, limits);
    (host.stdout, outcome, host.leaked)
}

/// Runs a conformance program; what is wrong with the result.
fn check(program: &Utf8Path) -> Result<(), String> {
    let base = program.parent().expect("a program is in a directory");
    let db = database(OsSystem, base, program.file_stem().expect("a program has a name"));
    let mut units = compile(&db)?;
    check_units(program, &units)?;
    let functions = units.iter_mut().flat_map(|unit| &mut unit.functions);
    functions.for_each(|function| optimize(function, 3));
    check_units(program, &units).map_err(|why| format!("optimized: {why}"))
}

/// What is wrong with the result of a program that was compiled.
fn check_units(program: &Utf8Path, units: &[Unit]) -> Result<(), String> {
    for unit in units {
        cm_mir::verify::verify_unit(unit).map_err(|errors| format!("{}", errors[0]))?;
    }
    let (printed, outcome, leaked) = interpret(units);
    let status = fs::read_to_string(program.with_extension("exit"));
    let status: u8 = status.map_or(0, |text| text.trim().parse().expect("a status is a number"));
    let expected = fs::read(program.with_extension("out")).map_err(|error| error.to_string())?;
    if outcome.status() != Some(status) {
        return Err(format!("ended with {outcome:?}, not {status}"));
    }
    if printed != expected {
        let difference = printed.split(|b| *b == b'\n').zip(expected.split(|b| *b == b'\n'));
        let (line, (found, wanted)) =
            difference.enumerate().find(|(_, (a, b))| a != b).unwrap_or((0, (&printed, &expected)));
        let [found, wanted] = [found, wanted].map(String::from_utf8_lossy);
        return Err(format!("line {}: printed {found:?}, not {wanted:?}", line + 1));
    }
    let kept = fs::read_to_string(program.with_extension("kept"));
    let kept: u64 = kept.map_or(0, |text| text.trim().parse().expect("it is a number"));
    if leaked != kept {
        return Err(format!("{leaked} objects are never freed, not {kept}"));
    }
    Ok(())
}

/// The programs of an area that are accepted.
fn programs(area: &str) -> Vec<Utf8PathBuf> {
    let directory = repository().join("tests/conformance").join(area);
    let mut programs: Vec<Utf8PathBuf> = directory
        .read_dir_utf8()
        .expect("the area exists")
        .map(|entry| entry.expect("it can be listed").into_path())
        .filter(|path| path.extension() == Some("cm") && path.with_extension("out").exists())
        .collect();
    programs.sort();
    programs
}

fn failure(path: &Utf8Path) -> Option<String> {
    check(path).err().map(|why| format!("{path}: {why}"))
}

fn check_area(area: &str) {
    let programs = programs(area);
    assert!(!programs.is_empty(), "there are no programs in {area}");
    let failed: Vec<String> = programs.iter().filter_map(|path| failure(path)).collect();
    assert!(failed.is_empty(), "{} of {}:\n{}", failed.len(), programs.len(), failed.join("\n"));
}

macro_rules! areas {
    ($($area:ident $(= $name:literal)?;)*) => {
        $(#[test] fn $area() { check_area(areas!(@ $area $($name)?)); })*
    };
    (@ $area:ident) => { concat!("core/", stringify!($area)) };
    (@ $area:ident $name:literal) => { $name };
}

areas! {
    arrays;
    control;
    declarations;
    derive;
    enums;
    format;
    functions;
    generics;
    interfaces;
    lambdas;
    lexical;
    macros;
    memory = "memory";
    matches = "core/match";
    operators;
    ownership;
    pointers;
    realistic = "core/programs";
    slices;
    strings;
    structs;
    types;
}

/// The MIR of the functions of a program in one file.
fn dump(text: &str) -> String {
    let system = MemorySystem::default();
    system.write("/p/main.cm", text);
    let db = database(system, Utf8Path::new("/p"), "main");
    compile(&db).expect("the program is right");
    // With the names of variables, which no unit holds.
    let units = cm_lower::units(&db, Root).iter().map(|id| cm_lower::assemble(&db, *id).to_owned());
    let units = units.filter(|unit| unit.name != "main#start");
    units.map(|unit| cm_mir::text::dump_unit(&unit)).collect::<Vec<_>>().join("\n")
}

#[test]
fn edges() {
    let directory = Utf8Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/edges"));
    for entry in directory.read_dir_utf8().expect("the programs exist") {
        let path = entry.expect("they can be listed").into_path();
        if path.extension() == Some("cm") {
            assert_eq!(check(&path), Ok(()), "{path}");
        }
    }
}

#[test]
fn shapes() {
    let directory = Utf8Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/shapes"));
    let update = std::env::var_os("UPDATE").is_some();
    for entry in directory.read_dir_utf8().expect("the shapes exist") {
        let path = entry.expect("they can be listed").into_path();
        if path.extension() != Some("cm") {
            continue;
        }
        let found = dump(&fs::read_to_string(&path).expect("it can be read"));
        let expected = path.with_extension("mir");
        if update {
            fs::write(&expected, &found).expect("it can be written");
        }
        assert_eq!(
            found,
            fs::read_to_string(&expected).unwrap_or_default(),
            "{path}; UPDATE=1 accepts"
        );
    }
}
