//! How the cache is configured, looked at and kept small, and what its entries depend on.

use crate::{Place, check, files_below, outcome};
use camino::Utf8Path;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::MetadataExt,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

const FILES: [(&str, &str); 2] = [
    ("main.cm", "import ./geo::{area};\nint main() { println(\"hi\"); return area(21); }\n"),
    ("geo.cm", "export int area(int a) { return a * 2; }\n"),
];

/// What `cm cache stats` says of the store.
fn store(place: &Place, dir: &str) -> Value {
    let found = place.cm(&format!("cache stats --format=json --cache-dir={dir}"));
    assert_eq!(found.exit, 0, "{found:?}");
    let value: Value = serde_json::from_str(&found.stdout).expect("JSON");
    value["store"].clone()
}

fn number(value: &Value, name: &str) -> u64 {
    value[name].as_u64().unwrap_or_else(|| panic!("no {name} in {value}"))
}

#[test]
fn where_the_cache_is() {
    let place = Place::new(&FILES);
    let built = |args: &str, dir: &str| {
        let mut command = place.command(&format!("run -O0 {args} main.cm"));
        command.env("CM_CACHE_DIR", "from_env");
        assert_eq!(outcome(command.spawn().expect("cm starts")).exit, 42, "{args}");
        assert!(place.path.join(dir).exists(), "{args}: {dir}");
        fs::remove_dir_all(place.path.join(dir)).expect("the cache is ours");
    };
    built("--cache-dir=from_option", "from_option");
    place.write("cm.toml", "[cache]\ndir = 'from_toml'\n");
    built("--cache-dir=from_option", "from_option");
    built("", "from_env");
    assert_eq!(place.cm("run -O0 main.cm").exit, 42);
    assert!(place.path.join("from_toml").exists());
    check(
        &place,
        &[
            ("cache path --cache-dir=x", 0, "x\n", ""),
            ("cache path", 0, "…/from_toml\n", ""),
            ("why", 0, "…queries that ran…", ""),
            ("cache clean", 0, "deleted …/from_toml\n", ""),
        ],
    );
    place.write("cm.toml", "[cache]\nenabled = false\n");
    assert_eq!(place.cm("run -O0 main.cm").exit, 42);
    assert!(!place.path.join(".cm_cache").exists());
    assert_eq!(place.cm("run -O0 --cache main.cm").exit, 42);
    assert!(place.path.join(".cm_cache").exists());
    place.write("cm.toml", "[cache]\nmax-size = 'much'\n");
    check(&place, &[("run -O0 main.cm", 1, "", "error: …cm.toml: max-size of [cache]: 'much'…")]);
}

#[test]
fn caches_that_are_only_read_or_too_small() {
    let place = Place::new(&FILES);
    let expected = ("hi\n", 42, "");
    let run = |args: &str| {
        let found = place.cm(&format!("compile -O0 --run {args} main.cm"));
        assert_eq!((&*found.stdout, found.exit, &*found.stderr), expected, "{args}");
    };
    run("--cache-readonly");
    assert!(!place.path.join(".cm_cache").exists());
    run("");
    let state = || -> Vec<_> {
        let files = files_below(&place.path.join(".cm_cache"));
        files
            .iter()
            .map(|path| (path.clone(), fs::read(path).expect("the cache is ours")))
            .collect()
    };
    let before = state();
    place.write("cm.toml", "[cache]\nread-only = true\n");
    let refused = "error: the cache is only read, by `read-only` in cm.toml\n";
    check(
        &place,
        &[
            ("cache gc --max-size=0", 1, "", refused),
            ("cache clean --kind mir", 1, "", refused),
            ("cache verify", 0, "good: …\nbad, removed: 0\n", ""),
        ],
    );
    fs::remove_file(place.path.join("cm.toml")).expect("it is ours");
    run("--cache-readonly");
    place.write("geo.cm", "export int area(int a) { return a + a; }\n");
    run("--cache-readonly");
    assert!(before == state(), "a cache that is only read has changed");
    for size in ["0", "1", "70000", "100K"] {
        for _ in 0..2 {
            run(&format!("--cache-dir=small --max-cache-size={size}"));
        }
        let most = cm_size(size);
        let small = place.path.join("small");
        let files = if small.exists() { files_below(&small) } else { Vec::new() };
        let bytes: u64 = files.iter().map(|path| path.metadata().expect("a file").len()).sum();
        assert!(bytes <= most, "{size}: {bytes}");
        let _ = fs::remove_dir_all(small);
    }
}

