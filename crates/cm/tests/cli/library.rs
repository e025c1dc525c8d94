//! The bundled library as the command finds it.

use crate::{Place, outcome};

/// Programs are not told what is wrong with files of the library, so each is checked as a root here.
#[test]
fn the_library_has_no_errors() {
    let place = Place::new(&[]);
    let libs = concat!(env!("CARGO_MANIFEST_DIR"), "/../../libs");
    let ran = place.cm(&format!("check -r --format=short {libs}"));
    assert_eq!(ran.exit, 0, "{ran:?}");
    assert!(ran.stdout.contains("errors: 0"), "{ran:?}");
}

#[test]
fn printing_needs_no_file_of_the_library() {
    let main = "import std::io::println;\nint main() { println(\"hi\"); return 0; }\n";
    let place = Place::new(&[("main.cm", main)]);
    let ran = place.command("run main.cm").env("CM_STD_PATH", "/nowhere").spawn();
    assert_eq!(outcome(ran.expect("cm starts")).stdout, "hi\n");
}

/// What a second project of the same user compiles.
#[test]
fn the_library_is_compiled_once_for_all_projects() {
    let main = "import std::collections::{Vector, HashMap};\nimport std::text::{split};\n\
        int main() {\n    Vector<int> v(); v.push(1);\n    HashMap<string, int> m(); m.insert(\"a\", 2);\n\
        \x20   string[] parts = split(\"a b\", \" \");\n    return v.len() + m.len() + parts.len();\n}\n";
    let user = tempfile::tempdir().expect("a directory");
    // The compiled units that no store had, of the library and of the program.
    let compiled = |shared: &str, level: &str| {
        let place = Place::new(&[("main.cm", main)]);
        let mut command = place.command(&format!("run {level} --query-log=log main.cm"));
        command.env("CM_SHARED_CACHE", shared);
        let ran = outcome(command.spawn().expect("cm starts"));
        assert_eq!((ran.exit, ran.stderr.as_str()), (4, ""), "{ran:?}");
        let log = place.read("log");
        let made = log.lines().filter(|line| {
            line.contains("\"query\":\"unit_object\"") && !line.contains("\"fetched\":true")
        });
        let (library, own): (Vec<_>, Vec<_>) = made.partition(|line| line.contains("\"key\":\"@"));
        (library.len(), own.len())
    };
    let shared = user.path().join("cm").to_string_lossy().into_owned();
    for level in ["-O0", "-O3"] {
        let (library, own) = compiled(&shared, level);
        assert!(library >= 3 && own > 0, "{level}: {library} {own}");
        assert_eq!(compiled(&shared, level), (0, own), "{level}");
        assert_eq!(compiled("", level), (library, own), "{level}");
    }
    // One that cannot be written is done without.
    assert!(compiled("/proc/nowhere", "-O0").0 >= 3);
}

#[test]
fn forgotten_imports_are_suggested() {
    let place = Place::new(&[]);
    for (value, path) in [
        ("panic(\"x\")", "std::core::panic"),
        ("__panic__(\"x\")", "std::core::panic"),
        ("{ Vector<int> v(); }", "std::collections::Vector"),
        ("{ HashMap<int, int> m(); }", "std::collections::HashMap"),
        ("{ Queue<int> q(); }", "std::collections::Queue"),
        ("{ Option<int> o = Option<int>::None; }", "std::core::Option"),
        ("println(max(1, 2))", "std::core::max"),
        ("println(gcd(4, 6))", "std::math::gcd"),
        ("eprintln(\"x\")", "std::io::eprintln"),
        ("println(input())", "std::io::input"),
        ("println(input_int())", "std::io::input_int"),
        ("println(parse_int(\"1\"))", "std::text::parse_int"),
        ("println(split(\"a b\", \" \").len())", "std::text::split"),
        ("println(read_file(\"x\"))", "native::io::read_file"),
        ("println(sqrt(2.0))", "native::math::sqrt"),
    ] {
        let main = format!("int main() {{ {value}; return 0; }}\n");
        let main = main.replace("};", "}").replace("__panic__", "panic");
        place.write(
            "a.cm",
            if value.starts_with("__") {
                format!("int main() {{ {value}; return 0; }}\n")
            } else {
                main.clone()
            },
        );
        let found = place.cm("check -q --no-cache --format=short a.cm");
        assert!(found.stderr.contains(&format!("; did you mean '{path}'?\n")), "{found:#?}");
        place.write("a.cm", format!("import {path};\n{main}"));
        let found = place.cm("check -q --no-cache --format=short a.cm");
        assert!(found.exit == 0 && !found.stderr.contains("error"), "{value} {found:#?}");
    }
}

#[test]
fn wrong_paths_into_the_library_say_what_is_meant() {
    let place = Place::new(&[("geo.cm", "export int area() { return 1; }\nexport enum E { A }\n")]);
    for (import, expected) in [
        (
            "std::core::panic::{panic}",
            "1:19: error: 'panic' is not a module; did you mean 'std::core::panic'?",
        ),
        (
            "std::core::panic::*",
            "1:19: error: 'panic' is not a module; did you mean 'std::core::panic'?",
        ),
        (
            "std::core::panic::panic",
            "1:19: error: 'panic' is not a module; did you mean 'std::core::panic'?",
        ),
        (
            "std::collections::vectr::{Vector, Queue}",
            "1:26: error: 'vectr' is not exported by module 'collections'; did you mean 'Vector'?",
        ),
        (
            "std::core::{painc}",
            "1:20: error: 'painc' is not exported by module 'core'; did you mean 'panic'?",
        ),
        (
            "std::io::{printn}",
            "1:18: error: 'printn' is not exported by module 'io'; did you mean 'println'?",
        ),
        (
            "./geo::aera",
            "1:15: error: 'aera' is not exported by module 'geo'; did you mean 'area'?",
        ),
        ("./geo::E::{A}", "1:15: error: 'E' is not a module; did you mean './geo::E'?"),
    ] {
        place.write("a.cm", format!("import {import};\nint main() {{ return 0; }}\n"));
        let found = place.cm("check -q --no-cache --format=short a.cm");
        assert_eq!(found.stderr, format!("a.cm:{expected}\n"), "{import}");
    }
}
