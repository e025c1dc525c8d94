//! `cm test`.

use crate::{args, options, print::tell, report, status, the_file, watch};
use cm_driver::{Error, Outcome, Tests};
use std::process::ExitCode;

/// Runs the tests of a program and prints what came of them. Nothing that is printed depends on the machine or on
/// how long it took.
pub fn run(args: &args::Test) -> Result<ExitCode, Error> {
    let none = "".into();
    let file = if args.child.is_some() { &none } else { the_file(&args.files)? };
    let mut options = options(&args.common, Some(&args.code), file)?;
    options.foreign = args.code.foreign(&args.files);
    if let Some(bundle) = &args.child {
        return Ok(status(cm_driver::test_child(&options, bundle)?));
    }
    if args.watch {
        return watch::test(args, &options);
    }
    let tests = cm_driver::test(&options, &args.filter)?;
    if !report(&args.common, &tests.report) {
        return Ok(ExitCode::FAILURE);
    }
    tell(&summary(&tests));
    let failed = tests.outcomes.iter().any(|(_, outcome)| matches!(outcome, Outcome::Failed(..)));
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn summary(tests: &Tests) -> String {
    let mut text = String::new();
    let mut failures = String::new();
    let (mut passed, mut unchanged, mut failed) = (0, 0, 0);
    for (name, outcome) in &tests.outcomes {
        let word = match outcome {
            Outcome::Passed => {
                passed += 1;
                "ok"
            }
            Outcome::Unchanged => {
                unchanged += 1;
                "ok (unchanged)"
            }
            Outcome::Failed(how, output) => {
                failed += 1;
                failures.push_str(&format!("\n{name}: {how}\n"));
                output.lines().for_each(|line| failures.push_str(&format!("  | {line}\n")));
                "FAILED"
            }
        };
        text.push_str(&format!("test {name} ... {word}\n"));
    }
    let total = tests.outcomes.len();
    let ok = passed + unchanged;
    text + &failures
        + &format!("\ntests: {total}, passed: {ok} ({unchanged} unchanged), failed: {failed}\n")
}
