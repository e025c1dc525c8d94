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
