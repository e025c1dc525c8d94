//! Programs of several files with what resolution and checks say about them: `tests/cases.txt`.

use super::{Scope, resolve_value};
use cm_base::{Diagnostic, FileText, MemorySystem, Name, System};
use cm_db::{FileId, World};
use cm_syntax::ast;
use redgreen::{Database, Registry, Root};
use std::{fmt::Write, sync::Arc};

fn open(system: &MemorySystem) -> Database {
    let world = World {
        search: vec!["search".into()],
        defines: vec![Name::new("__CM__")],
        ..World::new(system.clone(), "", "main", "library")
    };
    let registry = Registry::new(&[&cm_db::QUERIES, &crate::QUERIES, &super::QUERIES]);
    Database::new(registry, Arc::new(world))
}

fn show(system: &MemorySystem, diagnostic: &Diagnostic) -> String {
    let place = |file: Name, start: u32| {
        let FileText::Text(text) = system.read(format!("{file}.cm").as_str().into()) else {
            return format!("{file}");
        };
        let before = &text[..start as usize];
        let line = before.matches('\n').count() + 1;
        let column = before.len() - before.rfind('\n').map_or(0, |at| at + 1) + 1;
        format!("{file}.cm:{line}:{column}")
    };
    let at = place(diagnostic.file, diagnostic.range.start);
    let mut text = format!("{at}: {}: {}\n", diagnostic.severity.word(), diagnostic.message);
    for note in &diagnostic.notes {
        let at = place(note.file, note.range.start);
        writeln!(text, "  {at}: note: {}", note.message).expect("writing to a string");
    }
    text
}

/// What a path is, seen from the root file or from a namespace in it: `path`, `path in a::b`.
fn resolve(db: &Database, line: &str) -> String {
    let (path, namespace) = line.split_once(" in ").unwrap_or((line, ""));
    let at = cm_base::At(0);
    let segments = path.split("::").map(|name| ast::Ident { name: Name::new(name), at });
    let segments = segments.collect::<Vec<_>>().into();
    let namespace = namespace.split("::").filter(|part| !part.is_empty()).map(Name::new).collect();
    let file = FileId(Name::new("main"));
    let scope = Scope { file, namespace, generics: Vec::new(), self_ty: None };
    match resolve_value(db, &scope, &ast::Path { segments }) {
        Ok(found) => format!("{line} => {}\n", plain(&format!("{found:?}"))),
        Err(problem) => format!("{line} => error: {}\n", problem.message),
    }
}

/// `DefId { file: FileId("a"), path: "f", index: 0 }` as `a::f`.
fn plain(debug: &str) -> String {
    let mut text = debug.to_owned();
    for (from, to) in [
        ("DefId { file: FileId(\"", ""),
        ("\"), path: \"", "::"),
        ("\", index: 0 }", ""),
        ("\", index: ", "#"),
        (" }", ""),
    ] {
        text = text.replace(from, to);
    }
    text
}

fn run(name: &str, case: &str) {
    let system = MemorySystem::default();
    let (mut queries, mut expected) = (Vec::new(), String::new());
    for section in case.split("--- ").skip(1) {
        let (title, body) = section.split_once('\n').expect("a section has a title line");
        match title.trim() {
            "resolve" => queries.extend(body.lines().filter(|line| !line.is_empty())),
            "expect" => body.trim().clone_into(&mut expected),
            file => system.write(file, body),
        }
    }
    let actual = open(&system)
        .attempt(|db| {
            let shown: String =
                crate::diagnostics(db, Root).iter().map(|found| show(&system, found)).collect();
            queries.iter().fold(shown, |text, line| text + &resolve(db, line))
        })
        .expect("nobody interrupts a test");
    assert_eq!(actual.trim(), expected, "case {name}; actual:\n{actual}");
}

#[test]
fn cases() {
    let mut failed = Vec::new();
    for case in include_str!("tests/cases.txt").split("=== ").skip(1) {
        let (name, body) = case.split_once('\n').expect("a case has a title line");
        if let Err(panic) = std::panic::catch_unwind(|| run(name, body)) {
            drop(panic);
            failed.push(name);
        }
    }
    assert!(failed.is_empty(), "failed: {failed:?}");
}

