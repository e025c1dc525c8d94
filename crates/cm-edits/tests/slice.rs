//! A short walk with every push, and what holds of all walks.

use cm_edits::{print, walk::Walk};
use std::process::Command;

#[test]
fn a_short_walk_finds_nothing() {
    let fuzz = Command::new(env!("CARGO_BIN_EXE_fuzz-edits"))
        .args(["--seed", "21", "--steps", "12"])
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&fuzz.stdout);
    assert!(fuzz.status.success(), "{stdout}");
    assert!(stdout.contains("12 steps, 0 failures"), "{stdout}");
}

#[test]
fn builds_after_builds_that_did_not_end_are_right() {
    let fuzz = Command::new(env!("CARGO_BIN_EXE_fuzz-edits"))
        .args(["--seed", "5", "--kills", "50"])
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&fuzz.stdout);
    assert!(fuzz.status.success(), "{stdout}");
    // Most of them must not have ended before.
    let killed = stdout.split("50 builds killed, ").nth(1).and_then(|rest| rest.split(' ').next());
    assert!(killed.is_some_and(|count| count.parse::<u32>().unwrap() > 20), "{stdout}");
}

#[test]
fn walks_keep_programs_right_and_are_the_same_again() {
    let mut different = 0;
    for seed in 0..12 {
        let (mut walk, mut again) = (Walk::new(seed), Walk::new(seed));
        let mut last = Default::default();
        for _ in 0..40 {
            let program = &walk.state().program;
            assert!(program.is_right(), "seed {seed}: {}", walk.state().edit);
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
