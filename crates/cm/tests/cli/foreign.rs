//! Programs that are linked with foreign code: libraries, objects, files of C.

use crate::{Place, outcome};
use std::process::Command;

const PROGRAM: &str = "\
struct Pair { int a; double b; }
use libc {
    int add_all(int n, ...);
    Pair swap_signs(Pair p);
    int apply(int*(int) f, int x);
    Large double_all(Large l);
}
struct Large { long[5] values; }
int triple(int x) { return 3 * x; }
int main() {
    Pair p = swap_signs(Pair { a: 2, b: -1.5 });
    Large l = double_all(Large { values: [1, 2, 3, 4, 5] });
    println(\"{add_all(3, 10, 20, 30)} {p.a} {p.b} {apply(triple, 14)} {l.values[0]} {l.values[4]}\");
    return 0;
}
";

const LIBRARY: &str = "\
#include <stdarg.h>
struct pair { int a; double b; };
struct large { long values[5]; };
int add_all(int n, ...) {
    va_list all;
    int sum = 0;
    va_start(all, n);
    while (n-- > 0) sum += va_arg(all, int);
    va_end(all);
    return sum;
}
struct pair swap_signs(struct pair p) { struct pair q = { -p.a, -p.b }; return q; }
struct large double_all(struct large l) { for (int i = 0; i < 5; i++) l.values[i] *= 2; return l; }
int apply(int (*f)(int), int x) { return f(x); }
";

const OUTPUT: &str = "60 -2 1.5 42 2 10\n";

fn place() -> Place {
    Place::new(&[("main.cm", PROGRAM), ("lib.c", LIBRARY)])
}

fn tool(place: &Place, line: &str) {
    let mut words = line.split(' ');
    let mut command = Command::new(words.next().expect("a program"));
    let status = command.args(words).current_dir(&place.path).status().expect("it starts");
    assert!(status.success(), "{line}");
}

fn check(place: &Place, with: &str) {
    let ran = place.cm(&format!("run main.cm {with}"));
    assert_eq!((ran.exit, ran.stdout.as_str()), (0, OUTPUT), "{with}: {ran:?}");
    let ran = place.cm(&format!("compile -q --run -o program main.cm {with}"));
    assert_eq!((ran.exit, ran.stdout.as_str()), (0, OUTPUT), "{with}: {ran:?}");
}

#[test]
fn a_file_of_c() {
    check(&place(), "lib.c");
}

#[test]
fn an_object_and_an_archive() {
    let place = place();
    tool(&place, "cc -c -fPIC -o lib.o lib.c");
    check(&place, "lib.o");
    tool(&place, "ar rc liblocal.a lib.o");
    check(&place, "-L . -l local");
    check(&place, "liblocal.a");
}

#[test]
fn a_shared_library() {
    let place = place();
    tool(&place, "cc -shared -fPIC -o libshared.so lib.c");
    check(&place, "-L . -lshared --link-arg=-Wl,-rpath,.");
}

#[test]
fn a_library_that_changes() {
    let place = place();
    assert_eq!(place.cm("compile -q --run -o program main.cm lib.c").stdout, OUTPUT);
    place.write("lib.c", LIBRARY.replace("*= 2", "*= 3"));
    let again = place.cm("compile -q --run -o program main.cm lib.c");
    assert_eq!(again.stdout, OUTPUT.replace("2 10", "3 15"));
}

#[test]
fn what_is_missing_is_named() {
    let place = place();
    let ran = place.cm("run main.cm");
    assert_eq!(ran.exit, 1);
    assert!(ran.stderr.contains("Undefined symbol 'add_all'"), "{ran:?}");
    let ran = place.cm("compile -q -o program main.cm -l no_such_library");
    assert_eq!(ran.exit, 1);
    assert!(ran.stderr.contains("no_such_library"), "{ran:?}");
    let ran = place.cm("compile -q -o program main.cm -lm");
    assert_eq!(ran.exit, 1);
    assert!(ran.stderr.contains("Undefined symbol"), "{ran:?}");
}

/// Shared libraries need no compiler: not for an executable, and not to run with them. What needs one is compiled once.
#[test]
fn the_compiler_of_c_is_the_last_resort() {
    let place = place();
    tool(&place, "cc -shared -fPIC -o libparts.so lib.c");
    place.write("libscript.so", "/* parts */ INPUT(AS_NEEDED(-lparts))\n");
    tool(&place, "mkdir archive");
    tool(&place, "cc -c -fPIC -o lib.o lib.c");
    tool(&place, "ar rc archive/liblocal.a lib.o");
    let cm = |args: &str, cc: &str| {
        let mut command = place.command(args);
        command.env("CC", cc).env("LD_LIBRARY_PATH", &place.path);
        let found = outcome(command.spawn().expect("cm starts"));
        (found.exit, found.stdout, found.stderr)
    };
    let good = || (0, OUTPUT.to_owned(), String::new());
    for library in ["-L . -lparts", "-L. -lscript", "-L. -lparts -lpthread -lz"] {
        let library = if library.ends_with("-lz") && !have_z() { "-L. -lparts" } else { library };
        for command in ["run", "run -O0 --no-cache", "compile -q --run -o program"] {
            assert_eq!(
                cm(&format!("{command} main.cm {library}"), "/bin/false"),
                good(),
                "{library}"
            );
        }
    }
    for with in ["-L archive -llocal", "lib.c"] {
        assert_eq!(cm(&format!("run main.cm {with}"), "/bin/false").0, 1, "{with}");
        assert_eq!(cm(&format!("run main.cm {with}"), "cc"), good(), "{with}");
        assert_eq!(cm(&format!("run main.cm {with}"), "/bin/false"), good(), "{with}");
    }
}

/// Whether the library behind `-lz` is installed for linking.
fn have_z() -> bool {
    [
        "/usr/lib/x86_64-linux-gnu/libz.so",
        "/usr/lib/aarch64-linux-gnu/libz.so",
        "/usr/lib64/libz.so",
    ]
    .iter()
    .any(|path| std::path::Path::new(path).exists())
}

/// What a file of C includes is a part of it.
#[test]
fn a_header_that_changes() {
    let place = place();
    place
        .write("lib.c", format!("#include \"factor.h\"\n{}", LIBRARY.replace("*= 2", "*= FACTOR")));
    for (factor, end) in [("2", "2 10"), ("3", "3 15")] {
        place.write("factor.h", format!("#define FACTOR {factor}\n"));
        for command in ["compile -q --run -o program", "run"] {
            let ran = place.cm(&format!("{command} main.cm lib.c"));
            assert_eq!(ran.stdout, OUTPUT.replace("2 10", end), "{command}: {ran:?}");
        }
    }
}

#[test]
fn foreign_code_calls_the_program_by_name() {
    let place = Place::new(&[
        (
            "main.cm",
            "use libc { int call_back(); }\n\
             export extern \"C\" int twice(int x) { return 2 * x; }\n\
             int main() { println(\"{call_back()}\"); return 3; }\n",
        ),
        ("lib.c", "extern int twice(int);\nint call_back(void) { return twice(21); }\n"),
    ]);
    tool(&place, "cc -c -fPIC -o lib.o lib.c");
    tool(&place, "cc -shared -fPIC -o libshared.so lib.c");
    for with in ["lib.c", "lib.o", "-L . -lshared"] {
        for command in ["run -O0", "run -O0", "run --no-cache"] {
            let ran = place.cm(&format!("{command} main.cm {with}"));
            assert_eq!((ran.exit, ran.stdout.as_str()), (3, "42\n"), "{with}: {ran:?}");
        }
    }
    place.write("lib.c", "extern int thrice(int);\nint call_back(void) { return thrice(21); }\n");
    let ran = place.cm("run main.cm lib.c");
    assert_eq!((ran.exit, ran.stdout.as_str()), (1, ""), "{ran:?}");
    assert!(ran.stderr.contains("thrice"), "{ran:?}");
}
