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
