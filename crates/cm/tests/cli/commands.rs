//! Commands, options, dumps (`13-cli.md`).

use crate::{Place, check, fits, outcome};
use std::{io::Read, process::Stdio};

const OK: &str = "int add(int a, int b) { return a + b; }\n\
                  int main() { println(\"hi\"); return add(1, 2); }\n";

#[test]
fn arguments() {
    let place = Place::new(&[("ok.cm", OK), ("geo/area.cm", "export int area() { return 1; }")]);
    let version = concat!(env!("CARGO_PKG_VERSION"), "\n");
    let missing = "error: the following required arguments were not provided:…";
    check(
        &place,
        &[
            ("", 1, "", "error: no command given; try: cm --help\n"),
            ("--version", 0, version, ""),
            ("-v", 0, version, ""),
            ("-V", 0, version, ""),
            ("help", 0, "…Usage: cm COMMAND…run…compile…check…cache…why…", ""),
            ("--help", 0, "…Usage: cm COMMAND…", ""),
            ("-h", 0, "…Usage: cm COMMAND…", ""),
            ("compile --help", 0, "…Usage: cm compile [OPTIONS] FILE…-O…--emit…", ""),
            ("frobnicate", 1, "", "error: unrecognized subcommand 'frobnicate'…"),
            ("--frobnicate", 1, "", "error: unexpected argument '--frobnicate' found…"),
            ("run --frobnicate ok.cm", 1, "", "error: unexpected argument '--frobnicate' found…"),
            (
                "ok.cm",
                1,
                "",
                "error: 'ok.cm' is not a command; to execute it, write: cm run ok.cm\n",
            ),
            ("lsp", 1, "", "error: 'cm lsp' is not supported yet\n"),
            ("run", 1, "", missing),
            ("compile", 1, "", missing),
            ("check", 1, "", missing),
            ("run ok.cm ok.cm", 1, "", "error: more than one input file\n"),
            ("compile ok.cm ok.cm", 1, "", "error: more than one input file\n"),
            ("run ok.cm --cache-dir=", 1, "", "error: invalid value ''…"),
            ("cache", 1, "", "…Usage: cm cache…"),
            ("cache frobnicate", 1, "", "error: unrecognized subcommand 'frobnicate'…"),
            ("cache clean", 0, "there is no cache at .cm_cache\n", ""),
            ("cache stats", 0, "there is no cache at .cm_cache\n", ""),
            (
                "why",
                1,
                "",
                "error: there is no record of a build in .cm_cache; build something first\n",
            ),
        ],
    );
}

#[test]
fn running_and_compiling() {
    let place = Place::new(&[("ok.cm", OK)]);
    check(
        &place,
        &[
            ("run ok.cm", 3, "hi\n", ""),
            ("run -O0 ok.cm", 3, "hi\n", ""),
            ("run -O ok.cm", 3, "hi\n", ""),
            ("run ok.cm -O", 3, "hi\n", ""),
            ("run --no-cache ok.cm", 3, "hi\n", ""),
            ("run --incremental ok.cm", 3, "hi\n", ""),
            ("run --interpret ok.cm", 3, "hi\n", ""),
            ("run -v ok.cm", 3, "ok.cm: ready in … ms\nhi\n", ""),
            ("run ./ok.cm", 3, "hi\n", ""),
            (
                "run --lang=ja -d=trace --no-cache ok.cm",
                3,
                "…ran parse(ok)\n…ok.cm: … ms で準備できました\n…hi\n",
                "",
            ),
            ("run -d ok.cm", 3, "…ok.cm: ready…hi\n", ""),
            ("run -d=warn ok.cm", 3, "hi\n", ""),
            ("run -d=loud ok.cm", 1, "", "error: invalid value 'loud'…"),
            ("run --target=wasm ok.cm", 1, "", "error: unexpected argument '--target'…"),
            ("run -O4 ok.cm", 1, "", "error: invalid value '4' for '-O <LEVEL>'…"),
            ("run -Ofast ok.cm", 1, "", "error: invalid value 'fast' for '-O <LEVEL>'…"),
            ("compile ok.cm", 0, "a.out (… ms)\n", ""),
            ("compile -q ok.cm", 0, "", ""),
            ("build -o x ok.cm", 0, "x (… ms)\n", ""),
            ("compile --run ok.cm", 3, "hi\n", ""),
            ("compile --run -o sub ok.cm", 3, "hi\n", ""),
            ("compile --emit-llvm ok.cm", 0, "a.out (… ms)\n", ""),
            ("compile --target=native ok.cm", 0, "a.out (… ms)\n", ""),
            ("compile --target=wasm ok.cm", 1, "", "error: target 'wasm' is not supported yet\n"),
            ("compile --emit-js ok.cm", 1, "", "error: target 'js' is not supported yet\n"),
            (
                "compile --target=pdp11 ok.cm",
                1,
                "",
                "error: Unknown target 'pdp11'; known targets: native, …\n",
            ),
            (
                "compile -o none/x ok.cm",
                1,
                "",
                "error: cannot write none/x: No such file or directory\n",
            ),
            ("compile -o . ok.cm", 1, "", "error: cannot write …: Is a directory\n"),
            ("compile --max-output-size=0 ok.cm", 1, "", "error: invalid value '0'…"),
            (
                "cache stats",
                0,
                "directory: .cm_cache\nentries: …\nsize: … KB\n…oldest: …\nnewest: …\n",
                "",
            ),
            ("cache clear", 0, "deleted .cm_cache\n", ""),
            ("cache clear", 0, "there is no cache at .cm_cache\n", ""),
        ],
    );
    check(&place, &[("compile -q -o /dev/null ok.cm", 0, "", "")]);
    let null = std::fs::metadata("/dev/null").expect("it is still there");
    assert!(!null.is_file());
    for name in ["a.out", "x", "sub"] {
        assert!(place.path.join(name).exists(), "{name}");
    }
}

