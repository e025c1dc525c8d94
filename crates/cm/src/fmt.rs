//! `cm fmt`.

use crate::{
    args, paths,
    print::{self, Printer, say, tell},
};
use camino::Utf8Path;
use cm_driver::{
    Colors, Error,
    format::{self, Formatted},
};
use similar::TextDiff;
use std::{process::ExitCode, time::Instant};

#[derive(Default)]
struct Count {
    wrong: usize,
    changed: usize,
    changes: usize,
}

/// Formats every file, or says what would be formatted.
pub fn run(args: &args::Fmt) -> Result<ExitCode, Error> {
    let (files, wrong) = paths::collect(&args.paths, "format");
    let from_input = files.contains(Utf8Path::new("-"));
    if files.len() > 1 && (from_input || args.range.is_some()) {
        return Err("standard input and --range are for one file".to_owned().into());
    }
    let mut count = Count { wrong, ..Count::default() };
    for file in &files {
        let start = Instant::now();
        if let Err(error) = one(file, args, &mut count) {
            print::error(&error);
            count.wrong += 1;
        }
        if args.output.talk.is_verbose() && file != "-" {
            say(&format!("{file}: {} ms\n", start.elapsed().as_millis()));
        }
    }
    if !args.quiet && !args.check && !from_input {
        let Count { changed, changes, .. } = count;
        tell(&format!("\nfmt\nfiles: {changed}/{}\nchanges: {changes}\n", files.len()));
    }
    let failed = count.wrong > 0 || (args.check && count.changed > 0);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn one(file: &Utf8Path, args: &args::Fmt, count: &mut Count) -> Result<(), Error> {
    let from_input = file == "-";
    let shown = if from_input { Utf8Path::new("<stdin>") } else { file };
    let text = if from_input { format::read_input()? } else { format::read(file)? };
    let formatted = format::format(shown, &text, args.range.map(|(first, last)| first..=last));
    match formatted {
        Formatted::Wrong(report) => {
            Printer::new(&args.output).diagnostics(&report.diagnostics);
            count.wrong += 1;
        }
        Formatted::Changed { text: new, changes } => {
            if args.check {
                say(&if args.quiet {
                    format!("{shown}\n")
                } else {
                    diff(shown, &text, &new, args)
                });
            } else if from_input {
                print::emit(new.as_bytes(), None)?;
            } else {
                format::replace(file, &new)?;
            }
            count.changed += 1;
            count.changes += changes;
        }
        Formatted::Same if from_input && !args.check => print::emit(text.as_bytes(), None)?,
        Formatted::Same => {}
    }
    Ok(())
}

/// What would change, as a unified diff.
fn diff(shown: &Utf8Path, old: &str, new: &str, args: &args::Fmt) -> String {
    let diff = TextDiff::from_lines(old, new);
    let (before, after) = (format!("{shown}"), format!("{shown} (formatted)"));
    let text = diff.unified_diff().context_radius(3).header(&before, &after).to_string();
    let colors = Colors::new(print::wants_colors(&args.output, &std::io::stdout()));
    text.split_inclusive('\n').map(|line| colors.diff_line(line)).collect()
}
