//! `cm check`: which files are meant, and the summary.

use crate::{args, dump, options, paths, print, print::say, report};
use cm_driver::Error;
use std::{process::ExitCode, time::Instant};

/// Checks every file as a root of its own.
pub fn run(args: &args::Check) -> Result<ExitCode, Error> {
    let (files, mut wrong) = paths::collect(&args.paths, "check");
    let (mut warnings, mut done) = (0, 0);
    for file in &files {
        let start = Instant::now();
        let options = options(&args.common, None, file);
        let found = dump(&args.common, &options).and_then(|()| cm_driver::check(&options));
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
            say(&format!("{file}: checked in {} ms\n", start.elapsed().as_millis()));
        }
    }
    if !args.quiet {
        let total = files.len();
        say(&format!("\ncheck\nfiles: {done}/{total}\nerrors: {wrong}, warnings: {warnings}\n"));
    }
    Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
