//! The formatter: what it makes of programs, and what it leaves alone.

use crate::common::{defines, sources};
use cm_base::TextRange;
use cm_syntax::{dump_ast, fmt};
use std::path::Path;

fn format(text: &str) -> String {
    fmt::format(text, &defines())
}

/// The program and its comments, blanks and the places of errors apart.
fn meaning(text: &str) -> String {
    let mut file = cm_syntax::parse(text, &defines());
    file.positions = Default::default();
    let tree = dump_ast(&file);
    let words: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    format!("{words}\n{tree}")
}

/// Formatting changes neither program nor comments, and nothing that is formatted.
fn check(name: &str, text: &str) {
    let once = format(text);
    assert_eq!(meaning(&once), meaning(text), "{name} means something else:\n{once}");
    assert_eq!(format(&once), once, "{name} is formatted once more");
}

#[test]
fn conformance_programs_keep_their_meaning() {
    let mut files = sources("../../tests/conformance");
    files.extend(sources("../../libs"));
    files.extend(sources("tests/fixtures"));
    assert!(files.len() > 100);
    for path in files {
        let text = std::fs::read_to_string(&path).expect("a program");
        check(&path.display().to_string(), &text);
        // However badly it is written.
        let flat: String = text.split_inclusive('\n').map(str::trim_start).collect();
        let deep = text.replace("\n", "\r\n      \t ").replace(" = ", "=");
        for variant in [flat, deep].iter().filter(|_| !text.contains('`')) {
            check(&path.display().to_string(), variant);
        }
    }
}

/// `NAME.in` is formatted as `NAME.out`. `UPDATE=1` writes the outputs of our own.
#[test]
fn fixtures_are_formatted_as_expected() {
    let mut count = 0;
    for dir in ["tests/fixtures/format", "../../tests/conformance/tools/fmt"] {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join(dir);
        for entry in std::fs::read_dir(dir).expect("the fixtures").flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|extension| extension == "in") {
                let read = |path: &Path| std::fs::read_to_string(path).expect("a fixture");
                let (text, out) = (read(&path), path.with_extension("out"));
                check(&path.display().to_string(), &text);
                if std::env::var_os("UPDATE").is_some() && path.to_string_lossy().contains("format")
                {
                    std::fs::write(&out, format(&text)).expect("a fixture");
                }
                assert_eq!(format(&text), read(&out), "{path:?}");
                count += 1;
            }
        }
    }
    assert!(count >= 12);
}

#[test]
fn a_range_changes_nothing_outside_its_lines() {
    let text = "int f(){return 1;}\nint  g( ){\nreturn 2 ;\n}\nint h(){ return 3;}\n";
    let range = |line: &str| {
        let start = text.find(line).expect("a line") as u32;
        TextRange::at(start.into(), (line.len() as u32).into())
    };
    let formatted = |line| fmt::apply(text, &fmt::range_edits(text, &[], range(line)));
    assert_eq!(formatted("int  g( ){"), text.replace("int  g( ){", "int g() {"));
    assert_eq!(formatted("return 2 ;"), text.replace("return 2 ;", "    return 2;"));
    assert_eq!(formatted("int h(){"), text.replace("h(){ ", "h() { "));
    assert_eq!(fmt::apply(text, &fmt::edits(text, &[])), format(text));
    let beyond = TextRange::new(9000.into(), 9001.into());
    assert_eq!(fmt::range_edits(text, &[], beyond), []);
}

#[test]
fn odd_texts_are_formatted_without_panic() {
    let odd = [
        "\u{feff}",
        "\u{feff}int a=1;",
        "\n\n\n",
        "}",
        ")))",
        "]}",
        "{[(",
        "//",
        "/*",
        "`",
        "\"",
        "'",
        "#",
        "#end",
        "#else\n#else",
        "#ifdef",
        "#ifdef A\n{\n#else\n}}\n#end",
        ";;;",
        "日本//語\nä",
        "#ifdef NO\nisn't \"\n#else\nint a=1;\n#end\nint  b;",
    ];
    for text in odd {
        check(text, text);
        for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
            fmt::range_edits(text, &[], TextRange::up_to((end as u32).into()));
        }
    }
}
