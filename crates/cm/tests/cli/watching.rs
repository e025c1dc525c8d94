//! `--watch`.

use crate::{Place, check};
use std::{
    fs::File,
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
    check(
        &place,
        &[
            ("run --watch -", 1, "", "error: standard input cannot be watched\n"),
            ("run --watch none.cm", 1, "", "error: cannot open none.cm\n"),
            ("check --watch none.cm", 1, "", "error: cannot open none.cm\n"),
        ],
    );
}
