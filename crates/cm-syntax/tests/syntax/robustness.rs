//! Deep, long and broken texts: no panic, no overflow of a small stack, no quadratic time.

use crate::common::{errors, parse, sources};
use cm_syntax::ast::File;
use std::{
    hash::{DefaultHasher, Hash},
    time::{Duration, Instant},
};

/// Parses on a stack of 2 MB, and does with the tree what later stages do.
fn on_small_stack(text: String) -> Vec<String> {
    let work = move || {
        let file = parse(&text);
        file.hash(&mut DefaultHasher::new());
        assert!(file == file.clone());
        assert!(!cm_syntax::dump_ast(&file).is_empty());
        errors(&text, &file)
    };
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(work);
    thread.expect("a thread").join().expect("no overflow")
}

#[test]
fn long_chains_parse() {
    let n = 5_000;
    for body in [
        format!("x = {}1;", "1 + ".repeat(n)),
        format!("f(){};", ".g(1)".repeat(n)),
        format!("if (a) {{ }}{}", " else if (b) { }".repeat(n)),
        format!("x = a{};", "[0]".repeat(n)),
        format!("x = a{};", " as int".repeat(n)),
        format!("{}{}", "f(() => { ".repeat(100), "});".repeat(100)),
        format!("x = {}c;", "a ? b : ".repeat(400)),
    ] {
        let found = on_small_stack(format!("int main() {{ {body} }}"));
        assert!(found.is_empty(), "{found:?}: {body:.40}");
    }
}

#[test]
fn deep_nesting_is_an_error() {
    let n = 100_000;
    for body in [
        format!("int{} p;", "*".repeat(n)),
        format!("x = {}1{};", "(".repeat(n), ")".repeat(n)),
        format!("x = {}1;", "(".repeat(n)),
        "{".repeat(n),
        format!("{}{}", "{".repeat(n), "}".repeat(n)),
        format!("x = {}a;", "!".repeat(n)),
        format!("x = {}c;", "a ? b : ".repeat(n)),
        format!("{}c;", "a = ".repeat(n)),
        format!("typeof({}) x;", "[".repeat(n)),
        format!("auto x = {}", "(int a) => { auto y = ".repeat(n)),
        format!("{} f();", "defer ".repeat(n)),
        format!("x = {}", "match a { _ => ".repeat(n)),
        format!("x = {}", "match ".repeat(n)),
    ] {
        let found = on_small_stack(format!("int main() {{ {body} }}\nint x = ;"));
        let deep = found.iter().filter(|error| error.contains("nesting is too deep"));
        assert!((1..10).contains(&deep.count()), "{found:.80?}: {body:.40}");
    }
    for text in ["namespace N { ".repeat(n), format!("{}int{} g;", "Box<".repeat(n), ">".repeat(n))]
    {
        let found = on_small_stack(text);
        assert!(found.iter().any(|error| error.contains("nesting is too deep")));
    }
}

/// Each text is parsed twice, the second time ten times as long; that must not take a hundred times as long.
#[test]
fn time_is_linear() {
    let texts: &[fn(usize) -> String] = &[
        |n| format!("int f() {{ x = {}a; }}", "a < ".repeat(n)),
        |n| format!("int f() {{ {} }}", "a*(b<".repeat(n)),
        |n| format!("int f() {{ s = \"{}}}\"; }}", "{a".repeat(n)),
        |n| format!("int f() {{ s = `{}`; }}", "${(a ".repeat(n)),
        |n| format!("{}{}{}", "}".repeat(n), "(".repeat(n), "}".repeat(n)),
        |n| "#ifdef A\n".repeat(n),
        |n| "int f() { return 1 + ; }\n".repeat(n),
        |n| "# ".repeat(n),
        |n| "'".repeat(n),
        |n| format!("int f() {{ {} }}", "x 1 ".repeat(n)),
        |n| format!("int f() {{ {} }}", "if ( else ".repeat(n)),
        |n| format!("enum E {{ {} }}", "A = ".repeat(n)),
        |n| format!("int x = {}", "{a: [".repeat(n)),
        |n| "extern \"C\" int f(".repeat(n),
    ];
    for text in texts {
        let time = |n: usize| {
            let text = text(n);
            let start = Instant::now();
            assert!(parse(&text).items.len() <= n);
            start.elapsed()
        };
        let (short, long) = (time(2_000), time(20_000));
        let bound = 60 * short + Duration::from_millis(300);
        assert!(long < bound, "{:.40}: {short:?} {long:?}", text(10));
    }
}

fn check(text: &str, file: &File) {
    assert!(*file == parse(text), "the same text gives the same tree");
    for error in &file.errors {
        let range = file.positions.0.get(error.at);
        assert!(usize::from(range.end()) <= text.len(), "{}", error.message);
        assert!(!error.message.contains('\n'));
    }
}

#[test]
fn mutations() {
    let programs: Vec<String> =
        [sources("tests/fixtures/programs"), sources("tests/fixtures/dumps")]
            .concat()
            .iter()
            .map(|path| std::fs::read_to_string(path).expect("a program"))
            .collect();
    let start = Instant::now();
    for step in 0..2_000 {
        let text = cm_test::mutate::case(&programs, 7, step).text;
        let file = parse(&text);
        check(&text, &file);
        assert!(!cm_syntax::dump_tokens(&text, &[]).is_empty());
    }
    assert!(start.elapsed() < Duration::from_secs(120));
}