/// What all files below a directory take. One that is renamed meanwhile is counted once.
fn bytes_below(dir: &Utf8Path) -> u64 {
    fn walk(dir: &Utf8Path, files: &mut BTreeMap<u64, u64>) {
        let Ok(entries) = dir.read_dir_utf8() else { return };
        for entry in entries.flatten() {
            match entry.metadata() {
                Ok(meta) if meta.is_dir() => walk(entry.path(), files),
                Ok(meta) => drop(files.insert(meta.ino(), meta.len())),
                Err(_) => {}
            }
        }
    }
    let mut files = BTreeMap::new();
    walk(dir, &mut files);
    files.values().sum()
}

/// Somebody watches while programs are built with less room than they need, and with a little more.
#[test]
fn the_cap_is_kept_at_every_moment() {
    let module = |number: usize, step: usize| {
        let function =
            |n: usize| format!("export int f{n}(int a) {{ return a * {} + {n}; }}\n", step + 2);
        let name = format!("m{number}.cm");
        (name, (0..8).map(function).collect::<String>())
    };
    let imports: String = (0..10).map(|n| format!("import ./m{n} as m{n};\n")).collect();
    let calls: Vec<String> = (0..10).map(|n| format!("m{n}::f{}(1)", n % 8)).collect();
    let main = format!("{imports}int main() {{ return {}; }}\n", calls.join(" + "));
    let place = Place::new(&[("main.cm", &main)]);
    let dir = place.path.join(".cm_cache");
    for cap in [120_000_u64, 200_000, 300_000] {
        let done = AtomicBool::new(false);
        let most = thread::scope(|scope| {
            let watcher = scope.spawn(|| {
                let mut most = 0;
                while !done.load(Ordering::Relaxed) {
                    most = most.max(bytes_below(&dir));
                }
                most
            });
            for step in 0..4 {
                for (name, text) in (0..10).map(|number| module(number, step)) {
                    place.write(&name, text);
                }
                for command in ["run -O0", "compile -O0", "check"] {
                    let found = place.cm(&format!("{command} --max-cache-size={cap} main.cm"));
                    assert_eq!(found.stderr, "", "{command}");
                }
            }
            done.store(true, Ordering::Relaxed);
            watcher.join().expect("it watches")
        });
        assert!(most > cap / 4, "{cap}: something was kept, {most}");
        assert!(most <= cap, "{cap}: {most}");
        fs::remove_dir_all(&dir).expect("the cache is ours");
    }
}

/// Whatever was kept before, a build with a smaller cap leaves no more than that, and so does `gc`.
#[test]
fn a_lowered_cap_takes_effect() {
    let place = Place::new(&FILES);
    let dir = place.path.join(".cm_cache");
    for (step, cap) in (2..).zip(["0", "1K", "30K", "60K", "80K", "120K"]) {
        place.write("geo.cm", "export int area(int a) { return a * 2; }\n");
        assert_eq!(place.cm("compile -O0 --run main.cm").exit, 42);
        assert_eq!(place.cm("compile -O2 --run main.cm").exit, 42);
        fs::create_dir_all(dir.join("quarantine/segment")).expect("the cache is ours");
        fs::write(dir.join("quarantine/segment/entry"), [0; 100_000]).expect("the cache is ours");
        assert!(bytes_below(&dir) > cm_size(cap));
        assert_eq!(place.cm(&format!("cache gc --max-size={cap}")).exit, 0);
        assert!(bytes_below(&dir) <= cm_size(cap).max(104), "gc {cap}: {}", bytes_below(&dir));
        assert_eq!(place.cm("compile -O0 --run main.cm").exit, 42);
        assert_eq!(place.cm("compile -O2 --run main.cm").exit, 42);
        place.write("geo.cm", format!("export int area(int a) {{ return a * {step}; }}\n"));
        let found = place.cm(&format!("compile -O0 --run main.cm --max-cache-size={cap}"));
        assert_eq!((found.exit, found.stderr.as_str()), (21 * step, ""), "{cap}");
        assert!(bytes_below(&dir) <= cm_size(cap), "{cap}: {}", bytes_below(&dir));
    }
}