#[test]
fn stages() {
    let place = Place::new(&[("ok.cm", OK), ("wrong.cm", "int main() { return x; }\n")]);
    check(
        &place,
        &[
            ("compile --emit=tokens ok.cm", 0, "…add…main…", ""),
            ("compile --emit=ast ok.cm", 0, "…add…main…", ""),
            ("compile --emit=hir ok.cm", 0, "…ok::add…ok::main…", ""),
            ("compile --emit=mir ok.cm", 0, "…add…main…", ""),
            ("compile --emit=llvm-ir -O0 ok.cm", 0, "…define …ok::add…", ""),
            ("compile --emit=ir ok.cm", 0, "…define …", ""),
            ("compile --emit=asm ok.cm", 0, "….text…main:…", ""),
            ("compile --emit=obj -o ok.o ok.cm", 0, "", ""),
            ("compile --emit=bitcode -o ok.bc ok.cm", 0, "", ""),
            (
                "compile --emit=exe ok.cm",
                1,
                "",
                "error: invalid value 'exe' for '--emit <STAGE>'\n  [possible values: tokens, …",
            ),
            ("compile --mir-opt ok.cm", 0, "…main…", ""),
            ("compile --lir-opt ok.cm", 0, "…define …", ""),
            ("run --mir-opt ok.cm", 0, "…main…", ""),
            ("run --ast ok.cm", 3, "…main…\nhi\n", ""),
            ("run --hir --mir ok.cm", 3, "…ok::main…\nhi\n", ""),
            ("check --ast ok.cm", 0, "…main…\ncheck\nfiles: 1/1\n…", ""),
            ("compile --emit=mir wrong.cm", 1, "", "wrong.cm:1:21: error: Undefined variable 'x'…"),
            ("compile --emit=obj -o wrong.o wrong.cm", 1, "", "wrong.cm:1:21: error: …"),
            (
                "compile --emit=mir -o none/x ok.cm",
                1,
                "",
                "error: cannot write none/x: No such file or directory\n",
            ),
        ],
    );
    assert!(!place.path.join("wrong.o").exists());
    let starts = [("ok.o", b"\x7fELF"), ("ok.bc", b"BC\xc0\xde")];
    for (name, magic) in starts {
        let bytes = std::fs::read(place.path.join(name)).expect("an output");
        assert!(bytes.starts_with(magic), "{name}");
    }
}

