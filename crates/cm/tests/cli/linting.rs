//! `cm lint` (`14-formatter-linter.md` §14.2 and §14.3).

use crate::{Place, check};

/// All rules on, so that each is seen.
const ALL: &str = "lint:\n  rules:\n    W005: warning\n    L002: hint\n";

/// Programs, and what is found in them: `LINE:COLUMN NAME CODE`, the name if the message has one.
const FOUND: &[(&str, &str)] = &[
    ("int main() { int used = 1; return used; }", "1:18 used L002"),
    ("int main() { int x = 1; x = 2; return 0; }", "1:18 x W001"),
    ("int main() { int x = 1; x++; x += 2; return 0; }", "1:18 x W001"),
    ("int main() { int x = 1; int y = x++; return y; }", "1:29 y L002"),
    ("int main() { int[2] a; a[0] = 1; return 0; }", ""),
    ("int main() { for (int i = 0; i < 2; i++) { } return 0; }", ""),
    ("int main() { string s = \"{1}\"; println(\"a {s}\"); return 0; }", "1:21 s L002"),
    (
        "int main() { int[2] v = [1, 2]; for (int x in v) { } return 0; }",
        "1:21 v L002, 1:42 x W001",
    ),
    ("int f(int a, int _b) { return 1; } int main() { return f(1, 2); }", "1:11 a W005"),
    ("int main() { return 1; return 2; }", "1:24 W002"),
    ("int main() { if (true) { return 1; } else { return 2; } return 3; }", "1:57 W002"),
    ("int main() { while (true) { break; } return 3; }", ""),
    ("int main() { while (true) { } return 3; }", "1:31 W002"),
    ("int main() { while ((true)) { continue; } return 3; }", "1:43 W002"),
    ("int main() { for (;;) { while (true) { break; } } return 3; }", "1:51 W002"),
    ("int main() { for (int i = 0; true; i++) { if (i > 2) { break; } } return 3; }", ""),
    ("int main() { while (true) { match (1) { _ => { break; } } } return 3; }", ""),
    ("int main() { while (true) { switch (1) { case (1) { break; } } } return 3; }", ""),
    ("int main() { while (1 == 1) { } return 3; }", ""),
    (
        "int f(bool b) { if (b) { while (true) { } } else { return 1; } return 3; } int main() { return f(true); }",
        "1:64 W002",
    ),
    ("int main() { int x = 1; { int x = 2; x = x; } x = 3; return x; }", "1:31 x W006"),
    (
        "int main() { { int x = 1; x++; } { int x = 2; x++; } return 0; }",
        "1:20 x W001, 1:40 x W001",
    ),
    ("int unused() { return unused(); } int main() { return 0; }", "1:5 unused W007"),
    ("int scratch() { return 1; }", ""),
    ("export int seen() { return 1; } int main() { return 0; }", ""),
    ("int listed() { return 1; } export { listed }; int main() { return 0; }", ""),
    ("int main() { int x; return x; }", "1:28 x W008"),
    ("int main() { int x; x = 1; return x; }", ""),
    ("int main() { int x; x += 1; return x; }", "1:21 x W008"),
    ("int main() { int x; int* p = &x; *p = 1; return x; }", "1:26 p L002"),
    ("int main() { int x; return sizeof(x) as int; }", ""),
    ("struct P { int x; } int main() { P p; return p.x; }", "1:46 p W008"),
    ("struct P { int x; } int main() { P p; p.x = 1; return p.x; }", ""),
    ("#[inline] int f() { return 1; } #[cfg(a)] int main() { return f(); }", "1:3 inline W010"),
    (
        "int* f(int a) { int* p = &a; return p; } int main() { f(1); return 0; }",
        "1:22 p L002, 1:37 a W102",
    ),
    (
        "int* f(int* a) { int* p = a; return p; } int main() { return 0; }",
        "1:23 p L002, 1:6 f W007",
    ),
    ("<T, U> T f(T a) { return a; } int main() { return f<int, int>(1); }", "1:5 U W200"),
    ("struct B<T> { int x; } int main() { return 0; }", "1:10 T W200"),
    ("enum E { A, B, _C } int main() { E e = E::A; return e as int; }", "1:36 e L002, 1:13 B W301"),
    ("export enum E { A, B } int main() { return 0; }", ""),
    ("int main() { match (1) { 1 => 2, _ => 3 } return 0; }", "1:14 W302"),
    ("int main() { match (1) { 1 => println(2), _ => println(3) } return 0; }", ""),
    ("interface bad_face { int f(); } int main() { return 0; }", "1:11 bad_face L104"),
    (
        "typedef number = int; int main() { number n = 1; return n; }",
        "1:43 n L002, 1:9 number L104",
    ),
    ("namespace n { int Odd() { return 1; } } int main() { return n::Odd(); }", ""),
    ("struct P { int x; } impl P { int Odd() { return self.x; } } int main() { return 0; }", ""),
    ("import std::io::println; int main() { return 0; }", "1:17 println W004"),
    ("import std::io::{println, print}; int main() { print(1); return 0; }", "1:18 println W004"),
    ("import std::io::println; int main() { println(1); return 0; }", ""),
    ("export import std::io::println; int main() { return 0; }", ""),
];

