use super::*;
use std::{collections::BTreeSet, fs, path::Path};

#[test]
fn every_code_has_both_languages() {
    let mut codes = BTreeSet::new();
    assert!(CATALOGUE.len() > 200);
    for entry in CATALOGUE.iter() {
        let code = entry.code;
        assert!(codes.insert(code), "{code} occurs twice");
        let japanese = entry.japanese.texts.concat();
        let foreign = !japanese.is_ascii();
        assert!(foreign && !entry.english.texts.concat().is_empty(), "{code} lacks a language");
        let count = entry.english.arguments.len();
        assert_eq!(entry.english.arguments, Vec::from_iter(0..count), "{code}");
        let all: BTreeSet<usize> = entry.japanese.arguments.iter().copied().collect();
        assert_eq!(all, BTreeSet::from_iter(0..count), "{code} loses an argument");
    }
    for rule in cm_lint::Rule::ALL {
        let about_name = rule.message("").contains("''");
        let message = rule.message(if about_name { "x" } else { "" });
        let text = message.rsplit_once(" [").map_or("", |(text, _)| text);
        assert!(codes.contains(rule.code()), "{} is missing", rule.code());
        assert!(find(text).is_some(), "{message} is not in the catalogue");
        assert_ne!(translate(&message, Lang::Japanese), message);
    }
}

#[test]
fn arguments_go_where_they_belong() {
    for (message, expected) in [
        ("Undefined variable 'function'", "変数 'function' は定義されていません"),
        (
            "Function 'f' expects 2 arguments, got 1",
            "関数 'f' の引数は 2 個のはずですが 1 個あります",
        ),
        ("Unknown field 'a' in struct 'P'", "構造体 'P' にフィールド 'a' はありません"),
        ("Variable 'x' is never used [W001]", "変数 'x' は使われていません [W001]"),
        (
            "Add operator requires numeric operands, got 'A' and 'B'",
            "加算には数値が必要です ('A' と 'B' です)",
        ),
        (
            "Unknown type 'Pint'; did you mean 'Point'?",
            "不明な型 'Pint' です。'Point' のことですか?",
        ),
        ("what nobody says", "what nobody says"),
    ] {
        assert_eq!(translate(message, Lang::Japanese), expected);
        assert_eq!(translate(message, Lang::English), message);
    }
    assert_eq!(code("Undefined variable 'x'"), Some("E0501"));
    assert_eq!(code("too many '{' without '}' in a string"), Some("E0011"));
}

/// Whatever the front end says to users is in the catalogue.
#[test]
fn every_message_of_the_front_end_has_a_code() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut missing = Vec::new();
    for place in [
        "cm-hir/src",
        "cm-db/src",
        "cm-syntax/src/parser",
        "cm-syntax/src/lexer.rs",
        "cm-syntax/src/preprocess.rs",
    ] {
        for file in rust_files(&crates.join(place)) {
            let source = fs::read_to_string(&file).expect("a source file");
            let source = source.split("#[cfg(test)]").next().unwrap_or_default();
            for (before, literal) in literals(source) {
                let literal = literal.replace("{meant}", "");
                let message = with_names(&literal);
                if is_message(&before, &literal) && code(&message).is_none() {
                    missing.push(format!("{}: {literal}", file.display()));
                }
            }
        }
    }
    assert!(missing.is_empty(), "not in catalogue.txt:\n{}", missing.join("\n"));
}

/// So are the reasons for which the command gives up.
#[test]
fn every_reason_to_give_up_has_a_code() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut missing = Vec::new();
    for file in ["cm-driver/src", "cm/src"].iter().flat_map(|place| rust_files(&crates.join(place)))
    {
        let source = fs::read_to_string(&file).expect("a source file");
        let source = source.split("#[cfg(test)]").next().unwrap_or_default();
        for (before, literal) in literals(source) {
            let reason = !before.ends_with("expect(")
                && ["cannot ", "no ", "there is", "there are"]
                    .iter()
                    .any(|s| literal.starts_with(s));
            let message = with_names(&literal);
            if reason && message.lines().count() == 1 && code(message.trim_end()).is_none() {
                missing.push(format!("{}: {literal}", file.display()));
            }
        }
    }
    assert!(missing.is_empty(), "not in catalogue.txt:\n{}", missing.join("\n"));
}

fn rust_files(path: &Path) -> Vec<std::path::PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = fs::read_dir(path).expect("a directory").flatten();
    let mut files: Vec<_> = entries.flat_map(|entry| rust_files(&entry.path())).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "rs"));
    files.retain(|file| {
        file.file_name()
            .is_some_and(|name| name != "tests.rs" && name != "dump.rs" && name != "hints.rs")
    });
    files
}

/// The string literals of a Rust file, each with what stands before it.
fn literals(source: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let bytes = source.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                at += source[at..].find('\n').unwrap_or(source.len() - at);
            }
            b'\'' if bytes.get(at + 1) == Some(&b'\\') => at += 4,
            b'\'' if bytes.get(at + 2) == Some(&b'\'') => at += 3,
            b'"' => {
                let start = at + 1;
                at = start;
                while bytes[at] != b'"' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                let before = source[..start - 1].trim_end();
                let line = before.rfind('\n').map_or(0, |line| line + 1);
                found.push((before[line..].to_owned(), unescape(&source[start..at])));
                at += 1;
            }
            _ => at += 1,
        }
    }
    found
}

/// Without the line ends that a backslash takes away.
fn unescape(literal: &str) -> String {
    let mut parts = literal.split("\\\n");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.trim_start())
}

/// A literal as a message: `{…}` stands for a name.
fn with_names(literal: &str) -> String {
    let mut out = String::new();
    let mut rest = literal;
    while let Some((before, after)) = rest.split_once('{') {
        out += before;
        match after.split_once('}') {
            Some((name, after))
                if name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_:?".contains(&b)) =>
            {
                out += "x1";
                rest = after;
            }
            _ => {
                out.push('{');
                rest = after;
            }
        }
    }
    out + rest
}

/// Whether a literal is told to users: it has words, and is no reason for a programmer.
fn is_message(before: &str, literal: &str) -> bool {
    let inner =
        ["expect(", "reason =", "assert", "operator", "impl_name(", "write!(", "starts_with("];
    let name =
        ["operator ", "impl ", "namespace ", "export ", "import ", "const ", "layout of", "{}"];
    let part = ["; did you mean", "{name} {{"];
    literal.contains(' ')
        && with_names(literal).replace("x1", "").matches(|c: char| c.is_alphabetic()).count() > 5
        && !inner.iter().any(|word| before.contains(word))
        && !name.iter().any(|start| literal.starts_with(start))
        && !part.iter().any(|start| literal.starts_with(start))
}
