//! `cargo xtask fuzz` runs this.

use clap::{Parser, Subcommand};
use cm_fuzz::{cases::Cases, minimise::minimise, watch};
use cm_test::mutate::Case;
use std::{
    collections::BTreeMap,
    error::Error,
    io::Write,
    panic,
    path::PathBuf,
    process::ExitCode,
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

#[derive(Parser)]
#[command(
    name = "cm-fuzz",
    about = "Broken programs for the front end of the compiler, and right ones for all of it"
)]
struct Cli {
    #[command(subcommand)]
    task: Option<Task>,
    /// Grow programs that are right, and compare what they do wherever they run
    #[arg(long)]
    programs: bool,
    /// What the cases follow from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Stop after this many seconds [default: 60, or what the cases take]
    #[arg(long)]
    time: Option<u64>,
    /// Cases
    #[arg(long)]
    steps: Option<u64>,
    /// The first case
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Where failing cases go, made small
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"))]
    keep: PathBuf,
}

#[derive(Subcommand)]
enum Task {
    /// Runs cases one after the other, for the process that watches
    #[command(hide = true)]
    Worker { seed: u64, first: u64 },
    /// Checks one program
    Case { file: PathBuf },
    /// Prints the program of a step
    Show { step: u64 },
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

type Done = Result<bool, Box<dyn Error>>;

fn run(cli: &Cli) -> Done {
    let cases = Cases::new(cli.programs)?;
    match &cli.task {
        Some(Task::Worker { seed, first }) => worker(&cases, *seed, *first),
        Some(Task::Case { file }) => {
            let result = guarded(&cases, &watch::load(file)?);
            println!("{}", result.as_ref().err().map_or("ok", String::as_str));
            Ok(result.is_ok())
        }
        Some(Task::Show { step }) => {
            println!("{}", cases.case(cli.seed, *step).text);
            Ok(true)
        }
        None => fuzz(cli, &cases),
    }
}

/// Prints the number of every case before it is checked, and ends with the first that fails.
fn worker(cases: &Cases, seed: u64, first: u64) -> Done {
    let mut out = std::io::stdout();
    for step in first.. {
        writeln!(out, "{step}")?;
        if let Err(message) = guarded(cases, &cases.case(seed, step)) {
            writeln!(out, "failed {message}")?;
            return Ok(false);
        }
    }
    Ok(true)
}

static PANIC: Mutex<String> = Mutex::new(String::new());

/// Checks a case on a stack as small as threads have. A panic becomes `PLACE MESSAGE`.
fn guarded(cases: &Cases, case: &Case) -> Result<(), String> {
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(|place| format!("{}:{}", place.file(), place.line()));
        let text = info.payload_as_str().unwrap_or_default().replace('\n', " ");
        *PANIC.lock().unwrap_or_else(PoisonError::into_inner) =
            format!("{} {text}", place.unwrap_or_default());
    }));
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(2 << 20);
        let thread = thread.spawn_scoped(scope, || cases.check(case));
        match thread.map_err(|error| error.to_string())?.join() {
            Ok(result) => result,
            Err(_) => Err(PANIC.lock().unwrap_or_else(PoisonError::into_inner).clone()),
        }
    })
}

/// Runs cases until the time is over; failing ones are made small and kept, one of each kind.
fn fuzz(cli: &Cli, cases: &Cases) -> Done {
    let seconds = cli.time.or_else(|| cli.steps.is_none().then_some(60));
    let end = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let last = cli.from.saturating_add(cli.steps.unwrap_or(u64::MAX));
    let mut kinds: BTreeMap<String, u64> = BTreeMap::new();
    let mut step = cli.from;
    while !watch::is_over(end) && step < last {
        let (right, failure) = watch::run(cases, cli.seed, step, last, end)?;
        step += right;
        let Some(failure) = failure else { break };
        step = failure.step + 1;
        let count = kinds.entry(failure.kind().to_owned()).or_default();
        *count += 1;
        if *count == 1 {
            println!("seed {} step {}: {}", cli.seed, failure.step, failure.message);
            let small = small(cases, cases.case(cli.seed, failure.step), failure.kind())?;
            let keep = if cli.programs { cli.keep.join("programs") } else { cli.keep.clone() };
            let file = keep.join(format!("seed{}_step{}.cm", cli.seed, failure.step));
            watch::save(&small, &file)?;
            println!("{}:\n{}", file.display(), small.text);
        }
    }
    let failed: u64 = kinds.values().sum();
    println!("seed {}: {} cases, {failed} failed", cli.seed, step - cli.from);
    kinds.iter().for_each(|(kind, count)| println!("{count:6} {kind}"));
    Ok(failed == 0)
}

fn small(cases: &Cases, case: Case, kind: &str) -> std::io::Result<Case> {
    let directory = std::env::temp_dir().join(format!("cm-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&directory)?;
    let same = |case: &Case| {
        let found = watch::kind_of(cases, case, &directory);
        found.is_ok_and(|found| found.as_deref() == Some(kind))
    };
    let small = minimise(case, Duration::from_secs(60), same);
    std::fs::remove_dir_all(&directory)?;
    Ok(small)
}
