//! Programs that must parse, and those with a syntax error.

use crate::common::{errors, parse, sources};

/// The beginnings of messages that the parser gives.
const SYNTAX: &[&str] = &[
    "Expected",
    "Unterminated #",
    "Unmatched #",
    "#ifdef",
    "unterminated",
    "Invalid number",
    "named initialization required",
    "Only one default",
    "'volatile'",
    "'mutable'",
    "'*T'",
    "'pub'",
    "'template'",
    "'typename'",
    "Default argument required",
    "already used",
    "Duplicate else",
    "is not yet implemented",
    "Unknown or invalid directive",
];

/// A program beside a `.err` whose phrase is one of [`SYNTAX`] has that error at that line; the others parse.
#[test]
fn programs() {
    let mut files = sources("tests/fixtures/programs");
    files.extend(sources("../../tests/conformance/core"));
    files.extend(sources("../../tests/conformance/std"));
    assert!(files.len() >= 6);
    for path in files {
        let text = std::fs::read_to_string(&path).expect("a program");
        let found = errors(&text, &parse(&text));
        let expected = std::fs::read_to_string(path.with_extension("err")).unwrap_or_default();
        let expected = expected.trim().trim_start_matches("line ");
        match expected.split_once(": ") {
            Some((line, phrase)) if SYNTAX.iter().any(|start| phrase.starts_with(start)) => {
                let start = format!("{line}: ");
                let hit = |error: &String| error.starts_with(&start) && error.contains(phrase);
                assert!(found.iter().any(hit), "{}: {found:?}", path.display());
            }
            _ => assert!(found.is_empty(), "{}: {found:?}", path.display()),
        }
    }
}
