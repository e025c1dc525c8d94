//! `cm fmt` (`14-formatter-linter.md` §14.1).

use crate::{Place, check};
use std::{fs, os::unix::fs::PermissionsExt};

const BAD: &str = "int main()\n{\n  int a=1; return a;\n}\n";
const GOOD: &str = "int main() {\n    int a = 1;\n    return a;\n}\n";
const WRONG: &str = "int main( { }\n";

#[test]
fn files_are_formatted_in_place() {
    let place = Place::new(&[
        ("bad.cm", BAD),
        ("good.cm", GOOD),
        ("wrong.cm", WRONG),
        ("dir/bad.cm", BAD),
        ("dir/deep/bad.cm", BAD),
        ("dir/deep/bad_too.cm", BAD),
        ("empty.cm", ""),
        ("note.txt", BAD),
    ]);
    place.write("bytes.cm", [0xff, 0xfe]);
    check(
        &place,
        &[
            ("fmt good.cm", 0, "\nfmt\nfiles: 0/1\nchanges: 0\n", ""),
            ("fmt bad.cm good.cm", 0, "\nfmt\nfiles: 1/2\nchanges: …\n", ""),
            ("fmt bad.cm good.cm", 0, "\nfmt\nfiles: 0/2\nchanges: 0\n", ""),
            ("fmt -q empty.cm", 0, "", ""),
            ("fmt -q -v good.cm", 0, "good.cm: … ms\n", ""),
            ("fmt dir", 0, "\nfmt\nfiles: 1/1\n…", ""),
            ("fmt -r --exclude=too.cm dir", 0, "\nfmt\nfiles: 1/2\n…", ""),
            ("fmt -r dir", 0, "\nfmt\nfiles: 1/3\n…", ""),
            ("fmt -q wrong.cm", 1, "", "wrong.cm:1:11: error: …"),
            ("fmt -q --format=short wrong.cm", 1, "", "wrong.cm:1:11: error: Expected …\n"),
            ("fmt -q --format=json wrong.cm", 1, "", "{\"file\":\"wrong.cm\",…}\n"),
            ("fmt -q bytes.cm", 1, "", "error: cannot read bytes.cm: it is not valid UTF-8…\n"),
            ("fmt -q none.cm", 1, "", "error: cannot open none.cm\n"),
            ("fmt -q note.txt", 1, "", "error: there is no .cm file to format\n"),
            ("fmt", 1, "", "error: the following required arguments were not provided:…"),
        ],
    );
    for name in ["bad.cm", "good.cm", "dir/bad.cm", "dir/deep/bad.cm", "dir/deep/bad_too.cm"] {
        assert_eq!(place.read(name), GOOD, "{name}");
    }
    assert_eq!(place.read("wrong.cm"), WRONG);
    assert_eq!(place.read("empty.cm"), "");
    assert_eq!(place.read("note.txt"), BAD);
}

#[test]
fn checking_writes_nothing() {
    let place = Place::new(&[("bad.cm", BAD), ("good.cm", GOOD), ("wrong.cm", WRONG)]);
    let diff = "--- bad.cm\n+++ bad.cm (formatted)\n@@ -1,4 +1,4 @@\n-int main()\n-{\n\
                -  int a=1; return a;\n+int main() {\n+    int a = 1;\n+    return a;\n }\n";
    check(
        &place,
        &[
            ("fmt --check good.cm", 0, "", ""),
            ("fmt --check bad.cm good.cm", 1, diff, ""),
            ("fmt --check --color=always bad.cm", 1, "\x1b[31m--- bad.cm\x1b[0m\n…", ""),
            ("fmt --check -q .", 1, "bad.cm\n", "wrong.cm:1:11: error: …"),
        ],
    );
    assert_eq!(place.read("bad.cm"), BAD);
}

#[test]
fn standard_input_and_ranges() {
    let place = Place::new(&[("two.cm", "int f(){return 1;}\nint g(){return 2;}\n")]);
    let cases = [
        ("fmt -", BAD, 0, GOOD),
        ("fmt -", GOOD, 0, GOOD),
        ("fmt -", "", 0, ""),
        ("fmt --range=1:1 -", "int a=1;\nint b=1;\n", 0, "int a = 1;\nint b=1;\n"),
        ("fmt --range=2 -", "int a=1;\nint b=1;\n", 0, "int a=1;\nint b = 1;\n"),
        ("fmt --range=7:9 -", "int a=1;\n", 0, "int a=1;\n"),
        ("fmt --check -", GOOD, 0, ""),
        ("fmt --check -q -", BAD, 1, "<stdin>\n"),
        ("fmt -", WRONG, 1, ""),
    ];
    for (args, input, exit, stdout) in cases {
        let found = place.cm_with_input(args, input);
        assert_eq!((found.exit, found.stdout.as_str()), (exit, stdout), "{args} {input}");
        assert_eq!(found.stderr.is_empty(), input != WRONG, "{}", found.stderr);
    }
    check(
        &place,
        &[
            ("fmt -q --range=2:2 two.cm", 0, "", ""),
            ("fmt --range=2:1 two.cm", 1, "", "error: invalid value '2:1'…"),
            ("fmt --range=0:1 two.cm", 1, "", "error: invalid value '0:1'…"),
            (
                "fmt --range=1:1 two.cm two.cm -",
                1,
                "",
                "error: standard input and --range are for one file\n",
            ),
        ],
    );
    assert_eq!(place.read("two.cm"), "int f(){return 1;}\nint g() {return 2;}\n");
}

#[test]
fn a_write_that_fails_leaves_the_file() {
    let place = Place::new(&[("bad.cm", BAD), ("mode.cm", BAD), ("target.txt", BAD)]);
    let path = |name: &str| place.path.join(name);
    let mode = |name: &str, mode| {
        fs::set_permissions(path(name), fs::Permissions::from_mode(mode)).expect("a mode");
    };
    mode("bad.cm", 0o444);
    mode("mode.cm", 0o751);
    std::os::unix::fs::symlink("target.txt", path("link.cm")).expect("a link");
    check(
        &place,
        &[
            ("fmt -q bad.cm", 1, "", "error: cannot write bad.cm: Permission denied\n"),
            ("fmt -q mode.cm link.cm", 0, "", ""),
        ],
    );
    assert_eq!(place.read("bad.cm"), BAD);
    assert_eq!(place.read("mode.cm"), GOOD);
    let kept = fs::metadata(path("mode.cm")).expect("a file").permissions().mode();
    assert_eq!(kept & 0o777, 0o751);
    assert!(fs::symlink_metadata(path("link.cm")).expect("a link").is_symlink());
    assert_eq!(place.read("target.txt"), GOOD);
    let names: Vec<_> = crate::files_below(&place.path);
    assert_eq!(names.len(), 5, "something was left over: {names:?}");
}
