//! Checking whole programs: texts with `// error: PHRASE` where an error is expected, and the
//! conformance programs.

use crate::{body, decl, diagnostics, entry, thir::Instance};
use camino::Utf8PathBuf;
use cm_base::{FileText, MemorySystem, System};
use cm_db::World;
use redgreen::{Database, Registry, Root};
use std::{collections::BTreeSet, path::Path, sync::Arc};

const ARRAY_LIBRARY: &str = include_str!("../../../../libs/core/array.cm");

fn database(text: &str) -> Database {
    let system = MemorySystem::default();
    system.write("/p/main.cm", text);
    system.write("/lib/core/array.cm", ARRAY_LIBRARY);
    let world = World::new(system, "/p", "main", "/lib");
    let world: redgreen::World = Arc::new(world);
    let groups = [&cm_db::QUERIES, &crate::QUERIES, &decl::QUERIES];
    Database::new(Registry::new(&groups), world)
}

/// Lines and messages of the errors of a program.
fn errors(text: &str) -> Vec<(usize, String)> {
    let mut db = database(text);
    let found = db.attempt(|db| diagnostics(db, Root).clone());
    let line = |offset: u32| text[..(offset as usize).min(text.len())].matches('\n').count() + 1;
    found
        .expect("checking ends")
        .into_iter()
        .map(|diagnostic| (line(diagnostic.range.start), diagnostic.message))
        .collect()
}

/// The instances a program reaches whose bodies cannot be lowered.
fn not_ok(text: &str) -> Vec<String> {
    let mut db = database(text);
    db.attempt(|db| {
        let mut pending: Vec<_> = entry(db, Root).iter().cloned().collect();
        let mut seen: BTreeSet<Instance> = pending.iter().cloned().collect();
        let mut wrong = Vec::new();
        while let Some(instance) = pending.pop() {
            let Some(checked) = body::body(db, &instance) else { continue };
            if !checked.ok {
                let problems = &crate::body_findings(db, instance.clone()).problems;
                wrong.push(format!("{instance}: {problems:?}"));
            }
            for next in body::all_instances(checked) {
                if seen.insert(next.clone()) {
                    pending.push(next);
                }
            }
        }
        wrong
    })
    .expect("checking ends")
}

fn dump_main(text: &str) -> String {
    let mut db = database(text);
    db.attempt(|db| {
        let main = entry(db, Root).clone().expect("an entry point");
        body::dump(body::body(db, &main).expect("a body"))
    })
    .expect("checking ends")
}

/// Every line of a program with `// error: PHRASE` has that error, and no other line has one.
fn check(name: &str, text: &str) {
    let found = errors(text);
    let mut wanted = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for phrase in line.split("// error: ").skip(1) {
            wanted.push((index + 1, phrase.trim()));
        }
    }
    for (line, phrase) in &wanted {
        let hit = found.iter().any(|(at, message)| at == line && message.contains(phrase));
        assert!(hit, "{name}: line {line} lacks '{phrase}'; found {found:#?}");
    }
    for (line, message) in &found {
        let expected = wanted.iter().any(|(at, phrase)| at == line && message.contains(phrase));
        assert!(expected, "{name}: unexpected error at line {line}: {message}");
    }
}

fn programs(folder: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<_> = walk(&root);
    files.sort();
    let read = |path: &std::path::PathBuf| match cm_base::OsSystem
        .read(&Utf8PathBuf::try_from(path.clone()).expect("UTF-8 path"))
    {
        FileText::Text(text) => text.to_string(),
        other => panic!("{path:?}: {other:?}"),
    };
    files.iter().map(|path| (path.display().to_string(), read(path))).collect()
}

fn walk(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in dir.read_dir().into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(walk(&path));
        } else if path.extension().is_some_and(|ext| ext == "cm") {
            found.push(path);
        }
    }
    found
}

