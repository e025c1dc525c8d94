//! `cargo xtask bench`: how long builds of a generated program take after various edits, in fresh
//! processes, next to compilers of C, Rust and Zig on the equal program.

mod build;
mod print;
mod program;
mod programs;
mod recording;
mod resident;
mod scaling;
mod store;
mod together;
mod usage;

use crate::{
    Result,
    dist::{self, at},
    shell,
};
use build::{Builder, COMPILERS, Compiler};
use print::{Files, LANGUAGES, Language, print};
use program::{Edit, Program};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Modules of the program
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    modules: u32,
    /// Functions of a module
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..))]
    functions: u32,
    /// Lines of a function, about
    #[arg(long, default_value_t = 20)]
    lines: u32,
    /// Measure edits of a program of 100,000 lines, not optimized, next to other compilers and ccache
    #[arg(long, conflicts_with_all = ["modules", "functions", "lines"])]
    incremental: bool,
    /// How often everything is repeated; the median counts
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// The compiler; by default the one in target/dist, which `cargo xtask dist` builds
    #[arg(long)]
    cm: Option<PathBuf>,
    /// Measure the programs of benches/programs instead, next to the equal ones in C
    #[arg(long, conflicts_with = "scaling")]
    programs: bool,
    /// Measure the containers of the library instead, next to those of Rust and C++
    #[arg(long, conflicts_with_all = ["programs", "scaling"])]
    library: bool,
    /// Measure instead how compile time grows with programs that are large in one way each
    #[arg(long)]
    scaling: bool,
    /// Measure the store of the cache instead, next to hits of other compiler caches
    #[arg(long, conflicts_with_all = ["programs", "library", "scaling"])]
    store: bool,
    /// Measure instead what compilers that share a cache cost each other; --incremental does it too
    #[arg(long, conflicts_with_all = ["programs", "library", "scaling", "store"])]
    together: bool,
    /// Measure the graph of queries instead, next to computing everything and to salsa's own persistence
    #[arg(long, conflicts_with_all = ["programs", "library", "scaling", "store"])]
    graph: bool,
    /// With --programs, --library and --scaling: only those whose name contains this
    #[arg(long, default_value = "")]
    filter: String,
    /// With --scaling: level of optimisation
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(..4))]
    level: u8,
    /// Write the program in every language into this directory and measure nothing
    #[arg(long)]
    generate: Option<PathBuf>,
}

/// What is measured: its name, and how it comes about.
const STEPS: &[(&str, Step)] = &[
    ("clean", Step::Clean),
    ("unchanged", Step::Unchanged),
    ("comment", Step::Edit(Edit::Comment)),
    ("body", Step::Edit(Edit::Body)),
    ("signature", Step::Edit(Edit::Signature)),
    ("clean --no-cache", Step::Cm(&["compile", "-q", "-o", "main.out", "--no-cache"])),
    ("run", Step::Cm(&["run"])),
    ("run again", Step::Cm(&["run"])),
    ("body, running", Step::EditRun),
];

/// At most so many milliseconds, for 100,000 lines that are not optimized.
const LIMITS: &[(&str, f64)] = &[
    ("unchanged", 10.0),
    ("comment", 15.0),
    ("body", 50.0),
    ("body, running", 30.0),
    ("resident comment", 10.0),
    ("resident body", 10.0),
];

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Everything is built.
    Clean,
    /// Built again as it is.
    Unchanged,
    /// Built after an edit.
    Edit(Edit),
    /// Another command than the build, which only `cm` has.
    Cm(&'static [&'static str]),
    /// `cm run` after an edit of a body, until the program begins.
    EditRun,
}

