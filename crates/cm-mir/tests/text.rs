//! The text form reads back what it wrote.

use cm_mir::{dump, dump_unit, parse_function, parse_unit, unit::Unit};

#[test]
fn every_construct_survives_text_and_bytes() {
    let text = include_str!("fixtures/text/everything.mir");
    let mut unit = parse_unit(text).expect("the fixture is well-formed");
    let dumped = dump_unit(&unit);
    assert_eq!(parse_unit(&dumped).expect("a dump is well-formed"), unit);
    assert_eq!(dump_unit(&parse_unit(&dumped).expect("the same")), dumped);
    // The names of variables are not encoded.
    let locals = unit.functions.iter_mut().flat_map(|function| &mut function.locals);
    locals.for_each(|local| local.name = None);
    assert_eq!(Unit::decode(&unit.encode()).as_ref(), Some(&unit));
    let lines = |text: &str| {
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(lines(&dumped), lines(text), "declarations may move, nothing else may change");
}

#[test]
fn one_function_is_dumped_with_what_it_uses() {
    let unit = parse_unit(include_str!("fixtures/text/everything.mir")).expect("well-formed");
    for function in &unit.functions {
        assert_eq!(parse_function(&dump(function)).as_ref(), Ok(function));
    }
}

#[test]
fn errors_name_the_line_and_the_place() {
    let cases = [
        ("fn @f() {\n", "line 1: expected `}` at the end of a function"),
        ("fn @f() {\nb1:\n", "line 2: expected `b0`"),
        ("fn @f() {\nb0:\n_0 = ad _1\n", "line 3: expected a type at `ad _1`"),
        ("fn @f() {\nb0:\n_0 = _1 _2\n", "line 3: expected the end of the line at `_2`"),
        ("fn @f() {\nb0:\ncall @g()\n", "line 3: unknown function at `@g()`"),
        ("fn @f(%T) {\n", "line 1: unknown type at `%T) {`"),
        ("fn @f() {\nb0:\n_0 = \"é\\q\n", "line 3: expected valid escapes at `\"é\\q`"),
        (
            "type %T = struct { }\ntype %T = struct { i8 }",
            "line 2: declared before as something else: add `#1`",
        ),
        ("junk", "line 1: expected an item at `junk`"),
    ];
    for (text, expected) in cases {
        let error = parse_unit(text).expect_err("the text is wrong").to_string();
        assert_eq!(error, expected, "{text}");
    }
}
