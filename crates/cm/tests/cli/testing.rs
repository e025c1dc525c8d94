//! `cm test`.

use crate::Place;

const GEO: &str = "\
export int area(int w, int h) { return w * h; }
int perimeter(int w, int h) { return 2 * (w + h); }
#[test]
void areas() { if (area(2, 3) != 6) { println(\"wrong\"); int[1] a; a[area(2, 3)] = 1; } }
#[test]
bool perimeters() { return perimeter(2, 3) == 10; }
";

const MAIN: &str = "\
import ./geo;
int main() { return geo::area(1, 0); }
#[test]
int zero() { return area(0, 5); }
#[test]
bool wrong() { println(\"looking\"); return area(1, 1) == 2; }
";

fn place() -> Place {
    Place::new(&[("main.cm", MAIN), ("geo.cm", GEO)])
}

#[test]
fn what_did_not_change_is_not_run_again() {
    let place = place();
    let first = place.cm("test main.cm -O0");
    assert_eq!(
        first.stdout,
        "test geo::areas ... ok\ntest geo::perimeters ... ok\ntest main::zero ... ok\n\
         test main::wrong ... FAILED\n\nmain::wrong: the result is not good\n  | looking\n\n\
         tests: 4, passed: 3 (0 unchanged), failed: 1\n"
    );
    assert_eq!(first.exit, 1);
    place.write("main.cm", MAIN.replace("== 2", "== 1"));
    let second = place.cm("test main.cm -O0");
    assert_eq!(
        second.stdout,
        "test geo::areas ... ok (unchanged)\ntest geo::perimeters ... ok (unchanged)\n\
         test main::zero ... ok (unchanged)\ntest main::wrong ... ok\n\n\
         tests: 4, passed: 4 (3 unchanged), failed: 0\n"
    );
    assert_eq!(second.exit, 0);
    // What a test calls is a part of it; comments are not.
    place.write("geo.cm", GEO.replace("2 * (w + h)", "w + w + h + h // a sum\n"));
    let third = place.cm("test main.cm -O0");
    assert!(third.stdout.contains("test geo::perimeters ... ok\n"), "{third:?}");
    assert!(third.stdout.contains("passed: 4 (3 unchanged)"), "{third:?}");
}

#[test]
fn a_panic_is_a_failure_of_one_test() {
    let place = place();
    place.write("geo.cm", GEO.replace("w * h", "w + h"));
    let ran = place.cm("test main.cm -O0 --filter geo::");
    assert_eq!(ran.exit, 1);
    assert!(ran.stdout.starts_with("test geo::areas ... FAILED\ntest geo::perimeters ... ok\n"));
    assert!(ran.stdout.contains("geo::areas: it panicked\n  | wrong\n  | panic: "), "{ran:?}");
    assert!(ran.stdout.ends_with("tests: 2, passed: 1 (0 unchanged), failed: 1\n"));
}

#[test]
fn tests_are_no_part_of_the_program_and_need_none() {
    let place = place();
    assert_eq!(place.cm("run main.cm").exit, 0);
    let ran = place.cm("test geo.cm -O0 --filter nothing");
    assert_eq!(
        (ran.exit, ran.stdout.as_str()),
        (0, "\ntests: 0, passed: 0 (0 unchanged), failed: 0\n")
    );
    place.write("geo.cm", "#[test]\nvoid bad(int x) {}\n");
    let ran = place.cm("test geo.cm");
    assert_eq!(ran.exit, 1);
    assert!(ran.stderr.contains("geo.cm:2:6: error: A test takes no parameters"), "{ran:?}");
}

/// Results are entries of the store, which copies of a program share.
#[test]
fn results_are_found_elsewhere() {
    let place = place();
    place.cm("test main.cm -O0 --cache-dir=shared");
    let list = place.cm("cache list --cache-dir=shared").stdout;
    assert_eq!(list.lines().filter(|line| line.contains(" record test ")).count(), 3, "{list}");
    for file in ["main.cm", "geo.cm", "cm.toml"] {
        place.write(&format!("copy/{file}"), place.read(file));
    }
    let copy = place.cm("test copy/main.cm -O0 --cache-dir=shared").stdout;
    assert!(copy.contains("passed: 3 (3 unchanged), failed: 1"), "{copy}");
    let level = place.cm("test copy/main.cm -O1 --cache-dir=shared").stdout;
    assert!(level.contains("passed: 3 (0 unchanged), failed: 1"), "{level}");
}

/// What a test is linked with is a part of it.
#[test]
fn foreign_code_that_changes_is_tested_again() {
    let place = Place::new(&[(
        "main.cm",
        "extern int f();\nint main() { return 0; }\n#[test]\nbool right() { return f() > 1; }\n",
    )]);
    for (number, expected) in [(5, "ok\n"), (5, "ok (unchanged)\n"), (6, "ok\n"), (1, "FAILED\n")] {
        place.write("f.c", format!("int f(void) {{ return {number}; }}\n"));
        let found = place.cm("test main.cm f.c -O0");
        assert!(found.stdout.starts_with(&format!("test main::right ... {expected}")), "{found:?}");
    }
}