/// Measures and prints a table.
pub(crate) fn bench(options: &Options) -> Result {
    let Options { mut modules, mut functions, lines, incremental, .. } = *options;
    if incremental {
        (modules, functions) = (100, 48);
    }
    let program = Program::generate(modules as usize, functions as usize, lines as usize);
    if let Some(dir) = &options.generate {
        return generate(&program, dir);
    }
    if options.store {
        return store::bench(options.runs);
    }
    if options.graph {
        return graph();
    }
    let cm = match &options.cm {
        Some(cm) => std::path::absolute(cm).map_err(|error| error.to_string())?,
        None => dist::folder()?.join("cm"),
    };
    if !cm.is_file() {
        return Err(format!("there is no {}; run `cargo xtask dist` before", cm.display()));
    }
    let (runs, filter) = (options.runs, options.filter.as_str());
    if options.together {
        return together::bench(&cm, runs);
    }
    if options.programs || options.library {
        let suite = if options.library { programs::LIBRARY } else { programs::PROGRAMS };
        return programs::bench(&programs::Options { suite, runs, filter }, &cm);
    }
    if options.scaling {
        return scaling::bench(&scaling::Options { runs, filter, level: options.level }, &cm);
    }
    let total: usize =
        print(&program, Language::Cm).values().map(|text| text.lines().count()).sum();
    println!(
        "{modules} modules of {functions} functions, {total} lines; median of {}",
        options.runs
    );
    let dir = tempfile::tempdir().map_err(|error| error.to_string())?;
    let mut results = BTreeMap::<String, Vec<String>>::new();
    let mut failed = Vec::new();
    let mut tables = Vec::new();
    let levels: &[char] = if incremental { &['0'] } else { &['0', '2'] };
    for &level in levels {
        let speed = front_end(&cm, level, &program, total, dir.path(), options.runs as usize)?;
        println!("front end at -O{level}, one thread: {:.0} lines/s", speed);
        for compiler in COMPILERS {
            let name = format!("{} -O{level}", compiler.name());
            let place = dir.path().join(&name);
            let Some(mut builder) = Builder::new(*compiler, level, &cm, place) else { continue };
            match measure(&mut builder, &program, options.runs as usize) {
                Ok(mut measured) => {
                    if *compiler == Compiler::Cm {
                        let runs = options.runs as usize;
                        measured.steps.extend(resident::measure(&mut builder, &program, runs)?);
                    }
                    table(&name, &measured.steps);
                    results.entry(measured.results.join(" ")).or_default().push(name.clone());
                    tables.push((name, measured.steps));
                }
                Err(message) => failed.push(format!("{name}: {message}")),
            }
        }
    }
    if incremental {
        compare(&tables);
        recording::bench(&cm, &program, runs)?;
        together::bench(&cm, runs)?;
    }
    if results.len() > 1 {
        failed.push(format!("the programs print different results: {results:?}"));
    }
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n")) }
}

/// The comparison is a workspace of its own.
fn graph() -> Result {
    let metadata = shell::metadata()?;
    let mut command = shell::cargo();
    command.args(["run", "--release", "--quiet", "--manifest-path"]);
    command.arg(metadata.workspace_root.join("benches/redgreen/Cargo.toml"));
    command.arg("--target-dir").arg(metadata.target_directory.join("bench"));
    shell::run(&mut command)
}

/// A program in Cm, and the same after each kind of edit.
pub(crate) fn edits() -> Vec<Files> {
    let mut program = Program::generate(12, 24, 20);
    let mut states = vec![print(&program, Language::Cm)];
    for edit in [Edit::Comment, Edit::Body, Edit::Signature] {
        program.edit(edit, 1);
        states.push(print(&program, Language::Cm));
    }
    states
}

/// Writes the program into a directory for each language.
fn generate(program: &Program, dir: &Path) -> Result {
    for language in LANGUAGES {
        let place = dir.join(format!("{language:?}").to_lowercase());
        std::fs::create_dir_all(&place).map_err(|error| at("create", &place, error))?;
        write(&print(program, language), &place)?;
    }
    Ok(())
}

/// Writes files into a directory.
pub(crate) fn write(files: &Files, dir: &Path) -> Result {
    for (name, text) in files {
        let path = dir.join(name);
        std::fs::write(&path, text).map_err(|error| at("write", &path, error))?;
    }
    Ok(())
}

/// Lines a second from the text to MIR, without a cache.
fn front_end(
    cm: &Path,
    level: char,
    program: &Program,
    lines: usize,
    dir: &Path,
    runs: usize,
) -> Result<f64> {
    let place = dir.join("front end");
    let builder = Builder::new(Compiler::Cm, level, cm, place);
    let mut builder = builder.ok_or("the command is missing")?;
    builder.clean()?;
    builder.write(print(program, Language::Cm))?;
    let times = (0..runs).map(|_| builder.front_end()).collect::<Result<Vec<_>>>()?;
    Ok(lines as f64 / median(times).as_secs_f64())
}

/// Prints the times of all compilers side by side, those of others as ratios.
fn compare(tables: &[(String, Vec<(&str, Times)>)]) {
    let Some(((_, ours), others)) = tables.split_first() else { return };
    print!("\n{:<18}{:>10}{:>10}{:>10}", "", "Cm, ms", "at best", "limit");
    others.iter().for_each(|(name, _)| print!("{name:>16}"));
    println!();
    for (step, time) in ours {
        let [time, best] = [time.median, time.best].map(|time| time.as_secs_f64() * 1e3);
        let limit = LIMITS.iter().find(|(name, _)| name == step);
        let limit = limit.map_or(String::new(), |(_, limit)| format!("{limit:.0}"));
        print!("{step:<18}{time:>10.1}{best:>10.1}{limit:>10}");
        for (_, other) in others {
            let other = other.iter().find(|(name, _)| name == step);
            let ratio = other.map(|(_, other)| other.median.as_secs_f64() * 1e3 / time);
            print!("{:>16}", ratio.map_or(String::new(), |ratio| format!("{ratio:.1}x")));
        }
        println!();
    }
}

