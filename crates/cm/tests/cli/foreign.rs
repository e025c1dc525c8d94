//! Programs that are linked with foreign code: libraries, objects, files of C.

use crate::Place;
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
