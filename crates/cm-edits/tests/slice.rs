//! A short walk with every push, and what holds of all walks.

use cm_edits::{
    model::{Act, Bound, Breakage, Function, Item, Kind, Module, Program, Statement, Style, Ty},
    print,
    walk::Walk,
};
use std::process::Command;

/// Runs the fuzzer: whether it found nothing, and what it said.
fn fuzz(args: &[&str]) -> (bool, String) {
    let fuzz =
        Command::new(env!("CARGO_BIN_EXE_fuzz-edits")).args(args).output().expect("it starts");
    (fuzz.status.success(), String::from_utf8_lossy(&fuzz.stdout).into_owned())
}

#[test]
fn a_short_walk_finds_nothing() {
    let (good, stdout) = fuzz(&["--seed", "21", "--steps", "12"]);
    assert!(good, "{stdout}");
    assert!(stdout.contains("12 steps, 0 failures"), "{stdout}");
}

#[test]
fn builds_after_builds_that_did_not_end_are_right() {
    let (good, stdout) = fuzz(&["--seed", "5", "--kills", "50"]);
    assert!(good, "{stdout}");
    assert!(stdout.contains("50 builds killed before their end"), "{stdout}");
}

/// Some of each kind; `cargo xtask fuzz-edits --faults 10000` takes all.
#[test]
fn builds_after_builds_in_which_a_system_call_failed_are_right() {
    if !Command::new("strace").arg("-V").output().is_ok_and(|found| found.status.success()) {
        return;
    }
    let (good, stdout) = fuzz(&["--seed", "6", "--faults", "20"]);
    let untraceable = stdout.contains("may not trace");
    assert!(untraceable || good, "{stdout}");
    assert!(untraceable || stdout.contains("20 system calls failed"), "{stdout}");
}

#[test]
fn little_piles_up_in_a_cache_that_is_swept() {
    let (good, stdout) = fuzz(&["--seed", "8", "--growth", "60"]);
    assert!(good, "{stdout}");
    assert!(stdout.contains("60 edits"), "{stdout}");
}

#[test]
fn images_that_somebody_has_changed_do_no_harm() {
    let (good, stdout) = fuzz(&["--seed", "3", "--hostile", "30"]);
    assert!(good, "{stdout}");
    assert!(stdout.contains("30 images changed"), "{stdout}");
}

#[test]
fn walks_keep_programs_right_and_are_the_same_again() {
    let mut different = 0;
    for seed in 0..12 {
        let (mut walk, mut again) = (Walk::new(seed), Walk::new(seed));
        let mut last = Default::default();
        for _ in 0..40 {
            let program = &walk.state().program;
            let meant = program.breakage == Some(Breakage::Rules);
            assert!(program.is_right() || meant, "seed {seed}: {}", walk.state().edit);
            let files = print::files(program);
            assert_eq!(files, print::files(&again.state().program), "seed {seed}");
            assert!(files.contains_key("/main.cm"));
            different += usize::from(files != last);
            last = files;
            walk.step();
            again.step();
        }
    }
    assert!(different > 12 * 30, "edits change texts: {different}");
}

/// An edit may make a circle of aliases, and is not done then: to find that out must end.
#[test]
fn a_circle_of_aliases_is_not_right() {
    let alias = |id: u32, of: u32| Item {
        id,
        name: format!("A{id}"),
        module: 1,
        exported: false,
        comment: None,
        kind: Kind::Alias { ty: Ty::Named(of) },
    };
    let mut program = Walk::new(0).state().program.clone();
    assert!(program.is_right());
    program.items.extend([alias(90_001, 90_002), alias(90_002, 90_001)]);
    assert!(!program.has(&Ty::Named(90_001), Bound::Eq));
    assert!(!program.is_right());
}

/// Who calls a method writes the type of its result down, and so must be able to import it: the implementation
/// may be in a module before that of the caller, and say more than the caller can name.
#[test]
fn what_a_called_method_gives_is_visible_to_the_caller() {
    let module = |id: u32, path: &str| Module {
        id,
        path: path.to_owned(),
        style: Style::default(),
        links: Default::default(),
    };
    let item = |id: u32, name: &str, module: u32, kind: Kind| Item {
        id,
        name: name.to_owned(),
        module,
        exported: false,
        comment: None,
        kind,
    };
    let structure =
        || Kind::Struct { fields: vec![], generic: false, derives: vec![], drops: false };
    let function = |id: u32, level: u8, ret: Ty, body: Vec<Statement>| Function {
        id,
        name: format!("f{id}"),
        generics: vec![],
        params: vec![],
        ret: Some(ret),
        level,
        is_static: false,
        body,
    };
    let (early, late, implementation, method) = (10, 11, 12, 13);
    let program = |ret: Ty| {
        let act = Act::Method(implementation, method);
        let call = Statement { id: 15, seed: 0, act, inner: vec![] };
        let caller = function(14, 1, Ty::Prim("long"), vec![call]);
        let methods = vec![function(method, 2, ret, vec![])];
        let methods = Kind::Impl { of: late, interface: None, methods, operator: None };
        Program {
            modules: vec![module(1, "/main"), module(2, "/early"), module(3, "/late")],
            items: vec![
                item(early, "Early", 2, structure()),
                item(late, "Late", 3, structure()),
                item(implementation, "", 1, methods),
                item(14, "caller", 3, Kind::Function { function: caller, is_macro: false }),
            ],
            next: 20,
            ..Program::default()
        }
    };
    assert!(program(Ty::Named(late)).is_right());
    assert!(!program(Ty::Named(early)).is_right());
}