#[test]
fn checking() {
    let place = Place::new(&[
        ("a.cm", "int f() { return 1; }\n"),
        ("dir/b.cm", "int f() { return 1; }\n"),
        ("dir/wrong.cm", "int f() { return x; }\n"),
        ("dir/deep/c.cm", "int f() { return 1; }\n"),
        ("dir/.hidden/c.cm", "nonsense"),
        ("dir/notes.txt", "nonsense"),
        ("empty/notes.txt", "nonsense"),
    ]);
    let wrong = "dir/wrong.cm:1:18: error: Undefined variable 'x'\n  |\n\
                 1 | int f() { return x; }\n  |                  ^\n";
    check(
        &place,
        &[
            ("check a.cm", 0, "\ncheck\nfiles: 1/1\nerrors: 0, warnings: 0\n", ""),
            ("check -q a.cm", 0, "", ""),
            ("check -v a.cm", 0, "a.cm: checked in … ms\n\ncheck\n…", ""),
            ("check .", 0, "\ncheck\nfiles: 1/1\nerrors: 0, warnings: 0\n", ""),
            ("check dir", 1, "\ncheck\nfiles: 1/2\nerrors: 1, warnings: 0\n", wrong),
            ("check -r .", 1, "\ncheck\nfiles: 3/4\nerrors: 1, warnings: 0\n", wrong),
            ("check -r . --exclude wrong", 0, "\ncheck\nfiles: 3/3\n…", ""),
            ("check -r . --exclude=*wrong.cm --exclude=deep", 0, "\ncheck\nfiles: 2/2\n…", ""),
            (
                "check dir/notes.txt",
                1,
                "\ncheck\nfiles: 0/0\n…",
                "error: there is no .cm file to check\n",
            ),
            ("check empty", 1, "…files: 0/0\n…", "error: there is no .cm file to check\n"),
            (
                "check none a.cm a.cm",
                1,
                "\ncheck\nfiles: 1/1\nerrors: 1, warnings: 0\n",
                "error: cannot open none\n",
            ),
            (
                "check --format=short dir",
                1,
                "…",
                "dir/wrong.cm:1:18: error: Undefined variable 'x'\n",
            ),
            (
                "check --format=json dir",
                1,
                "…",
                "{\"file\":\"dir/wrong.cm\",\"line\":1,\"column\":18,\"end_line\":1,\"end_column\":19,\
                 \"severity\":\"error\",\"code\":\"E0501\",\"message\":\"Undefined variable 'x'\",\"notes\":[]}\n",
            ),
            (
                "check --color=always --format=short dir",
                1,
                "…",
                "\x1b[1mdir/wrong.cm:1:18:\x1b[0m \x1b[1;31merror\x1b[0m: …",
            ),
        ],
    );
}

#[test]
fn why_and_query_log() {
    let geo = "export int area(int a) { return a * 2; }\n";
    let place = Place::new(&[
        ("main.cm", "import ./geo::{area};\nint main() { return area(21); }\n"),
        ("geo.cm", geo),
    ]);
    check(
        &place,
        &[
            ("run --query-log=log main.cm", 42, "", ""),
            ("why", 0, "…queries that ran: …mir(geo::area)…", ""),
            ("run main.cm", 42, "", ""),
            ("why", 0, "no input had changed\nno query ran\n", ""),
            ("why mir geo::area", 1, "", "error: mir(geo::area) did not run in the last build\n"),
            (
                "run --query-log=none/log main.cm",
                1,
                "",
                "error: cannot write none/log: No such file or directory\n",
            ),
        ],
    );
    let log = std::fs::read_to_string(place.path.join("log")).expect("a log");
    assert!(fits("…{\"key\":\"geo::area\",\"query\":\"mir\",\"reason\":\"…", &log), "{log}");
    assert!(
        fits("…{\"executed\":…,\"green\":…,\"inputs_changed\":[…],\"loaded\":…}\n", &log),
        "{log}"
    );
    place.write("geo.cm", geo.replace("* 2", "* 3"));
    check(
        &place,
        &[
            ("run main.cm", 63, "", ""),
            ("why", 0, "changed inputs:\n  source(geo)\nqueries that ran: …", ""),
            ("why mir geo::area", 0, "mir(geo::area)…source(geo)…", ""),
        ],
    );
}

