//! The same program gives the same bytes, wherever, by whom and with how many threads it is built.

use crate::{Outcome, Place, outcome};
use std::{
    fmt::Write as _,
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    process::Command,
};

/// What `sh` does before a build, and the program that starts `sh`.
type Way<'a> = (&'a str, &'a [&'a str], &'a str);

const WAYS: [Way; 15] = [
    ("one thread", &[], "export RAYON_NUM_THREADS=1"),
    ("two threads", &[], "export RAYON_NUM_THREADS=2"),
    ("three threads", &[], "export RAYON_NUM_THREADS=3"),
    ("eight threads", &[], "export RAYON_NUM_THREADS=8"),
    ("a locale", &[], "export LC_ALL=ja_JP.UTF-8 LANG=tr_TR.UTF-8 LC_NUMERIC=de_DE.UTF-8"),
    ("no locale", &[], "unset LC_ALL LANG"),
    ("a time zone", &[], "export TZ=Pacific/Chatham"),
    ("a strict umask", &[], "umask 077"),
    ("no umask", &[], "umask 0"),
    ("no home", &[], "unset HOME USER LOGNAME"),
    ("another directory for temporary files", &[], "mkdir -p t; export TMPDIR=$PWD/t"),
    ("a large environment", &[], "export LARGE=$(head -c 100000 /dev/zero | tr '\\0' x)"),
    ("few descriptors", &[], "ulimit -n 64"),
    ("other addresses", &["setarch", "-R"], ":"),
    ("another user", &["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"], ":"),
];

/// A program with something of everything whose order could depend on chance: modules, instances,
/// implementations, strings, closures.
fn program(place: &Place, folder: &str) {
    let (mut imports, mut calls) = (String::new(), String::new());
    for module in 0..6 {
        let text = format!(
            "import std::io::println;\n\
             export interface Named{module} {{ int number(); }}\n\
             export struct S{module} with Eq, Clone {{ int a; string b; }}\n\
             impl S{module} for Named{module} {{ int number() {{ return self.a + {module}; }} }}\n\
             <T> T first{module}(T a, T b) {{ return a; }}\n\
             export int work{module}(int x) {{\n    \
                 S{module} s = {{ a: first{module}(x, 1), b: first{module}(\"m{module}\", \"\") }};\n    \
                 println(\"{{s.b}} {{s.number()}}\");\n    \
                 return s.number();\n}}\n"
        );
        place.write(&format!("{folder}/m{module}.cm"), text);
        writeln!(imports, "import ./m{module}::{{work{module}}};").expect("a string");
        write!(calls, " + work{module}(2)").expect("a string");
    }
    place.write(
        &format!("{folder}/main.cm"),
        format!("{imports}int main() {{ return 0{calls}; }}\n"),
    );
    place.write(&format!("{folder}/cm.toml"), "");
}

/// Runs a script in a folder, in some way, in which `$cm` is the compiler.
fn run(place: &Place, folder: &str, way: &Way, script: &str) -> Outcome {
    let mut words =
        way.1.iter().map(|word| (*word).to_owned()).chain(["sh".to_owned(), "-c".to_owned()]);
    let mut command = Command::new(words.next().expect("a shell at least"));
    command.args(words).arg(format!("{}; {script}", way.2));
    command.current_dir(place.path.join(folder)).env("cm", env!("CARGO_BIN_EXE_cm"));
    command.env("CM_STD_PATH", concat!(env!("CARGO_MANIFEST_DIR"), "/../../libs"));
    command.env("CM_SHARED_CACHE", "").env_remove("CM_CACHE_DIR");
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    outcome(command.spawn().expect("a shell starts"))
}

/// Whether this machine and this user can do that.
fn is_possible(place: &Place, way: &Way) -> bool {
    let root = fs::metadata("/proc/self").is_ok_and(|this| this.uid() == 0);
    way.1.first().is_none_or(|program| {
        let tried = Command::new(program).args(&way.1[1..]).arg("true").output();
        (root || *program != "setpriv")
            && tried.is_ok_and(|tried| tried.status.success())
            // The new user must get at the compiler.
            && run(place, ".", way, "$cm --version").exit == 0
    })
}

#[test]
fn the_same_bytes_everywhere() {
    let place = Place::new(&[]);
    let open = |path: &str| {
        let mode = fs::Permissions::from_mode(0o777);
        fs::set_permissions(place.path.join(path), mode).expect("it is ours");
    };
    open(".");
    let script = "for level in 0 2; do\n\
        $cm compile -q -O$level -o out$level --cache-dir=cache$level main.cm || exit 1\n\
        for stage in mir bitcode obj; do\n\
            $cm compile -O$level --emit=$stage -o $stage$level main.cm || exit 1\n\
        done; done; ./out0";
    let products = |folder: &str| {
        let names = ["out", "mir", "bitcode", "obj"].into_iter().flat_map(|kind| {
            ["0", "2"].map(|level| (format!("{kind}{level}"), format!("{folder}/{kind}{level}")))
        });
        names.map(|(name, path)| (name, fs::read(place.path.join(path)).ok())).collect::<Vec<_>>()
    };
    program(&place, "plain");
    let expected = run(&place, "plain", &("", &[], ":"), script);
    assert_eq!((expected.exit, expected.stderr.as_str()), (27, ""), "{expected:?}");
    let first = products("plain");
    assert!(first.iter().all(|(_, bytes)| bytes.is_some()));
    let mut possible = 0;
    for (number, way) in WAYS.iter().enumerate().filter(|(_, way)| is_possible(&place, way)) {
        possible += 1;
        let folder = format!("an/other path {number}/ü");
        program(&place, &folder);
        open(&folder);
        let found = run(&place, &folder, way, script);
        assert_eq!(found, expected, "{}", way.0);
        for ((name, bytes), (_, other)) in first.iter().zip(products(&folder)) {
            assert!(*bytes == other, "{}: {name} is another one", way.0);
        }
    }
    assert!(possible >= 13, "only {possible} ways");
}
