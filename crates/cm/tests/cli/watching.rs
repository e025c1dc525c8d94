//! `--watch`.

use crate::{Place, check};
use std::{
    fs::File,
    path::PathBuf,
    process::{Child, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

/// A command that stays. What it prints goes to the file `out`.
struct Watch<'a> {
    place: &'a Place,
    child: Child,
}

impl Watch<'_> {
    fn start<'a>(place: &'a Place, args: &str) -> Watch<'a> {
        let out =
            || Stdio::from(File::options().append(true).open(place.path.join("out")).expect("out"));
        place.write("out", "");
        let child = place.command(args).stdout(out()).stderr(out()).spawn().expect("cm starts");
        Watch { place, child }
    }

    /// Waits until it has printed all this, in order, and begins anew.
    fn prints(&self, parts: &[&str]) {
        let start = Instant::now();
        loop {
            let out = self.place.read("out");
            let mut rest = out.as_str();
            let all = parts.iter().all(|part| match rest.split_once(part) {
                Some((_, after)) => {
                    rest = after;
                    true
                }
                None => false,
            });
            if all {
                break;
            }
            assert!(start.elapsed() < Duration::from_secs(20), "{parts:?} expected:\n{out}");
            sleep(Duration::from_millis(20));
        }
        // The file is appended to.
        self.place.write("out", "");
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        // It stays for ever otherwise.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const WAITING: &str = "[watching for changes; Ctrl-C ends it]\n";

#[test]
fn programs_run_again_through_errors() {
    let place =
        Place::new(&[("a.cm", "import ./dir/m;\nint main() { println(m::f()); return 3; }\n")]);
    let watch = Watch::start(&place, "run --watch a.cm");
    watch.prints(&["a.cm:1:8: error: Module not found: ./dir/m\n", WAITING]);
    place.write("dir/m.cm", "export int f() { return 41; }\n");
    watch.prints(&[WAITING, "41\n", "[exit status 3]\n"]);
    place.write("dir/m.cm", "export int f() { return 42 }\n");
    watch.prints(&["dir/m.cm:1:28: error: Expected ';'\n", WAITING]);
    place.write("dir/m.cm", "export int f() { return 43; }\n");
    watch.prints(&["43\n", "[exit status 3]\n"]);
    // One that runs for ever is ended.
    place.write("a.cm", "int main() { while (true) { } return 0; }\n");
    watch.prints(&[WAITING]);
    place.write("a.cm", "int main() { println(\"off\"); return 0; }\n");
    watch.prints(&["off\n", "[exit status 0]\n"]);
}

#[test]
fn executables_and_diagnostics_follow_the_source() {
    let place = Place::new(&[
        ("a.cm", "int main() { return 1; }\n"),
        ("b.cm", "int main() { return 1; }\n"),
    ]);
    let compile = Watch::start(&place, "compile --watch --run -o prog a.cm");
    compile.prints(&["prog (", " ms)\n", "[exit status 1]\n"]);
    place.write("a.cm", "int main() { return 2; }\n");
    compile.prints(&["prog (", "[exit status 2]\n"]);
    drop(compile);
    let checking = Watch::start(&place, "check --watch --format=short a.cm b.cm");
    checking.prints(&["errors: 0", "errors: 0", WAITING]);
    place.write("b.cm", "int main() { int x = 1; return y; }\n");
    checking.prints(&[
        "b.cm:1:32: error: Undefined variable 'y'\nb.cm:1:18: warning:",
        "errors: 1, warnings: 1",
    ]);
    place.write("b.cm", "int main() { return 0; }\n");
    checking.prints(&["errors: 0, warnings: 0", WAITING]);
    drop(checking);
    place.write("t.cm", "#[test]\nvoid works() { }\nint main() { return 0; }\n");
    let testing = Watch::start(&place, "test --watch t.cm");
    testing.prints(&["works", "[exit status 0]\n"]);
    place.write("t.cm", "#[test]\nvoid works_too() { }\nint main() { return 0; }\n");
    testing.prints(&["works_too", "[exit status 0]\n"]);
    drop(testing);
    check(
        &place,
        &[
            ("run --watch -", 1, "", "error: standard input cannot be watched\n"),
            ("run --watch none.cm", 1, "", "error: cannot open none.cm\n"),
            ("check --watch none.cm", 1, "", "error: cannot open none.cm\n"),
        ],
    );
}

/// A process that stays goes on from what it has kept, as another one would: after a build from nothing, and
/// after one that has other functions, the next edit is a patch of the image.
#[test]
fn what_stays_goes_on_from_what_it_has_kept() {
    let text = |n: u32, more: &str| {
        format!("import ./pad;\nint f() {{ return {n}; }}\n{more}int main() {{ return f(); }}\n")
    };
    // A patch is small beside the image.
    let pad: String = (0..100).map(|n| format!("export int f{n}() {{ return {n}; }}\n")).collect();
    let place = Place::new(&[("a.cm", &text(1, "")), ("pad.cm", &pad)]);
    // The first build looks twice, and a stamp that has settled meanwhile would be kept in a patch.
    sleep(Duration::from_millis(50));
    let becomes = |count| become_so_many(&place, "patch", count);
    let watch = Watch::start(&place, "compile --watch -o prog a.cm");
    let mut n = 1;
    for more in ["", "int g() { return 2; }\n", "int g() { return 2; }\nint h() { return g(); }\n"]
    {
        watch.prints(&["prog ("]);
        becomes(0);
        n += 1;
        place.write("a.cm", text(n, more));
        watch.prints(&["prog ("]);
        becomes(usize::from(more.is_empty()));
        n += 1;
        place.write("a.cm", text(n, more));
        watch.prints(&["prog ("]);
        becomes(1);
        n += 1;
        place.write("a.cm", format!("{}int k{n}() {{ return 1; }}\n", text(n, more)));
    }
    watch.prints(&["prog ("]);
    becomes(0);
    drop(watch);
    let log = "compile --query-log log -o prog a.cm";
    let built = place.command(log).output().expect("cm starts");
    assert!(built.status.success());
    assert!(place.read("log").contains("\"executed\":0,"), "{}", place.read("log"));
}

/// Files of a kind in the cache. They are kept when whoever waits has been told.
fn become_so_many(place: &Place, extension: &str, count: usize) {
    let what = format!("{count} files .{extension}");
    wait_for(place, &what, || files(place, extension).len() == count);
}

fn files(place: &Place, extension: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(place.path.join(".cm_cache/graph"));
    let paths = entries.into_iter().flatten().flatten().map(|entry| entry.path());
    paths.filter(|path| path.extension().is_some_and(|it| it == extension)).collect()
}

fn wait_for(place: &Place, what: &str, is_there: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_there() {
        let late = start.elapsed() > Duration::from_secs(20);
        assert!(!late, "{what} expected:\n{}", place.read("out"));
        sleep(Duration::from_millis(5));
    }
}

/// Threads that work for the back end may not make directories, but the others may.
#[test]
fn a_cache_that_is_deleted_is_made_anew() {
    let place = Place::new(&[("a.cm", "int main() { return 1; }\n")]);
    let kept = || become_so_many(&place, "image", 1);
    for args in ["compile --watch --run -o prog a.cm", "run --watch a.cm"] {
        place.write("a.cm", "int main() { return 1; }\n");
        let watch = Watch::start(&place, args);
        watch.prints(&["[exit status 1]"]);
        kept();
        check(&place, &[("cache clean", 0, "deleted .cm_cache\n", "")]);
        place.write("a.cm", "int main() { return 2; }\n");
        watch.prints(&["[exit status 2]"]);
        kept();
        let views = place.path.join(".cm_cache/module_hash.json");
        wait_for(&place, "module_hash.json", || views.is_file());
        place.write("a.cm", "int main() { return 3; }\n");
        watch.prints(&["[exit status 3]"]);
        sleep(Duration::from_millis(100));
        assert!(!place.read("out").contains("warning"), "{args}: {}", place.read("out"));
    }
}

/// The configuration of the linter is an input like the files: there, changed, wrong, gone.
#[test]
fn diagnostics_follow_the_configuration() {
    let place = Place::new(&[("a.cm", "int main() { int Odd = 1; return Odd; }\n")]);
    let watch = Watch::start(&place, "lint --watch --format=short a.cm");
    watch.prints(&["a.cm:1:18: warning: Variable name 'Odd'", "errors: 0, warnings: 1", WAITING]);
    place.write(".cmconfig.yml", "lint:\n  rules:\n    L101: error\n");
    watch.prints(&["a.cm:1:18: error: Variable name 'Odd'", "errors: 1, warnings: 0", WAITING]);
    place.write(".cmconfig.yml", "lint:\n  rules:\n    L101: off\n    X9: off\n");
    watch.prints(&[
        ".cmconfig.yml:4:5: warning: unknown rule 'X9'",
        "errors: 0, warnings: 0",
        WAITING,
    ]);
    std::fs::remove_file(place.path.join(".cmconfig.yml")).expect("it is there");
    watch.prints(&["a.cm:1:18: warning: Variable name 'Odd'", "warnings: 1", WAITING]);
}

/// An editor writes in several steps: what is half written is not looked at.
#[test]
fn the_last_of_many_changes_counts() {
    let place = Place::new(&[("a.cm", "int main() { return 1; }\n")]);
    let watch = Watch::start(&place, "run --watch a.cm");
    watch.prints(&["[exit status 1]\n"]);
    for n in 0..8 {
        place.write("a.cm", format!("int main() {{ println(\"step {n}\"); return 2; }}\n"));
        sleep(Duration::from_millis(5));
    }
    watch.prints(&["step 7\n", "[exit status 2]\n"]);
    place.write("a.cm", "int main() { return 3; }\n");
    let start = Instant::now();
    while !place.read("out").contains("[exit status 3]") {
        assert!(start.elapsed() < Duration::from_secs(20));
        sleep(Duration::from_millis(20));
    }
    assert_eq!(place.read("out").matches("exit status").count(), 1, "{}", place.read("out"));
}

/// Tests run again through errors, and those that are as they were do not.
#[test]
fn tests_run_again_through_errors() {
    let good = "#[test]\nvoid stays() { }\n#[test]\nbool changes() { return true; }\n";
    let place = Place::new(&[("t.cm", good)]);
    let watch = Watch::start(&place, "test --watch t.cm");
    watch.prints(&["tests: 2, passed: 2 (0 unchanged), failed: 0", "[exit status 0]\n"]);
    place.write("t.cm", good.replace("true", "truth"));
    watch.prints(&["t.cm:4:25: error: Undefined variable 'truth'", WAITING]);
    place.write("t.cm", good.replace("true", "false"));
    watch.prints(&["tests: 2, passed: 1 (1 unchanged), failed: 1", "[exit status 1]\n"]);
    place.write("t.cm", good);
    watch.prints(&["tests: 2, passed: 2", "[exit status 0]\n"]);
}