const PROGRAM: [(&str, &str); 4] = [
    (
        "main.cm",
        "import ./geo::{area, Point};\nimport ./util;\n\
         int main() { Point p; return area(LIMIT) + twice(p.sum()); }\n\
         int other() { return twice(3); }\n",
    ),
    (
        "geo.cm",
        "export const int LIMIT = 3;\n\
         export struct Point { int x; int y; }\n\
         impl Point { int sum() { return self.x + self.y; } }\n\
         export int area(int side) { return side * side; }\n\
         int unused(int side) { return side; }\n",
    ),
    ("util.cm", "export const int LIMIT = 4;\nexport int twice(int x) { return x * 2; }\n"),
    ("spare.cm", "export int spare() { return 1; }\n"),
];

/// The bodies that are checked again after an edit: no more than what it can concern.
#[test]
fn edits_recheck_only_what_they_concern() {
    let cases: [(&str, &str, &str, &str, &[&str]); 11] = [
        ("comment", "geo.cm", "export int area", "// Of a square.\nexport int area", &[]),
        ("blank line", "main.cm", "int main", "\n\nint main", &[]),
        ("body", "geo.cm", "side * side", "side * side + 1", &["geo::area"]),
        (
            "new function",
            "geo.cm",
            "int unused",
            "int more() { return 1; }\nint unused",
            &["geo::more"],
        ),
        ("unused signature", "geo.cm", "unused(int side)", "unused(long side)", &["geo::unused"]),
        (
            "used signature",
            "geo.cm",
            "area(int side)",
            "area(long side)",
            &["geo::area", "main::main"],
        ),
        (
            "new export",
            "util.cm",
            "export int",
            "export int extra() { return 1; }\nexport int",
            &["util::extra"],
        ),
        ("constant", "util.cm", "= 4", "= 5", &["main::main"]),
        (
            "new method",
            "geo.cm",
            "int sum()",
            "int max() { return 1; } int sum()",
            &["geo::Point::max"],
        ),
        (
            "new import",
            "main.cm",
            "import ./util",
            "import ./spare::*;\nimport ./util",
            &["spare::spare"],
        ),
        ("new field", "geo.cm", "int y;", "int y; int z;", &["geo::Point::sum"]),
    ];
    for (name, file, from, to, expected) in cases {
        let system = MemorySystem::default();
        PROGRAM.iter().for_each(|(file, text)| system.write(*file, text));
        let mut db = open(&system);
        let build = |db: &Database| crate::diagnostics(db, Root).len();
        assert_eq!(db.attempt(build), Ok(0), "{name}");
        db.take_record();
        let text = PROGRAM.iter().find(|(path, _)| *path == file).expect("a file of the program").1;
        assert!(text.contains(from), "{name}");
        system.write(file, &text.replace(from, to));
        db.edit(redgreen::Edit::All);
        assert_eq!(db.attempt(build), Ok(0), "{name}");
        let record = db.take_record();
        let bodies = record.executed.iter().filter(|ran| &*ran.node.query == "checked_body");
        let mut bodies: Vec<&str> = bodies.map(|ran| &*ran.node.key).collect();
        bodies.sort_unstable();
        assert_eq!(bodies, expected, "{name}: {record:#?}");
    }
}

/// Comments before declarations are for who reads the declarations; what is compiled does not ask.
#[test]
fn documentation_is_kept_and_current() {
    let system = MemorySystem::default();
    system.write(
        "main.cm",
        "// Where.\nstruct P { int x; }\nimpl P {\n    // Its sum.\n    // Twice.\n    int sum() { return 1; }\n}\n\
         int bare() { return 2; }\n// Runs.\nint main() { return 0; }\n",
    );
    let mut db = open(&system);
    let documented = |db: &Database| {
        crate::diagnostics(db, Root);
        let tree = super::item_tree(db, FileId(Name::new("main")));
        let entries = tree.entries.iter();
        let text = |def| super::documentation(db, def).map(|text| text.into_string());
        entries
            .filter_map(|entry| Some((entry.def.path.to_string(), text(entry.def)?)))
            .collect::<Vec<_>>()
    };
    let pair = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    let expected =
        |main| vec![pair("P", "Where."), pair("P::sum", "Its sum.\nTwice."), pair("main", main)];
    assert_eq!(db.attempt(documented), Ok(expected("Runs.")));
    db.take_record();
    let FileText::Text(text) = system.read("main.cm".into()) else { panic!("it was written") };
    system.write("main.cm", &text.replace("Runs.", "Begins."));
    db.edit(redgreen::Edit::All);
    assert_eq!(db.attempt(documented), Ok(expected("Begins.")));
    let record = db.take_record();
    let ran: Vec<String> = record.executed.iter().map(|ran| ran.node.to_string()).collect();
    assert_eq!(ran, ["parse(main)"]);
}