/// Every command takes the options that say how it talks (13.2), and says nothing else for them.
#[test]
fn how_commands_talk() {
    let place = Place::new(&[("ok.cm", OK)]);
    let json: fn(&str) -> bool =
        |text| text.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok());
    let any: fn(&str) -> bool = |_| true;
    for (command, exit, is_json) in [
        ("run ok.cm", 3, any),
        ("compile ok.cm", 0, any),
        ("check ok.cm", 0, any),
        ("lint ok.cm", 0, any),
        ("test ok.cm", 0, any),
        ("fmt ok.cm", 0, any),
        ("init p", 0, any),
        ("why", 0, json),
        ("why mir", 0, json),
        ("cache stats", 0, json),
        ("cache list", 0, json),
        ("cache path", 0, json),
        ("cache verify", 0, json),
        ("cache gc", 0, any),
        ("cache clean", 0, json),
    ] {
        for options in ["-v -d --color=always --format=short", "-d=warn --lang=ja --format=json"] {
            if command.starts_with("why") || command.starts_with("cache") {
                place.cm("cache clean");
                place.cm("run -O0 ok.cm");
            }
            let found = place.cm(&format!("{command} {options}"));
            assert_eq!((found.exit, found.stderr.as_str()), (exit, ""), "{command} {options}");
            let timed = options.starts_with("-v");
            let fits = timed || is_json(&found.stdout);
            assert!(fits, "{command} {options}: {}", found.stdout);
            let told = found.stdout.contains(" ms") || command.starts_with("init");
            assert!(!timed || told, "{command} {options}: {}", found.stdout);
        }
    }
}

#[test]
fn standard_input() {
    let place = Place::new(&[("geo.cm", "export int area() { return 7; }\n")]);
    let program = "import ./geo::{area};\nint main() { println(\"in\"); return area(); }\n";
    for args in ["run -", "run -", "run - --no-cache", "compile --run -", "run --interpret -"] {
        let found = place.cm_with_input(args, program);
        assert_eq!(
            (found.exit, found.stdout.as_str(), found.stderr.as_str()),
            (7, "in\n", ""),
            "{args}"
        );
    }
    let other = place.cm_with_input("run --ast -", "int main() { return 9; }");
    assert_eq!((other.exit, other.stderr.as_str()), (9, ""));
    let wrong = place.cm_with_input("check -", "int main() { return x; }");
    assert_eq!(wrong.exit, 1);
    assert!(fits("-:1:21: error: Undefined variable 'x'…", &wrong.stderr), "{}", wrong.stderr);
}

#[test]
fn readers_that_go_away() {
    let place = Place::new(&[("ok.cm", OK)]);
    let verbose = ["compile -v ok.cm", "compile --debug=trace --no-cache ok.cm", "check -v ok.cm"];
    let others = ["--help", "--version", "compile ok.cm", "check ok.cm", "cache stats", "why"];
    for args in verbose.iter().chain(&others) {
        let mut child = place.command(args).spawn().expect("cm starts");
        drop(child.stdout.take());
        let found = outcome(child);
        assert_eq!((found.exit, found.stderr.as_str()), (0, ""), "{args}");
    }
    let full = std::fs::File::options().write(true).open("/dev/full").expect("/dev/full");
    let dump = place.command("compile --emit=mir ok.cm").stdout(Stdio::from(full)).spawn();
    let found = outcome(dump.expect("cm starts"));
    let message = "error: cannot write to standard output: No space left on device\n";
    assert_eq!((found.exit, found.stderr.as_str()), (1, message));
}

/// `yes | head`: a program that prints for ever is ended by the pipe, as one in C is.
#[test]
fn programs_whose_readers_go_away() {
    let place = Place::new(&[(
        "yes.cm",
        "int main() { while (true) { println(\"y y y y y y y y\"); } return 0; }\n",
    )]);
    for args in ["run yes.cm", "run --interpret yes.cm", "compile --run yes.cm"] {
        let mut child = place.command(args).spawn().expect("cm starts");
        let mut line = [0; 16];
        let mut stdout = child.stdout.take().expect("a pipe");
        stdout.read_exact(&mut line).expect("a line");
        drop(stdout);
        let found = outcome(child);
        const SIGPIPE: i32 = 128 + 13;
        assert_eq!((found.exit, found.stderr.as_str()), (SIGPIPE, ""), "{args}");
    }
}

#[test]
fn exit_status_of_programs() {
    let place = Place::new(&[
        ("big.cm", "int main() { return 258; }\n"),
        ("void.cm", "void main() { }\n"),
        ("panic.cm", "int main() { int[] a = [1]; int i = 5; return a[i]; }\n"),
        ("null.cm", "int main() { int* p = null; return *p; }\n"),
    ]);
    for how in ["run", "run -O0", "compile --run", "compile --run -O0"] {
        check(
            &place,
            &[(&format!("{how} big.cm"), 2, "", ""), (&format!("{how} void.cm"), 0, "", "")],
        );
        let panic = place.cm(&format!("{how} panic.cm"));
        assert!(
            panic.exit != 0 && !panic.stderr.is_empty() && !panic.stderr.contains("thread"),
            "{how}: {panic:?}"
        );
    }
    let run = place.cm("run -O0 null.cm").exit;
    assert_eq!(run, place.cm("compile --run -O0 null.cm").exit);
    assert_ne!(run, 0);
}

