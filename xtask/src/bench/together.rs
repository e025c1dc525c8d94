//! `--together`: compilers at once that share a cache, next to as many one after the other, and to as
//! many at once with a cache each: what the cores do not explain, they cost each other.

use super::{
    print::{Language, print},
    program::{Edit, Program},
    usage,
};
use crate::{Result, shell};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

/// So many compilers at once.
const COUNTS: [usize; 4] = [1, 2, 4, 8];
/// Modules and functions of each program, and lines of each function.
const SIZE: [usize; 3] = [20, 24, 20];

/// Longer than a tick of the file system: what was written a moment ago is read again.
const TICK: Duration = Duration::from_millis(40);

/// What each of the compilers has to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Work {
    /// A program of its own, of which the cache knows nothing.
    Clean,
    /// A program of its own, with another body.
    Body,
    /// A program of its own, as it was.
    Unchanged,
    /// The same program as the others, as it was.
    Shared,
}

const WORKS: [(&str, Work); 4] = [
    ("clean", Work::Clean),
    ("body", Work::Body),
    ("unchanged", Work::Unchanged),
    ("unchanged, one program", Work::Shared),
];

/// Measures and prints.
pub(super) fn bench(cm: &Path, runs: u32) -> Result {
    let dir = tempfile::tempdir().map_err(|error| error.to_string())?;
    let mut place = Place { cm: cm.to_owned(), dir: dir.path().to_owned(), edits: 0 };
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    println!(
        "\nN compilers at once in one cache: ms, compared with what {cores} cores explain, and with"
    );
    println!("as many at once that have a cache each");
    for (name, work) in WORKS {
        for count in COUNTS {
            // Of each the least, which other work on the machine disturbs least.
            let mut least =
                Times { alone: f64::MAX, processor: f64::MAX, one: f64::MAX, each: f64::MAX };
            for round in 0..runs {
                least = place.round(work, count, round)?.least(&least);
            }
            // One alone may keep several cores busy, and none is faster among others.
            let explained = f64::max(least.alone / count as f64, least.processor / cores as f64);
            let [time, explained, apart] =
                [least.one * 1e3, least.one / explained, least.one / least.each];
            println!("{name:<24}{count:>4}{time:>10.1}{explained:>8.2}x{apart:>8.2}x");
        }
    }
    Ok(())
}

/// What some compilers take, in seconds.
struct Times {
    /// One after the other.
    alone: f64,
    /// Processor time of that.
    processor: f64,
    /// At once, with one cache.
    one: f64,
    /// At once, with a cache each: everything else that they share is the same.
    each: f64,
}

impl Times {
    fn least(&self, other: &Times) -> Times {
        Times {
            alone: self.alone.min(other.alone),
            processor: self.processor.min(other.processor),
            one: self.one.min(other.one),
            each: self.each.min(other.each),
        }
    }
}

/// Which cache the compilers have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Cache {
    /// All of them the same.
    One,
    /// Each its own.
    Each,
}

/// A directory with programs and caches.
struct Place {
    cm: PathBuf,
    dir: PathBuf,
    /// How often the programs were edited.
    edits: usize,
}

impl Place {
    /// The times of one round. Neither cache is always the first.
    fn round(&mut self, work: Work, count: usize, round: u32) -> Result<Times> {
        let (mut alone, mut processor) = (0.0, 0.0);
        for command in &mut self.prepare(work, count, Cache::One)? {
            let (time, more) = run(std::slice::from_mut(command))?;
            (alone, processor) = (alone + time, processor + more);
        }
        let mut at_once =
            |cache| -> Result<f64> { Ok(run(&mut self.prepare(work, count, cache)?)?.0) };
        let (one, each) = if round.is_multiple_of(2) {
            (at_once(Cache::One)?, at_once(Cache::Each)?)
        } else {
            let each = at_once(Cache::Each)?;
            (at_once(Cache::One)?, each)
        };
        Ok(Times { alone, processor, one, each })
    }

    /// Brings everything into the state before the compilers, which are returned.
    fn prepare(&mut self, work: Work, count: usize, cache: Cache) -> Result<Vec<Command>> {
        // With a cache each, compilers cannot have one program.
        let is_shared = work == Work::Shared && cache == Cache::One;
        let programs = if is_shared { 1 } else { count };
        let caches = self.dir.join(format!("{cache:?}"));
        if work == Work::Clean {
            let _ = fs::remove_dir_all(&caches);
        }
        self.write(programs)?;
        let commands = |place: &Place| -> Vec<Command> {
            let command = |number: usize| {
                let cache = if cache == Cache::One { 0 } else { number };
                place.compile(number % programs, &caches.join(cache.to_string()))
            };
            (0..count).map(command).collect()
        };
        if work != Work::Clean {
            for command in &mut commands(self)[..programs] {
                run(std::slice::from_mut(command))?;
            }
        }
        if work == Work::Body {
            self.edits += 1;
            self.write(programs)?;
        }
        sleep(TICK);
        Ok(commands(self))
    }

    fn write(&self, programs: usize) -> Result {
        let [modules, functions, lines] = SIZE;
        for number in 0..programs {
            let place = self.dir.join(format!("p{number}"));
            let failed =
                |error: std::io::Error| format!("cannot write {}: {error}", place.display());
            fs::create_dir_all(&place).map_err(failed)?;
            let mut program = Program::generate(modules, functions, lines);
            program.vary(number);
            (0..self.edits).for_each(|edit| program.edit(Edit::Body, edit));
            for (name, text) in print(&program, Language::Cm) {
                let path = place.join(name);
                if fs::read_to_string(&path).ok().as_ref() != Some(&text) {
                    fs::write(path, text).map_err(failed)?;
                }
            }
        }
        Ok(())
    }

    fn compile(&self, number: usize, cache: &Path) -> Command {
        let mut command = Command::new(&self.cm);
        command.args(["compile", "-q", "-O0", "-o", "main.out", "main.cm"]);
        command.env("CM_SHARED_CACHE", "").env("CM_CACHE_DIR", cache);
        command.current_dir(self.dir.join(format!("p{number}")));
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    }
}

/// Runs compilers at once: how long it takes, and their processor time, in seconds.
fn run(commands: &mut [Command]) -> Result<(f64, f64)> {
    let before = usage::children()?;
    let start = Instant::now();
    let children: Vec<_> = commands.iter_mut().map(|command| command.spawn()).collect();
    for (child, command) in children.into_iter().zip(commands) {
        let status = child.and_then(|mut child| child.wait()).map_err(|error| error.to_string())?;
        if !status.success() {
            return Err(format!("`{}` fails", shell::show(command)));
        }
    }
    Ok((start.elapsed().as_secs_f64(), usage::children()? - before))
}
