//! Trees, tokens and errors of the fixtures.

use crate::common::{defines, errors, parse, sources};

/// Snapshots of trees: `snapshots/`.
#[test]
fn dumps() {
    let files = sources("tests/fixtures/dumps");
    assert_eq!(files.len(), 2);
    for path in files {
        let text = std::fs::read_to_string(&path).expect("a fixture");
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        insta::with_settings!({ snapshot_path => "../../../../snapshots/cm-syntax", prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(name, cm_syntax::dump_ast(&parse(&text)));
        });
    }
}

#[test]
fn token_dump() {
    let text = "import ./a/*; // x\n#ifdef NO\n\"\n#end\nx >>= 1.5e3 + `a\nb`;";
    insta::with_settings!({ snapshot_path => "../../../../snapshots/cm-syntax", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("tokens", cm_syntax::dump_tokens(text, &defines()));
    });
}

/// `fixtures/errors.txt`: after `=== NAME` a source, after `---` all of its errors.
#[test]
fn error_table() {
    let table = include_str!("../fixtures/errors.txt");
    let mut wrong = String::new();
    for case in table.split("=== ").skip(1) {
        let (name, rest) = case.split_once('\n').expect("a name");
        let (source, expected) = rest.split_once("\n---\n").expect("a separator");
        let source = format!("{source}\n");
        let found = errors(&source, &parse(&source));
        if found != expected.lines().collect::<Vec<_>>() {
            wrong += &format!("=== {name}\n---\n{}\n", found.join("\n"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