fn cm_size(text: &str) -> u64 {
    match text.strip_suffix('K') {
        Some(number) => 1024 * number.parse::<u64>().expect("a number"),
        None => text.parse().expect("a number"),
    }
}

/// What was made for earlier states goes, and what the last builds at all levels need stays.
#[test]
fn what_no_last_build_has_used_is_removed() {
    let place = Place::new(&FILES);
    let cache = place.path.join(".cm_cache");
    let build = |level: u8| {
        let found = place.cm(&format!("compile -q -O{level} -o x main.cm"));
        assert_eq!((found.exit, found.stderr.as_str()), (0, ""), "{found:?}");
    };
    build(2);
    build(0);
    let once = bytes_below(&cache);
    for number in 3..12 {
        place.write(
            "geo.cm",
            format!("export int area(int a) {{ return a * {number} - a * {}; }}\n", number - 2),
        );
        build(0);
    }
    build(2);
    let grown = bytes_below(&cache);
    assert!(grown > once * 3 / 2, "{grown}, {once}");
    check(&place, &[("cache gc --unused", 0, "removed … entries and 0 files\n", "")]);
    let swept = bytes_below(&cache);
    assert!(swept <= once * 6 / 5, "{swept} of {grown}, {once}");
    check(
        &place,
        &[
            ("cache gc --unused", 0, "removed 0 entries and 0 files\n", ""),
            ("cache verify", 0, "…bad, removed: 0\n", ""),
        ],
    );
    for level in [0, 2] {
        fs::remove_file(place.path.join("x")).expect("an executable");
        let log = format!("compile -q -O{level} -o x --query-log log main.cm");
        assert_eq!(place.cm(&log).exit, 0);
        let log = fs::read_to_string(place.path.join("log")).expect("a log");
        assert!(log.contains("\"executed\":0"), "-O{level}: {log}");
    }
}