struct Measured {
    steps: Vec<(&'static str, Times)>,
    /// What the program printed after each edit of the first run.
    results: Vec<String>,
}

fn measure(builder: &mut Builder, original: &Program, runs: usize) -> Result<Measured> {
    let mut times: BTreeMap<usize, Vec<Duration>> = BTreeMap::new();
    let mut results = Vec::new();
    builder.prepare()?;
    for round in 0..runs {
        let mut program = original.clone();
        for (index, (_, step)) in STEPS.iter().enumerate() {
            match step {
                Step::Edit(edit) => program.edit(*edit, round),
                // Another edit than that of the step `body`.
                Step::EditRun => program.edit(Edit::Body, round + runs),
                _ => {}
            }
            if let Step::Clean = step {
                builder.clean()?;
            }
            builder.write(print(&program, builder.compiler.language()))?;
            let time = match step {
                Step::Cm(_) | Step::EditRun if builder.compiler != Compiler::Cm => continue,
                Step::Cm(arguments) => builder.cm(arguments)?,
                Step::EditRun => builder.until_it_runs()?,
                Step::Clean => builder.build(false)?,
                Step::Unchanged | Step::Edit(_) if builder.compiler == Compiler::Cm => {
                    let before = builder.executable()?;
                    let time = builder.build(true)?;
                    let same = before == builder.executable()?;
                    facts(*step, builder.level, builder.units_compiled()?, same)?;
                    time
                }
                Step::Unchanged | Step::Edit(_) => builder.build(false)?,
            };
            times.entry(index).or_default().push(time);
            if round == 0 && !matches!(step, Step::Cm(_) | Step::EditRun) {
                results.push(builder.result()?);
            }
        }
    }
    let steps = times.into_iter().map(|(index, times)| (STEPS[index].0, Times::of(times)));
    Ok(Measured { steps: steps.collect(), results })
}

/// What holds besides the time: how many units are compiled, and whether the executable stays.
fn facts(step: Step, level: char, units: usize, same: bool) -> Result {
    let expected = match step {
        Step::Unchanged | Step::Edit(Edit::Comment) => units == 0 && same,
        Step::Edit(Edit::Body) if level == '0' => units == 1 && !same,
        // Optimized units hold small functions of others.
        Step::Edit(Edit::Body) => units > 0 && !same,
        // The function and its callers.
        Step::Edit(Edit::Signature) => units > 0 && !same,
        Step::Clean | Step::Cm(_) | Step::EditRun => true,
    };
    let change = if same { "stays" } else { "changes" };
    if expected {
        return Ok(());
    }
    Err(format!("{step:?}: {units} units are compiled and the executable {change}"))
}

/// What a step took when it was repeated.
#[derive(Clone, Copy)]
struct Times {
    median: Duration,
    /// Far below the median, it says that the machine was in a slow phase, not the compiler.
    best: Duration,
}

impl Times {
    fn of(times: Vec<Duration>) -> Times {
        let best = times.iter().min().copied().unwrap_or_default();
        Times { median: median(times), best }
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn table(name: &str, steps: &[(&str, Times)]) {
    println!("\n{name:<18}{:>12}{:>12}{:>12}", "ms", "at best", "of clean");
    let clean = steps[0].1.median.as_secs_f64();
    for (step, Times { median, best }) in steps {
        let [median, best] = [median, best].map(|time| time.as_secs_f64());
        let part = 100.0 * median / clean;
        println!("{step:<18}{:>12.1}{:>12.1}{part:>11.2}%", median * 1e3, best * 1e3);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_repeated_times_the_median_and_the_best_count() {
        let Times { median, best } =
            Times::of([9, 3, 70, 4, 8].map(Duration::from_millis).to_vec());
        assert_eq!([median, best].map(|time| time.as_millis()), [8, 3]);
    }

    #[test]
    fn the_program_has_the_size_asked_for() {
        let program = Program::generate(3, 8, 20);
        for language in LANGUAGES {
            let files = print(&program, language);
            let lines = files[&format!("m001.{}", language.extension())].lines().count();
            assert!((8 * 20..8 * 25).contains(&lines), "{language:?}: {lines}");
        }
        assert_eq!(print(&program, Language::Cm).len(), 4);
    }

    #[test]
    fn edits_change_the_files_that_they_must() {
        let original = Program::generate(5, 8, 12);
        let changed = |edit| -> Vec<String> {
            let mut program = original.clone();
            program.edit(edit, 1);
            let (old, new) = (print(&original, Language::Cm), print(&program, Language::Cm));
            new.into_iter()
                .filter(|(name, text)| old[name] != *text)
                .map(|(name, _)| name)
                .collect()
        };
        let names = |names: &[&str]| names.iter().map(|name| name.to_string()).collect::<Vec<_>>();
        assert_eq!(changed(Edit::Comment), names(&["m002.cm"]));
        assert_eq!(changed(Edit::Body), names(&["m002.cm"]));
        assert_eq!(changed(Edit::Signature), names(&["m002.cm", "m003.cm"]));
    }
}
