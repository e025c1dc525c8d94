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