#[test]
fn looking_at_a_cache() {
    let place = Place::new(&FILES);
    check(
        &place,
        &[
            ("cache list", 0, "", ""),
            ("cache verify", 0, "good: 0 entries, 0 KB\nbad, removed: 0\n", ""),
            ("cache gc", 0, "removed 0 entries and 0 files\n", ""),
            ("cache path -v", 0, ".cm_cache\ncache: … ms\n", ""),
            ("cache -d path", 0, ".cm_cache\ncache: … ms\n", ""),
            ("cache path --debug=error", 0, ".cm_cache\n", ""),
            ("cache show abc --lang=en", 1, "", "error: there is no entry abc\n"),
            ("cache show abc", 1, "", "error: there is no entry abc\n"),
            ("compile -O0 -q main.cm", 0, "", ""),
            (
                "cache stats",
                0,
                "directory: .cm_cache\nentries: …\nsize: … KB\n…unit_object: …oldest: …\nnewest: …\n",
                "",
            ),
            ("cache list", 0, "… blob   executable …", ""),
            ("cache verify", 0, "good: … entries, … KB\nbad, removed: 0\n", ""),
            (
                "cache verify --recompute 100%",
                0,
                "good: …\nbad, removed: 0\nrecomputed: 6\ndifferent, replaced: 0\n",
                "",
            ),
            (
                "cache verify --recompute=0 --format=json",
                0,
                "{…\"different\":0…\"recomputed\":0}\n",
                "",
            ),
            ("cache verify --recompute=101", 1, "", "error: …not a percentage…"),
            (
                "cache clean --kind nonsense",
                1,
                "",
                "error: there are no entries of kind 'nonsense'; there are: …unit_object…\n",
            ),
        ],
    );
    let before = store(&place, ".cm_cache");
    assert_eq!(number(&before["last_build"], "hits"), 15, "those of recomputing: {before}");
    fs::remove_dir_all(place.path.join(".cm_cache/graph")).expect("the cache is ours");
    check(&place, &[("compile -O0 -q main.cm", 0, "", "")]);
    let after = store(&place, ".cm_cache");
    // Three units' bitcode and objects and the executable, each a record and a blob.
    assert_eq!(number(&after["last_build"], "hits"), 14, "{after}");
    assert_eq!(number(&after["last_build"], "misses"), 0, "{after}");
    let saved = number(&after["last_build"], "saved_microseconds");
    assert!(saved > 0, "{after}");
    assert_eq!(number(&after, "saved_microseconds") - number(&before, "saved_microseconds"), saved);
    let list = place.cm("cache list --format=json").stdout;
    let entries: Vec<Value> =
        list.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(entries.len() as u64, {
        let stats = place.cm("cache stats --format=json").stdout;
        number(&serde_json::from_str(&stats).expect("JSON"), "entries")
    });
    let record = entries.iter().find(|entry| entry["type"] == "record").expect("a record");
    let key = record["key"].as_str().expect("a key");
    let shown = place.cm(&format!("cache show --format=json {}", &key[..20])).stdout;
    let shown: Value = serde_json::from_str(&shown).expect("JSON");
    let blob = shown["digests"][0].as_str().expect("a digest");
    assert!(entries.iter().any(|entry| entry["key"] == blob), "{blob} of {key}");
    let shown = place.cm(&format!("cache show {blob}")).stdout;
    assert!(shown.contains("type: blob"), "{shown}");

    let segment = &files_below(&place.path.join(".cm_cache/cas/segments"))[0];
    let mut bytes = fs::read(segment).expect("the cache is ours");
    bytes[64 + 128 + 3] ^= 1;
    fs::write(segment, bytes).expect("the cache is ours");
    check(
        &place,
        &[
            ("cache verify", 1, "good: …bad, removed: 1\n", ""),
            ("cache verify --format=json", 0, "{…\"bad\":0…}\n", ""),
            ("cache clean --kind unit_object", 0, "removed … entries\n", ""),
            ("cache gc --max-age=1d", 0, "removed 0 entries and 0 files\n", ""),
            ("cache gc --max-size=0", 0, "removed … entries and … files\n", ""),
            ("cache list", 0, "", ""),
            ("cache gc --max-age=0s", 0, "removed 0 entries and … files\n", ""),
            ("cache gc --max-age=1", 1, "", "error: invalid value '1'…"),
            ("compile -O0 --run main.cm", 42, "hi\n", ""),
        ],
    );
}

