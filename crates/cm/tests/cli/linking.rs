//! Programs that are linked with libraries.

use crate::{Place, check};
use std::process::Command;

const PROGRAM: &str = "extern \"C\" int twice(int x);\nint main() { return twice(21); }\n";

/// A program, and a library that it needs: shared in `shared`, as an archive in `archive`.
fn place() -> Place {
    let place = Place::new(&[
        ("a.cm", PROGRAM),
        ("twice.c", "int twice(int x) { return 2 * x; }\n"),
        ("shared/libscript.so", "INPUT(-ltwice)\n"),
        ("archive/none", ""),
    ]);
    let run = |program: &str, args: &str| {
        let mut command = Command::new(program);
        command.args(args.split(' ')).current_dir(&place.path);
        assert!(command.status().expect("it starts").success(), "{program} {args}");
    };
    run("cc", "-shared -fPIC -Wl,-soname,libtwice.so -o shared/libtwice.so twice.c");
    run("cc", "-c -fPIC -o twice.o twice.c");
    run("ar", "rcs archive/libtwice.a twice.o");
    place
}

#[test]
fn libraries_are_found_and_used() {
    let place = place();
    let undefined = "error: Undefined symbol 'twice', used by a#…\n";
    let none = "error: no shared library 'none' found\n";
    check(
        &place,
        &[
            ("run a.cm", 1, "", undefined),
            ("compile -q a.cm", 1, "", undefined),
            ("run -L shared -l twice a.cm", 42, "", ""),
            ("run -L shared -l twice a.cm", 42, "", ""),
            ("run -l none a.cm", 1, "", none),
            ("compile -q a.cm -L shared -l script -o shared.out", 0, "", ""),
            // Archives and arguments are for the system's linker.
            ("compile -q a.cm -L archive -ltwice -o archive.out", 0, "", ""),
            ("compile -q a.cm --link-arg=twice.o -o object.out", 0, "", ""),
            ("compile -q a.cm --link-arg=none.o", 1, "", "error: the linker failed:\n…none.o…"),
        ],
    );
    for program in ["shared.out", "archive.out", "object.out"] {
        let mut command = Command::new(place.path.join(program));
        let status = command.env("LD_LIBRARY_PATH", place.path.join("shared")).status();
        assert_eq!(status.expect("it starts").code(), Some(42), "{program}");
    }
}
