//! `cargo xtask fuzz-edits` starts this.

use camino::Utf8PathBuf;
use clap::Parser;
use cm_edits::{crashes, faults, grow, growth, hostile, print, random::Random, shrink, walk};
use std::{
    num::NonZero,
    path::PathBuf,
    process::ExitCode,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// As in the command.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Walks through random states of random programs, and compares every incremental build with one from nothing
#[derive(Parser)]
struct Options {
    /// What the choices depend on
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// How many steps, in walks of 40 [default: 400, or what the seconds allow]
    #[arg(long)]
    steps: Option<usize>,
    /// Stop after this many seconds
    #[arg(long)]
    seconds: Option<u64>,
    /// How many walks at once [default: one for each processor]
    #[arg(long)]
    threads: Option<NonZero<usize>>,
    /// Kill so many builds, and lose writes of as many; the builds after them must be right
    #[arg(long)]
    kills: Option<usize>,
    /// Let so many system calls of builds fail, by `strace`; these builds and those after them must be right
    #[arg(long)]
    faults: Option<usize>,
    /// Only this fault, as a failure has it
    #[arg(long, requires = "faults", allow_hyphen_values = true)]
    fault: Option<String>,
    /// Build with so many images that somebody has changed; none may panic or take all memory
    #[arg(long)]
    hostile: Option<usize>,
    /// Only this one of them
    #[arg(long, requires = "hostile")]
    trial: Option<usize>,
    /// Build a program after so many edits, and see that `cm cache gc --unused` leaves hardly more than the last state needs
    #[arg(long)]
    growth: Option<usize>,
    /// Build a program: root file, cache directory, output
    #[arg(long, num_args = 3, hide = true)]
    build: Option<Vec<Utf8PathBuf>>,
    /// Leave out one kind of edge of the graph after the other, and see that it is noticed
    #[arg(long)]
    #[cfg(feature = "mutation")]
    mutants: bool,
    /// Only print the program of the seed, into this directory
    #[arg(long)]
    print: Option<PathBuf>,
    /// Where the scripts of failing walks go
    #[arg(long, default_value_os_t = std::env::temp_dir())]
    save: PathBuf,
}

/// Steps of a walk: long enough for something to pile up, short enough to be shrunk.
const WALK: usize = 40;
/// How often it is said how far the walks are, in steps.
const PROGRESS: usize = 2000;
/// Builds of one program that are killed.
const PROGRAM: usize = 25;

fn main() -> ExitCode {
    let options = Options::parse();
    if let Some(directory) = &options.print {
        let random = &mut Random::new(options.seed);
        let items = 8 + random.below(30);
        for (path, text) in print::files(&grow::program(random, items)) {
            let path = directory.join(path.trim_start_matches('/'));
            let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
            made.and_then(|()| std::fs::write(&path, text)).expect("written");
        }
        return ExitCode::SUCCESS;
    }
    if let Some(status) = with_library() {
        return status;
    }
    if let Some([main, cache, output]) = options.build.as_deref() {
        return match crashes::build_here(main, cache, output) {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(message) => {
                eprintln!("{message}");
                ExitCode::FAILURE
            }
        };
    }
    let done = match (options.faults, options.hostile, options.kills, options.growth) {
        (Some(count), ..) => Some(faults(&options, count)),
        (_, Some(count), ..) => Some(hostile(&options, count)),
        (_, _, Some(count), _) => Some(interruptions(options.seed, count)),
        (.., Some(count)) => Some(grown(options.seed, count)),
        _ => None,
    };
    if let Some(done) = done {
        return match done {
            Ok(()) => ExitCode::SUCCESS,
            Err(message) => {
                println!("{message}");
                ExitCode::FAILURE
            }
        };
    }
    #[cfg(feature = "mutation")]
    if options.mutants {
        return match mutants(&options) {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        };
    }
    match run(&options) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// Starts this program again if it could not find the library by itself.
fn with_library() -> Option<ExitCode> {
    const VARIABLE: &str = "CM_STD_PATH";
    if std::env::var_os(VARIABLE).is_some() {
        return None;
    }
    let library = concat!(env!("CARGO_MANIFEST_DIR"), "/../../libs");
    let program = std::env::current_exe().ok()?;
    let mut command = std::process::Command::new(program);
    let status = command.args(std::env::args_os().skip(1)).env(VARIABLE, library).status().ok()?;
    Some(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Builds in which a system call fails.
fn faults(options: &Options, count: usize) -> Result<(), String> {
    let (tried, failed) = faults::faults(options.seed, count, options.fault.as_deref())?;
    println!("seed {}: {tried} system calls failed or were the last", options.seed);
    println!("{failed} builds failed by that; all builds after them right");
    Ok(())
}

/// Images that somebody has changed.
fn hostile(options: &Options, count: usize) -> Result<(), String> {
    let good = hostile::hostile(options.seed, count, options.trial)?;
    println!("seed {}: {count} images changed, {good} builds without errors", options.seed);
    Ok(())
}

/// A cache over many edits.
fn grown(seed: u64, edits: usize) -> Result<(), String> {
    /// More than a clean cache takes, in hundredths.
    const MOST: u64 = 120;
    let growth::Growth { before, after, clean } = growth::growth(seed, edits)?;
    let hundredths = after * 100 / clean.max(1);
    println!("seed {seed}: {edits} edits; KB: {}", before >> 10);
    println!("without what is unused {}, clean {}: {hundredths} %", after >> 10, clean >> 10);
    if hundredths <= MOST { Ok(()) } else { Err("that is too much".into()) }
}

/// Builds that do not come to their end, over several programs.
fn interruptions(seed: u64, count: usize) -> Result<(), String> {
    let mut failed = 0;
    for number in 0..count.div_ceil(PROGRAM) {
        let seed = seed.wrapping_add(number as u64);
        let part = PROGRAM.min(count - number * PROGRAM);
        let located = |message| format!("--seed {seed} --kills {part}: {message}");
        crashes::kills(seed, part).map_err(located)?;
        crashes::lost_writes(seed, part).map_err(located)?;
        crashes::no_store(seed).map_err(located)?;
        failed += crashes::limits(seed).map_err(located)?;
    }
    println!("seed {seed}: {count} builds killed before their end; writes lost after as many");
    println!(
        "{failed} builds failed for want of room or of open files; all builds after them right"
    );
    Ok(())
}

/// What all walks have come to.
#[derive(Default)]
struct Total {
    steps: usize,
    failures: usize,
    statistics: walk::Statistics,
}

fn run(options: &Options) -> bool {
    let start = Instant::now();
    println!("seed {}", options.seed);
    let unlimited = if options.seconds.is_some() { usize::MAX } else { 400 };
    let all = options.steps.unwrap_or(unlimited);
    let over = || options.seconds.is_some_and(|s| start.elapsed() > Duration::from_secs(s));
    let (next, total) = (AtomicUsize::new(0), Mutex::new(Total::default()));
    let work = || loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let before = number.saturating_mul(WALK);
        if before >= all || over() {
            break;
        }
        let (seed, steps) = (options.seed.wrapping_add(number as u64), WALK.min(all - before));
        let walked = walk::walk(seed, steps);
        let mut total = total.lock().unwrap_or_else(PoisonError::into_inner);
        total.steps += steps;
        match walked {
            Ok(more) => total.statistics.add(&more),
            Err(failure) => {
                total.failures += 1;
                report(seed, *failure, options);
            }
        }
        if total.steps / PROGRESS > (total.steps - steps) / PROGRESS {
            println!("{} steps, {} s", total.steps, start.elapsed().as_secs());
        }
    };
    thread::scope(|scope| {
        let threads = options.threads.or(thread::available_parallelism().ok());
        for _ in 0..threads.map_or(1, NonZero::get) {
            let thread = thread::Builder::new().stack_size(8 << 20).spawn_scoped(scope, work);
            thread.expect("the machine has a thread");
        }
    });
    let Total { steps, failures, statistics } =
        total.into_inner().unwrap_or_else(PoisonError::into_inner);
    println!("{steps} steps, {failures} failures, {} s", start.elapsed().as_secs());
    show(&statistics);
    failures == 0
}

fn report(seed: u64, failure: walk::Failure, options: &Options) {
    println!("--seed {seed} --steps {}: {}", failure.states.len() - 1, failure.message);
    let small = shrink::shrink(failure, Duration::from_secs(120));
    let path = options.save.join(format!("seed-{seed}.txt"));
    match std::fs::write(&path, shrink::script(&small)) {
        Ok(()) => println!("  {}\n  in {}", small.message, path.display()),
        Err(error) => println!("  {}: {error}", path.display()),
    }
}

fn show(statistics: &walk::Statistics) {
    println!("{:<20}{:>7}{:>9}{:>9}{:>8}", "edit", "steps", "needed", "ran", "ratio");
    for (kind, [steps, needed, ran]) in &statistics.by_edit {
        let ratio = *ran as f64 / (*needed).max(1) as f64;
        println!("{kind:<20}{steps:>7}{needed:>9}{ran:>9}{ratio:>8.2}");
    }
    let mut excess: Vec<_> = statistics.excess.iter().collect();
    excess.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let shown: Vec<_> =
        excess.iter().take(12).map(|(query, count)| format!("{query} {count}")).collect();
    println!("run without need: {}", shown.join(", "));
    println!("accepted: {} steps", statistics.accepted);
}

#[cfg(feature = "mutation")]
fn mutants(options: &Options) -> bool {
    let limit = Duration::from_secs(options.seconds.unwrap_or(300));
    let mutants = match cm_edits::mutants::mutants(options.seed, limit) {
        Ok(mutants) => mutants,
        Err(message) => {
            println!("{message}");
            return false;
        }
    };
    for (reader, read) in &mutants.listed {
        println!("noticed by the list of kinds alone: {reader} -> {read}");
    }
    for (reader, read) in &mutants.survived {
        println!("not noticed: {reader} -> {read}");
    }
    println!(
        "{} kinds of edges noticed by an edit, {} by the list of kinds alone, {} not at all",
        mutants.found.len(),
        mutants.listed.len(),
        mutants.survived.len()
    );
    mutants.survived.is_empty()
}
