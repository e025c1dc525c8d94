//! `cm init` and `cm completions`.

use crate::{Place, check, files_below};

#[test]
fn a_new_project_runs_and_nothing_is_overwritten() {
    let place = Place::new(&[("half/src/main.cm", "int main() { return 7; }\n"), ("file", "")]);
    let left = "exists already; left as it is\n";
    check(
        &place,
        &[
            (
                "init new",
                0,
                "created new/cm.toml\ncreated new/src/main.cm\ncreated new/.gitignore\n\
                 try: cm run new/src/main.cm\n",
                "",
            ),
            ("run --no-cache new/src/main.cm", 0, "Hello, world!\n", ""),
            ("fmt --check -r new", 0, "", ""),
            ("lint --no-cache -q -r new", 0, "", ""),
            ("init new", 0, &format!("new/cm.toml {left}…{left}…{left}"), ""),
            ("init half", 0, "…half/src/main.cm exists already…", ""),
            ("run --no-cache half/src/main.cm", 7, "", ""),
            ("init file", 1, "", "error: cannot create file/cm.toml: …\n"),
        ],
    );
    assert_eq!(place.read("new/.gitignore"), "/.cm_cache/\n/a.out\n");
    let empty = Place::new(&[]);
    check(&empty, &[("init", 0, "cm.toml exists…created src/main.cm\n…", "")]);
    assert_eq!(files_below(&empty.path).len(), 3);
}

#[test]
fn completions_know_commands_and_options() {
    let place = Place::new(&[]);
    for shell in ["bash", "zsh", "fish"] {
        let found = place.cm(&format!("completions {shell}"));
        assert_eq!((found.exit, found.stderr.as_str()), (0, ""));
        for word in ["compile", "fmt", "query-log", "exclude"] {
            assert!(found.stdout.contains(word), "{shell} does not know {word}");
        }
    }
    check(&place, &[("completions tcsh", 1, "", "error: invalid value 'tcsh'…")]);
}

#[test]
fn a_module_is_one_by_whatever_links_it_is_reached() {
    let main = "import ./q;\nimport ./link;\nimport ./way/q as third;\nimport ./all/*;\n\
                int main() {\n    q::a = 7;\n    return link::a + third::a + a;\n}\n";
    let files = [("main.cm", main), ("dir/q.cm", "import ./in;\nexport int a = 1;\n")];
    let place = Place::new(&files);
    place.write("dir/in.cm", "export int inner() { return 1; }\n");
    place.write("other/q.cm", "export int a = 100;\nexport int b = 3;\n");
    place.write("all/none.cm", "");
    let link = |to: &str, name: &str| {
        let name = place.path.join(name);
        let _ = std::fs::remove_file(&name);
        std::os::unix::fs::symlink(to, name).expect("a link");
    };
    link("dir/q.cm", "q.cm");
    link("q.cm", "link.cm");
    link("dir", "way");
    link("../dir/q.cm", "all/also.cm");
    for _ in 0..2 {
        let ran = place.cm("run main.cm");
        assert_eq!((ran.exit, ran.stderr.as_str()), (21, ""));
    }
    // The same file, to which the links lead by another way.
    std::fs::rename(place.path.join("dir"), place.path.join("moved")).expect("it moves");
    assert_eq!(place.cm("run main.cm").exit, 1);
    link("moved/q.cm", "q.cm");
    link("moved", "way");
    link("../moved/q.cm", "all/also.cm");
    assert_eq!(place.cm("run main.cm").exit, 21);
    // Another file.
    link("other/q.cm", "link.cm");
    let ran = place.cm("run --format=short main.cm");
    assert_eq!(ran.stderr, "main.cm:7:33: error: 'a' is ambiguous: found in 'q' and 'q'\n");
}
