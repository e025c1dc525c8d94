//! A cache that is damaged, old, read-only or not a cache: the program is compiled all the same.

use crate::{Outcome, Place, files_below};
use camino::Utf8Path;
use std::{cell::Cell, fs};

const FILES: [(&str, &str); 2] = [
    ("main.cm", "import ./geo::{area};\nint main() { println(\"hi\"); return area(21); }\n"),
    ("geo.cm", "export int area(int a) { return a * 2; }\n"),
];

fn expect(found: &Outcome, stdout: &str, exit: i32, what: &str) {
    let errors = without_report(found);
    assert_eq!((found.exit, found.stdout.as_str(), errors), (exit, stdout, ""), "{what}");
}

const REPORT: &str = "warning: damaged entries of the cache were set aside: ";

/// What a command says besides the one line about damage.
fn without_report(found: &Outcome) -> &str {
    let line = found.stderr.strip_prefix(REPORT).and_then(|rest| rest.split_once('\n'));
    line.map_or(&found.stderr, |(_, rest)| rest)
}

/// What is found is said once.
#[test]
fn damage_is_reported_once() {
    let place = Place::new(&FILES);
    let geo = |factor: u8| {
        place.write("geo.cm", format!("export int area(int a) {{ return a * {factor}; }}\n"));
    };
    let round = Cell::new(3);
    let damage = |what: &str, part: &str, damage: &dyn Fn(&Utf8Path)| {
        geo(2);
        expect(&place.cm("run -O0 main.cm"), "hi\n", 42, what);
        let cache = place.path.join(".cm_cache");
        let files = files_below(&cache);
        files.iter().filter(|file| file.as_str().contains(part)).for_each(|file| damage(file));
        geo(3);
        let found = place.cm("run -O0 main.cm");
        expect(&found, "hi\n", 63, what);
        assert!(found.stderr.starts_with(REPORT), "{what}: {found:?}");
        // Something new: what was made before and is not needed now may be damaged still.
        round.set(round.get() + 1);
        geo(round.get());
        assert_eq!(place.cm("run -O0 main.cm").stderr, "", "{what}");
        place.cm("cache verify");
        assert_eq!(place.cm("cache verify").exit, 0, "{what}");
    };
    let open_to_all = |path: &Utf8Path| {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o666);
        fs::set_permissions(path, mode).expect("the cache is ours");
    };
    damage("a segment that others can write", "cas/segments", &open_to_all);
    damage("an image that others can write", ".image", &open_to_all);
    let flip = |path: &Utf8Path| {
        let mut bytes = fs::read(path).expect("the cache is ours");
        bytes[100] ^= 1;
        fs::write(path, bytes).expect("the cache is ours");
    };
    damage("an index with a flipped bit", "cas/index", &flip);
    damage("an image with a flipped bit", ".image", &flip);
    damage("a record with a flipped bit", ".root", &flip);
    damage("an empty image", ".image", &|path| {
        fs::write(path, "").expect("the cache is ours");
    });
    damage("an image that is cut off", ".image", &|path| {
        let bytes = fs::read(path).expect("the cache is ours");
        fs::write(path, &bytes[..bytes.len() / 2]).expect("the cache is ours");
    });
    let dir = |path: &Utf8Path| {
        fs::remove_file(path).expect("the cache is ours");
        fs::create_dir(path).expect("the cache is ours");
    };
    damage("a directory in place of an image", ".image", &dir);
    damage("a directory in place of a segment", "cas/segments", &dir);
    let link = |path: &Utf8Path| {
        let away = place.path.join(path.file_name().expect("a name"));
        fs::rename(path, &away).expect("the cache is ours");
        std::os::unix::fs::symlink(&away, path).expect("the cache is ours");
    };
    damage("a link in place of an image", ".image", &link);
    damage("a link in place of the index", "cas/index", &link);

    // What `run` reads if nothing has changed.
    geo(2);
    expect(&place.cm("run -O0 main.cm"), "hi\n", 42, "unchanged");
    let files = files_below(&place.path.join(".cm_cache"));
    for segment in files.iter().filter(|file| file.as_str().contains("cas/segments")) {
        let mut bytes = fs::read(segment).expect("the cache is ours");
        bytes.iter_mut().skip(100).step_by(64).for_each(|byte| *byte ^= 1);
        fs::write(segment, bytes).expect("the cache is ours");
    }
    let found = place.cm("run -O0 main.cm");
    expect(&found, "hi\n", 42, "objects");
    assert!(found.stderr.starts_with(REPORT), "{found:?}");
    assert_eq!(place.cm("run -O0 main.cm").stderr, "");
}

