//! `cm check` and `cm lint`: the files one after the other, and the summary.

use crate::{
    args, dump, options, paths,
    print::{self, Printer, tell},
    progress::Progress,
    report, watch,
};
use cm_driver::{Error, Lint};
use std::{process::ExitCode, time::Instant};

/// What happens to each file.
struct Work<'a> {
    args: &'a args::Check,
    title: &'static str,
    lint: Lint,
    /// Mend what can be mended before looking.
    fix: bool,
}

/// Checks every file as a root of its own.
pub fn check(args: &args::Check) -> Result<ExitCode, Error> {
    run(args, "check", false)
}

/// The same with the rules for programs without a system.
pub fn lint(args: &args::Lint) -> Result<ExitCode, Error> {
    run(&args.check, "lint", args.fix)
}

fn run(args: &args::Check, title: &'static str, fix: bool) -> Result<ExitCode, Error> {
    let (lint, complaints) = Lint::find(title == "lint")?;
    Printer::new(&args.common.output).diagnostics(&complaints.diagnostics);
    if args.watch {
        return watch::check(args, title, lint);
    }
    Work { args, title, lint, fix }.run()
}

impl Work<'_> {
    fn run(&self) -> Result<ExitCode, Error> {
        let Work { args, title, .. } = self;
        let (files, mut wrong) = paths::collect(&args.paths, title);
        let (mut warnings, mut done, mut mended) = (0, 0, 0);
        for file in &files {
            let start = Instant::now();
            let options = options(&args.common, None, file)?;
            let what = format!("checking {file}");
            let mut progress = Progress::start(&args.common.output, &what);
            let found = dump(&args.common, &options).and_then(|()| {
                if self.fix {
                    mended += cm_driver::fix(&options, &self.lint)?;
                }
                cm_driver::check(&options, &self.lint)
            });
            progress.stop();
            match found {
                Ok(found) => {
                    report(&args.common, &found);
                    wrong += found.errors();
                    warnings += found.diagnostics.len() - found.errors();
                    done += usize::from(found.ok());
                }
                Err(error) => {
                    print::error(&error);
                    wrong += 1;
                }
            }
            if options.verbose {
                tell(&format!("{file}: checked in {} ms\n", start.elapsed().as_millis()));
            }
        }
        if !args.quiet {
            let total = files.len();
            tell(&format!(
                "\n{title}\nfiles: {done}/{total}\nerrors: {wrong}, warnings: {warnings}\n"
            ));
            if self.fix {
                tell(&format!("mended: {mended}\n"));
            }
        }
        Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