#[test]
fn every_rule_finds_what_it_should() {
    let place = Place::new(&[(".cmconfig.yml", ALL)]);
    let mut wrong = String::new();
    for (text, expected) in FOUND {
        place.write("a.cm", format!("{text}\n"));
        let found = place.cm("lint -q --no-cache --format=short a.cm");
        let lines = found.stderr.lines().map(|line| {
            let mut parts = line.split(':');
            let (line, column) =
                (parts.nth(1).unwrap_or_default(), parts.next().unwrap_or_default());
            let rest: String = parts.collect();
            let name = rest.split('\'').nth(1).filter(|name| *name != "match");
            let code = rest.rsplit(['[', ']']).nth(1).unwrap_or(&rest);
            let name = name.map(|name| format!("{name} ")).unwrap_or_default();
            format!("{line}:{column} {name}{code}")
        });
        let lines = lines.collect::<Vec<_>>().join(", ");
        if lines != *expected || found.exit != 0 {
            wrong += &format!("{text}\n  expected {expected}\n  found    {lines}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn configuration() {
    let unused = "int main() { int x = 1; return 0; }\n";
    let place = Place::new(&[
        ("a.cm", unused),
        ("sub/b.cm", unused),
        ("wrong.cm", "int main() { int x = 1; return y; }\n"),
    ]);
    let warning = "a.cm:1:18: warning: Variable 'x' is never used [W001]\n";
    check(
        &place,
        &[
            (
                "lint --format=short a.cm",
                0,
                "\nlint\nfiles: 1/1\nerrors: 0, warnings: 1\n",
                warning,
            ),
            ("check --format=short a.cm", 0, "\ncheck\n…", warning),
            ("check --format=short a.cm", 0, "\ncheck\n…", warning),
            ("run a.cm", 0, "", ""),
            ("compile -q a.cm", 0, "", ""),
            (
                "check -q --format=json a.cm",
                0,
                "",
                "{\"file\":\"a.cm\",\"line\":1,\"column\":18,\"end_line\":1,\"end_column\":19,\
                 \"severity\":\"warning\",\"code\":\"W001\",…}\n",
            ),
            (
                "lint -q --format=short wrong.cm",
                1,
                "",
                "wrong.cm:1:32: error: Undefined variable 'y'\n\
                 wrong.cm:1:18: warning: Variable 'x' is never used [W001]\n",
            ),
        ],
    );
    place.write(".cmconfig.yml", "lint:\n  rules:\n    W001: error\n");
    let error = "…: error: Variable 'x' is never used [W001]\n";
    check(&place, &[("lint --format=short a.cm", 1, "…errors: 1, warnings: 0\n", error)]);
    let below =
        place.command("lint -q --no-cache b.cm").current_dir(place.path.join("sub")).output();
    assert_eq!(below.expect("cm runs").status.code(), Some(1));
    place.write(".cmconfig.yml", "lint:\n  preset: odd\n  rules:\n    W001: hint\n    X9: off\n");
    check(
        &place,
        &[(
            "check -q --format=short a.cm",
            0,
            "",
            ".cmconfig.yml:2:3: warning: unknown preset 'odd'\n\
             .cmconfig.yml:5:5: warning: unknown rule 'X9'\n\
             a.cm:1:18: hint: Variable 'x' is never used [W001]\n",
        )],
    );
}

#[test]
fn what_is_safe_is_mended() {
    let before = "import std::io::{println, print};\nimport std::io::println;\n\
                  struct bad_name {\n    int v;\n}\n\
                  int BadFunc(int x) {\n    int camelCase = x;\n    const int badConst = 2;\n    int idle = 1;\n\
                  \x20   idle = 2;\n    return camelCase + badConst;\n}\n\
                  int main() {\n    bad_name b = bad_name { v: BadFunc(1) };\n    string sOne = \"{b.v}\";\n\
                  \x20   print(\"{sOne}\");\n    return b.v;\n}\n";
    let after = "import std::io::{print};\n\
                 struct BadName {\n    int v;\n}\n\
                 int bad_func(int x) {\n    int camel_case = x;\n    const int BAD_CONST = 2;\n    int _idle = 1;\n\
                 \x20   _idle = 2;\n    return camel_case + BAD_CONST;\n}\n\
                 int main() {\n    BadName b = BadName { v: bad_func(1) };\n    string s_one = \"{b.v}\";\n\
                 \x20   print(\"{s_one}\");\n    return b.v;\n}\n";
    let taken = "int snake_case() { return 1; }\nint main() { int snakeCase = 2; return snakeCase + snake_case(); }\n";
    let wrong = "int main() { int badName = 1; return y; }\n";
    let place = Place::new(&[("a.cm", before), ("taken.cm", taken), ("wrong.cm", wrong)]);
    check(
        &place,
        &[
            ("lint --fix --format=short a.cm", 0, "…warnings: 0\nmended: 8\n", ""),
            (
                "lint --fix -q --format=short taken.cm",
                0,
                "",
                "…'snakeCase' should be snake_case [L101]\n",
            ),
            ("lint --fix -q --format=short wrong.cm", 1, "", "…"),
        ],
    );
    assert_eq!(place.read("a.cm"), after);
    assert_eq!(place.read("taken.cm"), taken);
    assert_eq!(place.read("wrong.cm"), wrong);
    assert_eq!(place.cm("run --no-cache a.cm").stdout, "3");
    let input = place.cm_with_input("lint --fix -q -", "int main() { int x = 1; return 0; }\n");
    assert_eq!(input.stderr, "error: standard input cannot be mended in place\n");
}

/// Modules of which programs import names in bulk.
const MODULES: &[(&str, &str)] = &[
    (
        "geo.cm",
        "export int area(int w) { return w; }\nexport namespace units { const int M = 1; }\n",
    ),
    ("all.cm", "export import ./geo;\n"),
    (
        "show.cm",
        "export interface Show { int show(); }\nimpl int for Show { int show() { return self; } }\n",
    ),
    ("via.cm", "import ./show;\nexport int via() { return 1; }\n"),
    ("called.cm", "export extern \"C\" int called_back(int x) { return x; }\n"),
    ("tested.cm", "export int f() { return 1; }\n#[test]\nbool fine() { return f() == 1; }\n"),
    ("dir/a.cm", "export int first() { return 1; }\n"),
    ("dir/sub/b.cm", "export int second() { return 2; }\n"),
];

/// Imports of them, what else is in the program, and where the unused import is, or `""`.
const BULK: &[(&str, &str, &str)] = &[
    ("import ./geo;", "area(1)", ""),
    ("import ./geo;", "geo::area(1)", ""),
    ("import ./geo;", "units::M", ""),
    ("import ./geo;", "1", "1:8 'geo'"),
    ("import ./geo::*;", "1", "1:8 'geo'"),
    ("import ./geo::*;", "area(1)", ""),
    ("import ./geo::units;", "M", ""),
    ("import ./geo::units;", "1", "1:15 'units'"),
    ("import ./geo as g;", "1", "1:17 'g'"),
    ("import ./geo as g;", "g::area(2)", ""),
    ("import ./all;", "area(1)", ""),
    ("import ./all;", "all::geo::area(1)", ""),
    ("import ./all::*;", "1", "1:8 'all'"),
    ("import ./geo::{area, units};", "area(1)", "1:22 'units'"),
    ("import ./geo; int area(int x) { return x; }", "area(1)", "1:8 'geo'"),
    ("import std::math;", "1", "1:13 'math'"),
    ("import std::math;", "gcd(4, 6)", ""),
    ("import std::io;", "{ println(1); 1 }", ""),
    ("import std::collections::*;", "1", "1:13 'collections'"),
    // A module can matter without its names.
    ("import ./show;", "1", ""),
    ("import ./via;", "1", ""),
    ("import ./called;", "1", ""),
    ("import ./tested;", "1", ""),
    ("import ./dir/*;", "1", "1:8 'dir'"),
    ("import ./dir/*;", "second()", ""),
    ("import ./dir/*;", "sub::second()", ""),
    ("import ./dir/*;", "a::first()", ""),
    ("import ./dir/*::{a};", "first()", ""),
    ("import ./geo; export { geo };", "1", ""),
    ("export import ./geo;", "1", ""),
];

#[test]
fn imports_in_bulk_that_nobody_needs_are_found() {
    let place = Place::new(MODULES);
    let mut wrong = String::new();
    for (import, value, expected) in BULK {
        let value = match value.strip_prefix("{ println(1); 1 }") {
            Some(_) => "println(1); return 1",
            None => &format!("return {value}"),
        };
        let text = format!("{import}\nint main() {{ {value}; }}\n");
        place.write("a.cm", &text);
        let found = place.cm("lint -q --no-cache --format=short a.cm");
        let expected = match expected.split_once(' ') {
            Some((at, name)) => {
                let at = at.to_owned();
                format!("a.cm:{at}: warning: Import {name} is never used [W004]\n")
            }
            None => String::new(),
        };
        if found.stderr != expected {
            wrong += &format!("{text}  expected {expected}\n  found    {}\n", found.stderr);
            continue;
        }
        place.cm("lint -q --fix a.cm");
        let mended = place.cm("lint -q --format=short --no-cache a.cm");
        if mended.exit != 0
            || !mended.stderr.is_empty()
            || (expected.is_empty() && place.read("a.cm") != text)
        {
            wrong += &format!("{text}  mended: {}\n{}\n", place.read("a.cm"), mended.stderr);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn entries_of_lists_are_taken_out_one_by_one() {
    let place = Place::new(&[(
        "m.cm",
        "export int a() { return 1; }\nexport int b() { return 2; }\nexport int c() { return 3; }\n",
    )]);
    for (before, after) in [
        ("import ./m::{a, b, c};", "import ./m::{b};"),
        ("import ./m::{a as x, b, c as y};", "import ./m::{b};"),
        ("import ./m::{\n    a,\n    b,\n    c,\n};", "import ./m::{\n    b,\n};"),
        // A comment may be about anything.
        ("import ./m::{a, b /* two */, c};", "import ./m::{b /* two */, c};"),
        ("import ./m::{a, c}; import ./m::{b};", " import ./m::{b};"),
    ] {
        let main = "\nint main() { return b(); }\n";
        place.write("a.cm", format!("{before}{main}"));
        place.cm("lint -q --fix a.cm");
        assert_eq!(place.read("a.cm"), format!("{after}{main}"), "{before}");
    }
}