/// Commands, and with what each of them ends for which arguments.
type Statuses<'a> = (&'a [&'a str], &'a [(&'a str, i32)]);

/// The table of 13.4, and what the other commands end with.
#[test]
fn exit_statuses() {
    let place = Place::new(&[
        ("three.cm", "int main() { return 3; }\n"),
        ("big.cm", "int main() { return 259; }\n"),
        ("void.cm", "void main() { }\n"),
        ("panic.cm", "int main() { int zero = 0; return 1 / zero; }\n"),
        ("signal.cm", "extern \"C\" void abort();\nint main() { abort(); return 0; }\n"),
        ("wrong.cm", "int main() { return x; }\n"),
        ("broken.cm", "int main( {\n"),
        ("no_main.cm", "int f() { return 1; }\n"),
        ("warned.cm", "int main() { int unused = 1; return 0; }\n"),
        ("strict/.cmconfig.yml", "lint:\n  rules:\n    W001: error\n"),
        ("ugly.cm", "int main(){return 0;}\n\n\n"),
        ("good.cm", "#[test]\nbool good() { return true; }\n"),
        ("bad.cm", "#[test]\nbool bad() { return false; }\n"),
        ("empty/notes.txt", ""),
    ]);
    let mut wrong = Vec::new();
    let table: [Statuses; 6] = [
        (
            &["run", "run -O0 --no-cache", "compile -q --run", "compile -q -O0 --run -o prog"],
            &[
                ("three.cm", 3),
                ("big.cm", 3),
                ("void.cm", 0),
                ("panic.cm", 101),
                ("signal.cm", 134),
                ("wrong.cm", 1),
                ("broken.cm", 1),
                ("no_main.cm", 1),
                ("warned.cm", 0),
                ("none.cm", 1),
            ],
        ),
        (&["compile -q", "build -q"], &[("three.cm", 0), ("wrong.cm", 1), ("no_main.cm", 1)]),
        (
            &["check", "lint"],
            &[
                ("three.cm", 0),
                ("wrong.cm", 1),
                ("broken.cm", 1),
                ("no_main.cm", 0),
                ("warned.cm", 0),
                ("three.cm wrong.cm", 1),
                ("none.cm three.cm", 1),
                ("empty", 1),
                ("empty/notes.txt", 1),
            ],
        ),
        (
            &["fmt"],
            &[
                ("--check ugly.cm", 1),
                ("ugly.cm", 0),
                ("ugly.cm", 0),
                ("--check ugly.cm", 0),
                ("broken.cm", 1),
                ("none.cm", 1),
                ("empty", 1),
            ],
        ),
        (&["test"], &[("good.cm", 0), ("bad.cm", 1), ("three.cm", 0), ("wrong.cm", 1)]),
        (
            &["cache", "cache --format=json"],
            &[("path", 0), ("stats", 0), ("frob", 1), ("clean", 0)],
        ),
    ];
    for (commands, cases) in table {
        for command in commands {
            for (arguments, exit) in cases {
                let found = place.cm(&format!("{command} {arguments}"));
                if found.exit != *exit {
                    wrong.push(format!("cm {command} {arguments}: {found:?} for {exit}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let strict = place.command("lint ../warned.cm").current_dir(place.path.join("strict")).output();
    assert_eq!(strict.expect("cm runs").status.code(), Some(1));
}

#[test]
fn a_build_for_looking_for_mistakes_says_so() {
    let program = "int main() {\n#ifdef __DEBUG__\n    return 1;\n#else\n    return 2;\n#end\n}\n";
    let place = Place::new(&[("a.cm", program)]);
    for (args, exit) in
        [("-O0", 1), ("-O1", 2), ("", 2), ("--debug", 1), ("-d -O3", 1), ("-d=info", 1), ("-v", 2)]
    {
        assert_eq!(place.cm(&format!("run a.cm {args}")).exit, exit, "{args}");
    }
}
