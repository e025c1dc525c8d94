//! `--watch`: the command stays, and does its work again when a source file changes.

use crate::{
    args, options, paths,
    print::{self, Printer, say, tell},
    report,
};
use camino::Utf8PathBuf;
use cm_driver::{
    Error, Lint, Options,
    resident::{Resident, Round, Task},
    watcher::Watcher,
};
use std::{
    ffi::OsString,
    process::{Child, Command, ExitCode},
    rc::Rc,
    time::{Duration, Instant},
};

/// Shows the diagnostics of files whenever they, or the configuration of the linter, change.
pub fn check(args: &args::Check, title: &str, lint: Lint) -> Result<ExitCode, Error> {
    let (files, wrong) = paths::collect(&args.paths, title);
    if wrong > 0 {
        return Ok(ExitCode::FAILURE);
    }
    let lint = Rc::new(lint);
    let open = |file| {
        let options = options(&args.common, None, file)?;
        Resident::new(&options, Task::Check(lint.clone()))
    };
    let residents = files.iter().map(open).collect::<Result<Vec<_>, _>>()?;
    let mut lint = lint;
    let mut configure = |residents: &mut [Resident]| {
        let (found, complaints) = Lint::find(title == "lint")?;
        if found != *lint {
            lint = Rc::new(found);
            Printer::new(&args.common.output).diagnostics(&complaints.diagnostics);
            residents.iter_mut().for_each(|resident| resident.set_lint(&lint));
        }
        Ok(())
    };
    watch(residents, &mut configure, &mut |round, _| {
        report(&args.common, &round.report);
        let errors = round.report.errors();
        let warnings = round.report.diagnostics.len() - errors;
        if !args.quiet {
            tell(&format!("\n{title}\nerrors: {errors}, warnings: {warnings}\n"));
        }
        Ok(None)
    })
}

/// Makes an executable whenever its program changes, and executes it if that was asked for.
pub fn compile(
    args: &args::Compile,
    options: &Options,
    output: Utf8PathBuf,
) -> Result<ExitCode, Error> {
    let resident = Resident::new(options, Task::Compile(output.clone()))?;
    watch(vec![resident], &mut |_| Ok(()), &mut |round, time| {
        if !report(&args.common, &round.report) {
            return Ok(None);
        }
        if !args.quiet {
            say(&format!("{output} ({})\n", print::milliseconds(time)));
        }
        let program = if output.components().count() == 1 {
            Utf8PathBuf::from(".").join(&output)
        } else {
            output.clone()
        };
        if args.run { start(Command::new(program)).map(Some) } else { Ok(None) }
    })
}

/// Executes a program again whenever it changes. Another process does it, since one cannot take a
/// program out of itself; it finds everything in the cache.
pub fn run(args: &args::Run, options: &Options) -> Result<ExitCode, Error> {
    let resident = Resident::new(options, Task::Run)?;
    watch(vec![resident], &mut |_| Ok(()), &mut |round, _| {
        if !round.report.ok() {
            report(&args.common, &round.report);
            return Ok(None);
        }
        again().map(Some)
    })
}

/// Runs tests again whenever their program changes, in another process too.
pub fn test(args: &args::Test, options: &Options) -> Result<ExitCode, Error> {
    let resident = Resident::new(options, Task::Check(Rc::default()))?;
    watch(vec![resident], &mut |_| Ok(()), &mut |round, _| {
        if !round.report.ok() {
            report(&args.common, &round.report);
            return Ok(None);
        }
        again().map(Some)
    })
}

/// The same command without `--watch`.
fn again() -> Result<Child, Error> {
    let cm = std::env::current_exe().map_err(|error| format!("cannot find cm: {error}"))?;
    let mut command = Command::new(cm);
    command.args(without_watch(std::env::args_os().skip(1)));
    start(command)
}

/// The command line of a process that does not stay.
fn without_watch(args: impl Iterator<Item = OsString>) -> impl Iterator<Item = OsString> {
    let mut options = true;
    args.filter(move |arg| {
        options &= arg != "--";
        !options || arg != "--watch"
    })
}

fn start(mut command: Command) -> Result<Child, Error> {
    cm_driver::end_small();
    let child = command.spawn();
    Ok(child.map_err(|error| format!("cannot execute: {}", cm_driver::reason(&error)))?)
}

/// Shows what came of a build, and how long it took; may start a program.
type Show<'a> = &'a mut dyn FnMut(&Round, Duration) -> Result<Option<Child>, Error>;

/// Brings up to date what else programs are looked at with.
type Configure<'a> = &'a mut dyn FnMut(&mut [Resident]) -> Result<(), Error>;

/// How often a running program is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// Until the user ends it. Errors are shown, and the next change is waited for.
fn watch(
    mut residents: Vec<Resident>,
    configure: Configure,
    show: Show,
) -> Result<ExitCode, Error> {
    let mut child = None;
    let mut watcher = Watcher::new()?;
    let mut noted = false;
    loop {
        let mut shown = false;
        if let Err(error) = configure(&mut residents) {
            print::error(&error);
        }
        for resident in &mut residents {
            let start = Instant::now();
            match resident.build() {
                Ok(round) if round.changed => {
                    stop(&mut child);
                    shown = true;
                    match show(&round, start.elapsed()) {
                        Ok(started) => child = started,
                        Err(error) => print::error(&error),
                    }
                }
                Ok(_) => {}
                Err(error) => print::error(&error),
            }
            if let Err(error) = resident.rest() {
                print::error(&error);
            }
        }
        noted |= shown;
        // What changed before a directory was watched has not been told.
        if watcher.watch(residents.iter().flat_map(Resident::directories).collect())? {
            continue;
        }
        if std::mem::take(&mut noted) {
            print::note("watching for changes; Ctrl-C ends it");
        }
        wait(&watcher, &mut child);
    }
}

/// Waits for a change, and meanwhile for the end of a program.
fn wait(watcher: &Watcher, child: &mut Option<Child>) {
    loop {
        if watcher.wait(child.is_some().then_some(LOOK)) {
            return;
        }
        if let Some(Ok(Some(status))) = child.as_mut().map(Child::try_wait) {
            *child = None;
            match status.code() {
                Some(code) => print::note(&format!("exit status {code}")),
                None => print::note(&status.to_string()),
            }
        }
    }
}

fn stop(child: &mut Option<Child>) {
    if let Some(mut child) = child.take() {
        // It may have ended by itself just now.
        let _ = child.kill();
        let _ = child.wait();
    }
}
