//! Cases that failed once.

use cm_fuzz::{check::check, compare::interpreted, programs, seeds, watch};
use cm_test::mutate;
use std::{fs, path::Path, thread};

#[test]
fn what_failed_once_passes() {
    let directory = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"));
    let mut checked = 0;
    for entry in fs::read_dir(directory).expect("there are fixtures") {
        let path = entry.expect("they can be listed").path();
        if path.extension().is_none_or(|extension| extension != "cm") {
            continue;
        }
        let case = watch::load(&path).expect("it can be read");
        let thread = thread::Builder::new().stack_size(2 << 20).spawn(move || check(&case));
        let result = thread.expect("a thread").join();
        assert_eq!(result.ok(), Some(Ok(())), "{}", path.display());
        checked += 1;
    }
    assert!(checked > 0);
}

#[test]
fn programs_that_failed_once_are_sound() {
    let directory = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/programs"));
    for entry in fs::read_dir(directory).expect("there are programs") {
        let path = entry.expect("they can be listed").path();
        let text = fs::read_to_string(&path).expect("it can be read");
        let thread = thread::Builder::new().stack_size(2 << 20).spawn(move || interpreted(&text));
        let result = thread.expect("a thread").join();
        assert_eq!(result.ok(), Some(Ok(true)), "{}", path.display());
    }
}

#[test]
fn programs_follow_from_the_seed_and_are_accepted() {
    assert_eq!(programs::program(3, 1), programs::program(3, 1));
    for step in 0..5 {
        let text = programs::program(3, step);
        assert_ne!(text, programs::program(3, step + 1));
        let thread = thread::Builder::new().stack_size(2 << 20).spawn(move || interpreted(&text));
        assert_eq!(thread.expect("a thread").join().ok(), Some(Ok(true)), "step {step}");
    }
}

#[test]
fn the_same_seed_gives_the_same_cases() {
    let seeds = seeds::programs().expect("there are programs");
    assert!(seeds.len() > 100);
    for step in 0..50 {
        assert_eq!(mutate::case(&seeds, 3, step), mutate::case(&seeds, 3, step));
    }
    assert_ne!(mutate::case(&seeds, 3, 0), mutate::case(&seeds, 4, 0));
}
