//! Runs the programs of `tests/conformance` with the compiler as a whole. The README there says what
//! they are, and how to update the list of expected failures.

mod case;
mod failures;
mod process;
mod run;

use case::Case;
use failures::{Failures, Key};
use libtest_mimic::{Arguments, Failed, Trial};
use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{Arc, Mutex},
};

/// What happened to each program in each mode: whether it passed.
type Outcomes = Arc<Mutex<BTreeMap<Key, bool>>>;

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance");
    let list = root.join("expected-failures.txt");
    let expected = match fs::read_to_string(&list).map(|text| Failures::parse(&text)) {
        Ok(Ok(expected)) => expected,
        Ok(Err(message)) => return complain(&format!("{}: {message}", list.display())),
        Err(error) => return complain(&format!("cannot read {}: {error}", list.display())),
    };
    let cases = case::find(&root);
    let keys: Vec<Key> = cases.iter().flat_map(Case::keys).collect();
    let arguments = Arguments::from_args();
    let bless = env::var_os("CM_BLESS").is_some();
    let outcomes = Outcomes::default();
    let cm = find_cm();

    let mut trials = vec![stale_trial(&expected, &keys, bless)];
    for case in &cases {
        for key in case.keys() {
            let (case, cm, outcomes) = (case.clone(), cm.clone(), outcomes.clone());
            let fails = expected.contains(&key);
            trials.push(Trial::test(key.to_string(), move || {
                let cm = cm.map_err(Failed::from)?;
                let result = run::run(&case, key.mode, &cm);
                if let Ok(mut outcomes) = outcomes.lock() {
                    outcomes.insert(key, result.is_ok());
                }
                verdict(result, fails, bless)
            }));
        }
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    if bless && let Ok(outcomes) = outcomes.lock() {
        let fails = |key: &&Key| match outcomes.get(key) {
            Some(passed) => !passed,
            None => expected.contains(key),
        };
        let failing = keys.iter().filter(fails).cloned().collect();
        if let Err(error) = fs::write(&list, Failures::print(&failing, &keys)) {
            return complain(&format!("cannot write {}: {error}", list.display()));
        }
    }
    conclusion.exit_code()
}

/// Whether a result is as expected. When the list is written anew, every result is.
fn verdict(result: Result<(), String>, fails: bool, bless: bool) -> Result<(), Failed> {
    match result {
        _ if bless => Ok(()),
        Ok(()) if fails => Err("passes, but expected-failures.txt lists it; \
             CM_BLESS=1 writes the list anew"
            .into()),
        Err(message) if !fails => Err(message.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Fails if a line of the list is about no program.
fn stale_trial(expected: &Failures, keys: &[Key], bless: bool) -> Trial {
    let stale = expected.stale(keys).join(", ");
    Trial::test("expected-failures.txt", move || match bless || stale.is_empty() {
        true => Ok(()),
        false => Err(format!("lines that fit no program: {stale}").into()),
    })
}

/// The command, which lies above the directory of this test. It is a product of another package,
/// which cargo does not build for us.
fn find_cm() -> Result<PathBuf, String> {
    let test = env::current_exe().map_err(|error| error.to_string())?;
    let name = format!("cm{}", env::consts::EXE_SUFFIX);
    let cm = test.parent().and_then(Path::parent).map(|dir| dir.join(name)).unwrap_or_default();
    match cm.is_file() {
        true => Ok(cm),
        false => Err(format!("there is no {}: `cargo xtask test` builds it", cm.display())),
    }
}

fn complain(message: &str) -> ExitCode {
    eprintln!("error: {message}");
    ExitCode::FAILURE
}
