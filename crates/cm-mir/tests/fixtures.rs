//! Texts of MIR that are run or verified, with what must come out written in their comments:
//! `//> ` a line of standard output, `//! ` of standard error, `//= ` how the run ends, `//% ` how
//! many counted objects are left then (where nothing else is said, that is not looked at), `//~ ` an
//! error of the verifier.

use cm_mir::{
    dump,
    interp::{Captured, Outcome, Program, run},
    parse_function, parse_unit,
    passes::{count_references, join_strings, optimize},
    unit::Unit,
    verify, verify_unit,
};
use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

fn each_fixture(dir: &str, check: impl Fn(&str, &str)) {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(dir);
    let mut paths: Vec<_> = fs::read_dir(dir).expect("fixtures").flatten().collect();
    paths.sort_by_key(|entry| entry.path());
    assert!(!paths.is_empty());
    let mut failed = 0;
    for entry in paths {
        let text = fs::read_to_string(entry.path()).expect("a text");
        let name = entry.path().display().to_string();
        // The others run too; the panic has printed what is wrong with this one.
        failed += usize::from(catch_unwind(AssertUnwindSafe(|| check(&name, &text))).is_err());
    }
    assert_eq!(failed, 0, "fixtures failed");
}

/// The comment lines with this mark.
fn marked(text: &str, mark: &str) -> Vec<String> {
    let lines = text.lines().filter_map(|line| line.trim_start().strip_prefix(mark));
    lines.map(|line| line.strip_prefix(' ').unwrap_or(line).to_owned()).collect()
}

fn sorted(mut unit: Unit) -> Unit {
    unit.functions.sort_by_key(|f| f.decl.symbol);
    unit.globals.sort_by_key(|g| g.decl.symbol);
    unit
}

fn check_run(name: &str, text: &str, unit: &Unit) {
    let mut host = Captured::default();
    let outcome = run(&Program::new(&unit.functions, &unit.globals), "main", &mut host);
    let end = match outcome {
        Outcome::Exit(status) => format!("exit {status}"),
        Outcome::Panic => "panic".to_owned(),
        Outcome::Trap(message) => format!("trap {message}"),
    };
    let lines = |bytes: &[u8]| {
        String::from_utf8_lossy(bytes).lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let found = (lines(&host.stdout), lines(&host.stderr), vec![end]);
    let expected = (marked(text, "//>"), marked(text, "//!"), marked(text, "//="));
    for left in marked(text, "//%") {
        assert_eq!(left, host.leaked.to_string(), "{name}");
    }
    assert!(found == expected, "{name}\nexpected {expected:#?}\nfound {found:#?}");
}

#[test]
fn programs_do_what_their_comments_say() {
    each_fixture("run", |name, text| {
        let unit = sorted(parse_unit(text).unwrap_or_else(|error| panic!("{name}: {error}")));
        verify_unit(&unit).unwrap_or_else(|errors| panic!("{name}: {errors:#?}"));
        check_run(name, text, &unit);
        // What is undefined need not trap any more when passes have seen it.
        let levels = if text.contains("//= trap") { 0..=0 } else { 0..=2 };
        for level in levels {
            let mut better = unit.clone();
            better.functions.iter_mut().for_each(|function| optimize(function, level));
            verify_unit(&better).unwrap_or_else(|errors| panic!("{name} at {level}: {errors:#?}"));
            check_run(&format!("{name} at {level}"), text, &better);
            let once = better.clone();
            better.functions.iter_mut().for_each(|function| optimize(function, 0));
            assert_eq!(once, better, "{name} at {level} is not cleaned up");
        }
    });
}

#[test]
fn the_verifier_finds_what_is_wrong_and_nothing_else() {
    each_fixture("verify", |name, text| {
        let unit = parse_unit(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let errors = verify_unit(&unit).err().unwrap_or_default();
        let found: Vec<_> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(found, marked(text, "//~"), "{name}");
    });
}

/// Each function of a file is followed, after `//== LEVEL`, `//== joins` or `//== counts`, by what the passes make of
/// it.
#[test]
fn passes_make_what_is_expected() {
    each_fixture("passes", |name, text| {
        let sections: Vec<&str> = text.split("//== ").collect();
        let mut function = parse_function(sections[0]).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(sections.len() > 1, "{name} expects nothing");
        for section in &sections[1..] {
            let (level, expected) = section.split_once('\n').expect("a level and a function");
            let expected = parse_function(expected).unwrap_or_else(|e| panic!("{name}: {e}"));
            let mut found = function.clone();
            match level.trim() {
                "joins" => {
                    join_strings(&mut found);
                    optimize(&mut found, 0);
                    assert_eq!(verify(&found), Ok(()), "{name}");
                }
                "counts" => {
                    count_references(&mut found);
                    optimize(&mut found, 0);
                    assert_eq!(verify(&found), Ok(()), "{name}");
                }
                level => optimize(&mut found, level.parse().expect("a level")),
            }
            assert!(found == expected, "{name} at {level}:\n{}", dump(&found));
        }
        optimize(&mut function, 0);
        assert_eq!(verify(&function), Ok(()), "{name}");
    });
}