/// Files, pipes and links in place of the directories and files beside the store: nobody waits for a pipe,
/// nothing is written where a link leads, and the next build finds everything as it should be.
#[test]
fn other_things_in_the_cache_directory() {
    let place = Place::new(&FILES);
    let cache = place.path.join(".cm_cache");
    let away = place.path.join("away");
    let pipe = |path: &Utf8Path| {
        let made = std::process::Command::new("mkfifo").arg(path).status();
        assert!(made.expect("mkfifo starts").success());
    };
    let link = |path: &Utf8Path| {
        let _ = fs::create_dir(&away);
        std::os::unix::fs::symlink(&away, path).expect("a link");
    };
    let file = |path: &Utf8Path| fs::write(path, "a file").expect("the cache is ours");
    type Make<'a> = &'a dyn Fn(&Utf8Path);
    let all: [(&str, Make<'_>); 3] = [("a pipe", &pipe), ("a link", &link), ("a file", &file)];
    let parts = ["graph", "cas", "cas/segments", "obj", "module_hash.json", "graph/last.why"];
    let mut factor = 2;
    for part in parts {
        for (what, make) in all.iter().take(if part.contains('.') { 2 } else { 3 }) {
            let mut build = || {
                factor += 1;
                let text = format!("export int area(int a) {{ return a * {factor}; }}\n");
                place.write("geo.cm", text);
                let found = place.cm("run -O0 main.cm");
                assert_eq!(
                    (found.exit, &*found.stdout),
                    ((21 * factor) & 0xff, "hi\n"),
                    "{found:?}"
                );
                found.stderr
            };
            build();
            let path = cache.join(part);
            let _ = fs::remove_dir_all(&path).or_else(|_| fs::remove_file(&path));
            make(&path);
            let told = build();
            assert!(told.starts_with(REPORT), "{what} in place of {part}: {told}");
            assert_eq!(build(), "", "{what} in place of {part}");
            let made = path.symlink_metadata().expect("it is there");
            assert_eq!((made.is_dir(), made.is_file()), (!part.contains('.'), part.contains('.')));
        }
    }
    assert_eq!(files_below(&away).len(), 0, "nothing was written there");
}

/// What a newer compiler left is not damaged: it is passed over in silence.
#[test]
fn the_future_is_not_damage() {
    let place = Place::new(&FILES);
    place.cm("run -O0 main.cm");
    for (part, at, factor) in [(".image", 8, 3), (".root", 7, 4), ("cas/index", 7, 5)] {
        // Something new, so that all are read.
        place.write("geo.cm", format!("export int area(int a) {{ return a * {factor}; }}\n"));
        for file in files_below(&place.path.join(".cm_cache")) {
            if file.as_str().ends_with(part) {
                let mut bytes = fs::read(&file).expect("the cache is ours");
                bytes[at] += 1;
                fs::write(&file, bytes).expect("the cache is ours");
            }
        }
        let found = place.cm("run -O0 main.cm");
        assert_eq!((found.exit, found.stderr.as_str()), (21 * factor, ""), "{part}");
    }
}

/// Every way to build, with an edit between.
fn builds_are_right(place: &Place, what: &str) {
    for (factor, exit) in [(2, 42), (3, 63)] {
        place.write("geo.cm", format!("export int area(int a) {{ return a * {factor}; }}\n"));
        expect(&place.cm("run -O0 main.cm"), "hi\n", exit, what);
        expect(&place.cm("compile -O0 --run main.cm"), "hi\n", exit, what);
        let check = place.cm("check main.cm");
        assert_eq!((check.exit, without_report(&check)), (0, ""), "{what}");
    }
    for args in ["why", "cache stats"] {
        assert_eq!(place.cm(args).exit, 0, "{what}: {args}");
    }
}

/// Spoils each file of a full cache and builds.
fn spoil(what: &str, mut damage: impl FnMut(&Utf8Path)) {
    let place = Place::new(&FILES);
    builds_are_right(&place, "fresh");
    for file in files_below(&place.path.join(".cm_cache")) {
        damage(&file);
    }
    builds_are_right(&place, what);
    // With nothing changed, what is damaged is read as the result of the last build.
    for file in files_below(&place.path.join(".cm_cache")) {
        damage(&file);
    }
    expect(&place.cm("run -O0 main.cm"), "hi\n", 63, what);
    expect(&place.cm("compile -O0 --run main.cm"), "hi\n", 63, what);
}

#[test]
fn damaged_files() {
    let write = |path: &Utf8Path, bytes: Vec<u8>| {
        let _ = fs::remove_file(path);
        fs::write(path, bytes).expect("the cache is ours");
    };
    let read = |path: &Utf8Path| fs::read(path).expect("the cache is ours");
    spoil("garbage", |path| write(path, b"garbage \xff\x00".repeat(100)));
    spoil("empty", |path| write(path, Vec::new()));
    spoil("zeros", |path| write(path, vec![0; read(path).len()]));
    spoil("truncated", |path| {
        let bytes = read(path);
        write(path, bytes[..bytes.len() / 2].to_vec());
    });
    spoil("longer", |path| write(path, [read(path), b"more".to_vec()].concat()));
    for part in [1, 4, 7] {
        spoil("a flipped bit", |path| {
            let mut bytes = read(path);
            let at = bytes.len() * part / 8;
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << part;
            }
            write(path, bytes);
        });
    }
    spoil("deleted", |path| fs::remove_file(path).expect("the cache is ours"));
    spoil("directories", |path| {
        fs::remove_file(path).expect("the cache is ours");
        fs::create_dir(path).expect("the cache is ours");
    });
}

#[test]
fn deleted_blobs() {
    spoil("deleted blobs", |path| {
        if !path.as_str().contains("/graph/") {
            fs::remove_file(path).expect("the cache is ours");
        }
    });
    spoil("deleted graph", |path| {
        if path.as_str().contains("/graph/") {
            fs::remove_file(path).expect("the cache is ours");
        }
    });
    spoil("files swapped", |path| {
        let other = path.parent().and_then(|dir| files_below(dir).into_iter().next_back());
        fs::copy(other.expect("a file"), path.with_extension("copy")).expect("a copy");
        fs::rename(path.with_extension("copy"), path).expect("the cache is ours");
    });
}

/// An image with other bytes in its header: another format, another compiler, other options.
#[test]
fn images_of_other_versions() {
    for at in [0, 8, 16, 24, 40, 63] {
        spoil("another header", |path| {
            if path.extension() == Some("image") || path.extension() == Some("root") {
                let mut bytes = fs::read(path).expect("the cache is ours");
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = byte.wrapping_add(1);
                }
                fs::write(path, bytes).expect("the cache is ours");
            }
        });
    }
}