/// An entry is found again exactly if nothing has changed that its stage gets: how many entries of
/// each kind a build adds that knows nothing but the store.
#[test]
fn what_entries_depend_on() {
    let place =
        Place::new(&[("a/main.cm", FILES[0].1), ("a/geo.cm", FILES[1].1), ("a/cm.toml", "")]);
    let dir = place.path.join("shared");
    let dir = dir.as_str();
    let kinds = || -> BTreeMap<String, u64> {
        let store = store(&place, dir);
        let kinds = store["kinds"].as_array().map(Vec::as_slice).unwrap_or_default().iter();
        kinds.map(|kind| (kind["kind"].to_string(), number(kind, "entries"))).collect()
    };
    let added = |args: &str, environment: &[(&str, &str)]| {
        let before = kinds();
        let _ = fs::remove_dir_all(place.path.join("shared/graph"));
        let mut command = place.command(&format!("compile -q --cache-dir={dir} {args}"));
        command.envs(environment.iter().copied());
        let found = outcome(command.spawn().expect("cm starts"));
        assert_eq!((found.exit, &*found.stderr), (0, ""), "{args}");
        let more = |(kind, count): (&String, &u64)| {
            let more = count - before.get(kind).unwrap_or(&0);
            (more > 0).then(|| format!("{} {more}", kind.trim_matches('"')))
        };
        kinds().iter().filter_map(more).collect::<Vec<_>>().join(", ")
    };
    let nothing = |what: &str, args: &str, environment: &[(&str, &str)]| {
        assert_eq!(added(args, environment), "", "{what}");
    };
    let write_geo = |text: &str| place.write("a/geo.cm", text);
    // Two modules, and what calls `main`. Of each unit there is the MIR; of its bitcode and object
    // what it is, and what it was made from.
    assert_eq!(added("-O0 a/main.cm", &[]), "executable 2, mir 3, unit_bitcode 6, unit_object 6");
    nothing("once more", "-O0 a/main.cm", &[]);
    for (name, value) in [
        ("LANG", "ja_JP.UTF-8"),
        ("LC_ALL", "de_DE.UTF-8"),
        ("USER", "somebody"),
        ("HOME", "/nowhere"),
        ("TZ", "Asia/Tokyo"),
        ("PWD", "/"),
        ("TMPDIR", place.path.as_str()),
        ("NO_COLOR", "1"),
        ("CM_KEY_DIR", "/nowhere"),
        ("SOURCE_DATE_EPOCH", "1"),
    ] {
        nothing(name, "-O0 a/main.cm", &[(name, value)]);
    }
    for args in ["-o elsewhere", "--format=json", "--color=always", "--lang=ja", "-DUNUSED"] {
        nothing(args, &format!("-O0 a/main.cm {args}"), &[]);
    }
    place.write("a/unrelated.cm", "export int f() { return 1; }\n");
    nothing("another file", "-O0 a/main.cm", &[]);
    write_geo(FILES[1].1);
    nothing("another time", "-O0 a/main.cm", &[]);
    for file in ["main.cm", "geo.cm", "cm.toml"] {
        let text = fs::read(place.path.join("a").join(file)).expect("a file");
        place.write(&format!("another/place/{file}"), text);
    }
    nothing("another place", "-O0 another/place/main.cm", &[]);
    write_geo(&format!("// A comment.\n\n{}", FILES[1].1));
    nothing("a comment", "-O0 a/main.cm", &[]);
    write_geo(&format!("int unused() {{ return 1; }}\n{}", FILES[1].1));
    nothing("a function that nobody calls", "-O0 a/main.cm", &[]);
    // What is of account, and then all of it back: a branch and its end.
    let body = "export int area(int a) { return a * 3; }\n";
    let one_unit = "executable 2, mir 1, unit_bitcode 2, unit_object 2";
    write_geo(body);
    assert_eq!(added("-O0 a/main.cm", &[]), one_unit, "a body");
    write_geo("export int area(long a) { if (a > 20) { return 42; } return 7; }\n");
    // The object of the caller comes out as before: a small number is passed in the same way.
    let both = "executable 2, mir 2, unit_bitcode 4, unit_object 3";
    assert_eq!(added("-O0 a/main.cm", &[]), both, "an interface");
    write_geo(body);
    nothing("the branch", "-O0 a/main.cm", &[]);
    write_geo(FILES[1].1);
    nothing("and back", "-O0 a/main.cm", &[]);
    let level = "executable 2, unit_bitcode 6, unit_object 6";
    assert_eq!(added("-O1 a/main.cm", &[]), level, "a level, for which the MIR is the same");
    write_geo(
        "#ifdef LARGE\nexport int area(int a) { return a * 7; }\n#else\nexport int area(int a) { return a * 2; }\n#end\n",
    );
    nothing("a condition that does not hold", "-O0 a/main.cm", &[]);
    assert_eq!(added("-O0 -DLARGE a/main.cm", &[]), one_unit, "a condition");
}
