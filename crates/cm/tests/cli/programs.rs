//! Programs that are wrong, odd or huge: messages, no cascades, no panics.

use crate::{Place, check};

#[test]
fn files_that_cannot_be_compiled() {
    let place = Place::new(&[
        ("empty.cm", ""),
        ("a.cm", "import ./b;\nint main() { return 0; }\n"),
        ("b.cm", "import ./a;\nexport int f() { return 1; }\n"),
        ("missing.cm", "import ./none;\nint main() { return 0; }\n"),
        ("imports_bad.cm", "import ./bad;\nint main() { return 0; }\n"),
        ("dir.cm/x", ""),
        ("importdir.cm", "import ./dir;\nint main() { return 0; }\n"),
    ]);
    place.write("bad.cm", b"int main() { \xff\xfe return 0; }");
    let excerpt = "…";
    let entry = format!("empty.cm:1:1: error: Entry point 'main' not found\n{excerpt}");
    let bad = "bad.cm:1:1: error: cannot read bad.cm: it is not valid UTF-8 (byte 13)\n…";
    check(
        &place,
        &[
            ("run none.cm", 1, "", "error: cannot open none.cm\n"),
            ("compile none/x.cm", 1, "", "error: cannot open none/x.cm\n"),
            ("run .", 1, "", "error: . is a directory, not a Cm file\n"),
            ("run dir.cm", 1, "", "error: dir.cm is a directory, not a Cm file\n"),
            ("run empty.cm", 1, "", &entry),
            ("compile empty.cm", 1, "", &entry),
            ("check empty.cm", 0, "…files: 1/1\n…", ""),
            ("run bad.cm", 1, "", bad),
            (
                "run imports_bad.cm",
                1,
                "",
                "bad.cm:1:1: error: cannot read bad.cm: …imports_bad.cm:1:8: note: imported here\n",
            ),
            (
                "run a.cm",
                1,
                "",
                "b.cm:1:8: error: Circular dependency detected: a.cm -> b.cm -> a.cm\n…a.cm:1:8: note: imported here\n",
            ),
            ("run missing.cm", 1, "", "missing.cm:1:8: error: Module not found: ./none\n…"),
            ("run importdir.cm", 1, "", "importdir.cm:1:8: error: …\n…"),
        ],
    );
}

#[test]
fn sizes() {
    let many = |text: &str, count: usize| text.repeat(count);
    let place = Place::new(&[]);
    let program = |body: String| format!("int main() {{ {body} return 0; }}\n");
    let deep = 10_000;
    let nested = [
        ("parens", program(format!("int x = {}1{};", many("(", deep), many(")", deep)))),
        ("blocks", program(many("{", deep) + &many("}", deep))),
        ("minus", program(format!("int x = {}1;", many("-", deep)))),
        ("ifs", program(many("if (true) { ", deep) + &many("}", deep))),
        ("arrays", program(format!("auto x = {}{};", many("[", deep), many("]", deep)))),
        ("types", format!("void f(int{} x) {{ }}\n{}", many("*", deep), program(String::new()))),
        ("generics", format!("void f({}int{} x) {{ }}\n", many("A<", deep), many(">", deep))),
    ];
    for (name, text) in &nested {
        place.write(&format!("{name}.cm"), text);
        let found = place.cm(&format!("run {name}.cm"));
        assert!(
            found.exit == 1 && found.stderr.contains("nesting is too deep"),
            "{name}: {found:?}"
        );
        assert_eq!(found.stderr.matches("error: ").count(), 1, "{name}: {}", found.stderr);
        assert!(found.stderr.len() < 2000, "{name}");
    }
    place.write("line.cm", program(String::new()) + "// " + &many("x", 10_000_000));
    place.write("text.cm", program(format!("println(\"{}\");", many("é", 5_000_000))));
    place.write(
        "wrong.cm",
        format!(
            "/*{}*/ int main() {{ return y; }} //{}",
            many("x", 5_000_000),
            many("z", 5_000_000)
        ),
    );
    place.write("sum.cm", program(format!("int x = 1{};", many(" + 1", deep))));
    place.write("statements.cm", program(many("{ } ", deep)));
    check(
        &place,
        &[
            ("run -O0 line.cm", 0, "", ""),
            ("check text.cm", 0, "…", ""),
            ("run wrong.cm", 1, "", "wrong.cm:1:5000026: error: Undefined variable 'y'\n…"),
            ("run -O0 sum.cm", 0, "", ""),
            ("run -O0 statements.cm", 0, "", ""),
        ],
    );
}

#[test]
fn one_mistake_one_message() {
    let missing = "main.cm:1:8: error: Module not found: ./none\n…";
    let programs = [
        // What comes from a module that is not there is of an unknown type, not of a wrong one.
        (
            "import ./none;\nint main() { auto x = none::f(); println(x.len()); return x + 1; }",
            missing,
        ),
        (
            "import ./none::{T, f};\nint g(T t) { return t.len() + t.x; }\nint main() { T t = f(1); t.go(); return g(t); }",
            missing,
        ),
        ("import ./none::*;\nint main() { return f(1).x; }", missing),
        (
            "struct S { Nope a; }\nint main() { S s; return s.a.len(); }",
            "main.cm:1:12: error: Unknown type 'Nope'\n…",
        ),
        (
            "int main() { auto x = y; auto z = x; return z.a + x[1] + z(); }",
            "main.cm:1:23: error: Undefined variable 'y'\n…",
        ),
        ("int main() { return (1 + ; }", "main.cm:1:26: error: Expected expression…"),
        (
            "<T> T f(T x, int n) { if (n == 0) { return x; } f<T*>(&x, n - 1); return x; }\nint main() { return f<int>(1, 3); }",
            "main.cm:1:…: error: Infinite instantiation of a generic function\n…",
        ),
        (
            "struct P<A, B> { A a; B b; }\n<T> void f(T x, int n) { if (n > 0) { P<T, T> p = P<T, T>{a: x, b: x}; f<P<T, T>>(p, n - 1); } }\nint main() { f<int>(1, 3); return 0; }",
            "main.cm:2:…: error: Infinite instantiation of a generic function\n…",
        ),
    ];
    let mut wrong = String::new();
    for (text, expected) in programs {
        let place = Place::new(&[("main.cm", text)]);
        let found = place.cm("run main.cm");
        let errors = found.stderr.matches("error: ").count();
        if found.exit != 1 || errors != 1 || !crate::fits(expected, &found.stderr) {
            wrong += &format!("{text}\n-- exit {}\n{}\n", found.exit, found.stderr);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn at_most_fifty_errors() {
    let body: String = (0..60).map(|number| format!("    v{number:02} = 1;\n")).collect();
    let place = Place::new(&[("main.cm", &format!("int main() {{\n{body}    return 0;\n}}\n"))]);
    let found = place.cm("check --format=short main.cm");
    let lines: Vec<_> = found.stderr.lines().collect();
    assert_eq!(lines.len(), 51);
    assert_eq!(lines[49], "main.cm:51:5: error: Undefined variable 'v49'");
    assert_eq!(lines[50], "too many errors");
    // So many that work for each of them on the whole line or file would never end.
    let mistake = "if (true) if ";
    for (end, stderr) in [("", "one line"), ("\n", "many lines")] {
        let text = format!("int main() {{ {} }}", format!("{mistake}{end}").repeat(20_000));
        place.write("main.cm", text);
        let found = place.cm("check main.cm");
        assert_eq!(found.exit, 1);
        assert!(found.stderr.ends_with("too many errors\n"), "{stderr}");
    }
}