#[test]
fn conformance_programs_are_accepted_or_rejected_as_they_say() {
    let folder = std::env::var("CM_CONFORMANCE").unwrap_or("../../tests/conformance/core".into());
    let filter = std::env::var("CM_FILTER").unwrap_or_default();
    let mut failures = Vec::new();
    let mut count = 0;
    for (path, text) in programs(&folder).into_iter().filter(|(path, _)| path.contains(&filter)) {
        count += 1;
        let found = errors(&text);
        let wanted = std::fs::read_to_string(path.replace(".cm", ".err")).ok();
        let fits = match wanted.as_deref().and_then(|wanted| wanted.trim().strip_prefix("line ")) {
            None => {
                let wrong = if found.is_empty() { not_ok(&text) } else { Vec::new() };
                assert!(wrong.is_empty(), "{path}: cannot be lowered: {wrong:#?}");
                found.is_empty()
            }
            Some(wanted) => {
                let (line, phrase) = wanted.split_once(": ").expect("line N: PHRASE");
                let line: usize = line.parse().expect("a line number");
                found.iter().any(|(at, message)| *at == line && message.contains(phrase))
            }
        };
        if !fits {
            failures.push(format!("{path}: wanted {wanted:?}, found {found:#?}"));
        }
    }
    println!("{count} programs");
    assert!(count > 0 || !Path::new(&folder).exists(), "no program under {folder}");
    assert!(failures.is_empty(), "{} failures\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn mistakes_are_reported_where_they_are() {
    let programs = programs("src/body/fixtures");
    assert!(programs.len() >= 5, "the fixtures are here");
    for (name, text) in programs {
        check(&name, &text);
    }
}

#[test]
fn typed_bodies_have_a_stable_text() {
    let text = "
        struct D { default int n; }
        const int K = 2 + 3 * 4;
        const int[2] TABLE = [K, 7];
        int add(int a, int b = K) { return a + b; }
        int main() {
            tiny t = 300;
            t += 1;
            D d = t;
            uint u = 5;
            bool m = t < u;
            long w = add(TABLE[1]) as long;
            int*(int) f = (int x) => (x * w) as int;
            string s = \"a\" + t + 1.5;
            for (c in [1, 2]) { defer println(\"{c:03}\"); }
            int[] xs = [f(1)];
            xs.push(d);
            return match (u) { 1...3 => 1, n if n > 4 => 2, _ => 0 };
        }";
    assert_eq!(errors(text), []);
    let wanted = include_str!("fixtures/main.hir");
    assert_eq!(dump_main(text), wanted, "\n{}", dump_main(text));
}

/// Programs with tokens taken away, doubled and exchanged are checked without a panic.
#[test]
fn no_text_makes_the_checker_panic() {
    let seeds = programs("src/body/fixtures");
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |bound: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % bound.max(1) as u64) as usize
    };
    let rounds: usize = std::env::var("CM_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(60);
    let extra = std::env::var("CM_CONFORMANCE").map(|dir| programs(&dir)).unwrap_or_default();
    let seeds: Vec<_> = seeds.into_iter().chain(extra).collect();
    for _ in 0..rounds {
        let (name, text) = &seeds[next(seeds.len())];
        let mut words: Vec<&str> = text.split_inclusive([' ', '(', ')', ';', ',', '.']).collect();
        for _ in 0..1 + next(3) {
            let (a, b) = (next(words.len()), next(words.len()));
            match next(3) {
                0 => drop(words.remove(a)),
                1 => words.insert(a, words[b]),
                _ => words.swap(a, b),
            }
        }
        let mutant: String = words.concat();
        let caught = std::panic::catch_unwind(|| errors(&mutant).len());
        assert!(caught.is_ok(), "seed {name} fails as:\n{mutant}");
    }
}

/// Long chains, long functions and many arms take linear time, and no stack.
#[test]
fn long_programs_are_checked() {
    let chain = |unit: &str, n: usize| unit.repeat(n);
    let arms: String = (0..2000).map(|n| format!("{n} => {n}, ")).collect();
    let many: String = (0..5000).map(|n| format!("int v{n} = {n} + 1; v{n} += v{n};\n")).collect();
    let text = format!(
        "struct P {{ int x; }}
        impl P {{ P go(int n) {{ return self; }} }}
        int f(int a) {{ return match (a) {{ {arms} _ => 0 }}; }}
        const int SUM = 1{};
        string g(string s) {{ return s{}; }}
        int main() {{
            P p;
            p{}.go(1);
            {many}
            return SUM;
        }}",
        chain(" + 1", 5000),
        chain(" + s", 5000),
        chain(".go(1)", 5000),
    );
    assert_eq!(errors(&text), []);
}

/// Types are walked recursively, so arrays in arrays have a limit.
#[test]
fn arrays_are_not_nested_without_end() {
    let nested = |depth: usize| {
        format!(
            "int main() {{\n    auto x = {}1{};\n    return 0;\n}}",
            "[".repeat(depth),
            "]".repeat(depth)
        )
    };
    assert_eq!(errors(&nested(200)), []);
    for depth in [201, 900] {
        assert_eq!(errors(&nested(depth)), [(2, "nesting is too deep".to_owned())]);
    }
}