/// Directories in which nothing can be kept.
#[test]
fn no_cache_to_be_had() {
    let place = Place::new(&FILES);
    place.write("a_file", "not a directory");
    std::os::unix::fs::symlink("/dev/full", place.path.join("full")).expect("a link");
    std::os::unix::fs::symlink("nowhere/at/all", place.path.join("dangling")).expect("a link");
    for dir in ["a_file", "full", "/proc/cm_cache", "/dev/null", "/dev/full/cache", "dangling"] {
        for command in ["run -O0", "compile -O0 --run", "run -O0"] {
            let found = place.cm(&format!("{command} main.cm --cache-dir={dir}"));
            assert_eq!((found.exit, found.stdout.as_str()), (42, "hi\n"), "{dir}: {found:?}");
            let warned = found.stderr.starts_with("warning: the cache was not updated: ");
            assert!(found.stderr.is_empty() || warned, "{dir}: {found:?}");
        }
    }
    assert_eq!(
        fs::read_to_string(place.path.join("a_file")).expect("it is left"),
        "not a directory"
    );
    let refused = place.cm("cache clean --cache-dir=a_file");
    assert_eq!(refused.exit, 1);
    assert!(place.path.join("a_file").exists());
    let refused = place.cm("cache clean --cache-dir=.");
    assert_eq!((refused.exit, refused.stdout.as_str()), (1, ""));
    assert!(place.path.join("main.cm").exists());
}

/// Programs of the same name in different directories share a cache directory.
#[test]
fn shared_cache_directory() {
    let place = Place::new(&[
        ("a/main.cm", "int main() { return 1; }\n"),
        ("b/main.cm", "int main() { return 2; }\n"),
    ]);
    for _ in 0..2 {
        for (args, exit) in
            [("run -O0 a/main.cm", 1), ("run -O0 b/main.cm", 2), ("run -O1 b/main.cm", 2)]
        {
            expect(&place.cm(args), "", exit, args);
        }
    }
}

/// Whatever an edit changes, or leaves as it was.
#[test]
fn modules_are_described_as_by_a_clean_build() {
    let place = Place::new(&FILES);
    place.write("other.cm", "export const int ONE = 1;\n");
    let edits = [
        ("geo.cm", "// A comment.\nexport int area(int a) { return a * 2; }\n"),
        ("geo.cm", "// A comment.\nexport int area(int a) { return a + a; }\n"),
        (
            "geo.cm",
            "// A comment.\nint own() { return 2; }\nexport int area(int a) { return a + a; }\n",
        ),
        ("geo.cm", "import ./other::{ONE};\nexport int area(int a) { return a + ONE; }\n"),
        ("geo.cm", "import ./other::{ONE};\nexport long area(long a) { return a + ONE; }\n"),
        ("main.cm", "import ./geo::{area};\nint main() { return area(21) as int; }\n"),
        ("other.cm", "// A comment.\nexport const int ONE = 1;\n"),
        ("other.cm", "// A comment.\nexport const int ONE = 2;\n"),
    ];
    for (number, (file, text)) in edits.into_iter().enumerate() {
        place.write(file, text);
        let clean = format!("clean{number}");
        for cache in [".cm_cache", &clean] {
            let found = place.cm(&format!("compile -O0 main.cm -o program --cache-dir {cache}"));
            assert_eq!(found.exit, 0, "{found:?}");
        }
        let modules = |cache: &str| {
            let path = place.path.join(cache).join("module_hash.json");
            fs::read_to_string(path).expect("it is written")
        };
        assert_eq!(modules(".cm_cache"), modules(&clean), "edit {number}, of {file}");
    }
}
