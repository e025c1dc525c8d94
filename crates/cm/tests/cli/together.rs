//! Many processes at once in one directory, with one cache, while somebody edits.

use crate::{Outcome, Place, exit_status, outcome};
use cm_test::process::wait_within;
use std::{
    fs,
    process::{Child, Command},
    sync::atomic::{AtomicI32, Ordering::SeqCst},
    thread::{self, sleep},
    time::{Duration, Instant},
};

/// So many at once.
const PROCESSES: usize = 8;
/// Commands of each. All of them do everything, one after the other.
const ROUNDS: usize = 8;
/// Longer than any command takes on a machine that has other work: who waits longer waits for ever.
const FOR_EVER: Duration = Duration::from_secs(120);
/// The last value that fits an exit status.
const LAST: i32 = 250;

const MAIN: &str = "import ./value::{value};\nimport ./plain::{none, Pair};\n\
    int main() { Pair p = { a: none(3), b: 2 }; return value() + p.a; }\n";
const PLAIN: &str = "export struct Pair{int a;int b;}\n   export int none(int x){return x-x;}\n";

fn value(number: i32) -> String {
    format!(
        "int half(int x) {{ return x / 2; }}\n\
         export int value() {{ return half({number}) + ({number} - half({number})); }}\n"
    )
}

/// Waits for a command, but not for ever.
fn ended(mut child: Child, what: &str) -> Outcome {
    let status = wait_within(&mut child, FOR_EVER).expect("it can be waited for");
    assert!(status.is_some(), "`cm {what}` waits for ever");
    outcome(child)
}

/// The values that a file has had, as far as others can know.
#[derive(Default)]
struct Edited {
    /// The file has this one, or a later one.
    written: AtomicI32,
    /// It has no later one.
    begun: AtomicI32,
}

impl Edited {
    fn write(&self, place: &Place, number: i32) {
        self.begun.store(number, SeqCst);
        replace(place, "value.cm", value(number));
        self.written.store(number, SeqCst);
    }
}

/// Replaces a file at once, as editors do.
fn replace(place: &Place, name: &str, text: impl AsRef<[u8]>) {
    let new = format!("{name}.new");
    place.write(&new, text);
    fs::rename(place.path.join(new), place.path.join(name)).expect("a file");
}

/// One command: it must succeed, and what it makes of the program must be some state that the
/// program had meanwhile.
fn command(place: &Place, edited: &Edited, process: usize, round: usize) {
    let output = format!("x{process}");
    let compile = format!("compile -q -O{} -o {output} main.cm", round % 3);
    let runs = format!("run -O{} main.cm", round % 2);
    let args = match (process + round) % PROCESSES {
        0..=2 => compile.as_str(),
        3 => runs.as_str(),
        4 => "check main.cm",
        5 => "fmt plain.cm",
        6 => "cache verify",
        _ => "cache clean",
    };
    let first = edited.written.load(SeqCst);
    let found = ended(place.command(args).spawn().expect("cm starts"), args);
    let last = edited.begun.load(SeqCst);
    // Somebody may delete the cache at any moment.
    let warned = found.stderr.starts_with("warning: the cache was not updated: ");
    assert!(found.stderr.is_empty() || warned, "{args}: {found:?}");
    let exit = match args.split(' ').next() {
        Some("compile") => {
            assert_eq!(found.exit, 0, "{args}: {found:?}");
            let status = Command::new(place.path.join(&output)).status().expect("it starts");
            exit_status(status)
        }
        Some("run") => found.exit,
        _ => return assert_eq!(found.exit, 0, "{args}: {found:?}"),
    };
    assert!((first..=last).contains(&exit), "{args}: {exit} is not of {first}..={last}");
}

#[test]
fn eight_processes_and_an_editor() {
    let place = Place::new(&[("main.cm", MAIN), ("plain.cm", PLAIN)]);
    let edited = Edited::default();
    edited.write(&place, 1);
    thread::scope(|scope| {
        let (place, edited) = (&place, &edited);
        let work = |process| move || (0..ROUNDS).for_each(|n| command(place, edited, process, n));
        let workers: Vec<_> = (0..PROCESSES).map(|n| scope.spawn(work(n))).collect();
        let mut number = 1;
        while workers.iter().any(|worker| !worker.is_finished()) {
            sleep(Duration::from_millis(40));
            if number < LAST {
                number += 1;
                edited.write(place, number);
            }
            if number % 4 == 0 {
                replace(place, "plain.cm", PLAIN);
            }
        }
    });
    // Whatever they left, it gives what a build from nothing gives.
    let last = edited.written.load(SeqCst);
    let elsewhere = Place::new(&[("main.cm", MAIN), ("plain.cm", PLAIN)]);
    elsewhere.write("value.cm", value(last));
    for level in 0..3 {
        let args = format!("compile -q -O{level} -o x main.cm");
        let bytes = [&place, &elsewhere].map(|place| {
            let found = place.cm(&args);
            assert_eq!((found.exit, found.stderr.as_str()), (0, ""), "{args}");
            fs::read(place.path.join("x")).expect("an executable")
        });
        assert!(bytes[0] == bytes[1], "-O{level}: not the executable of a build from nothing");
    }
    let found = place.cm("cache verify");
    assert_eq!((found.exit, found.stderr.as_str()), (0, ""), "{}", found.stdout);
}

/// Nothing is locked while a program is compiled: others go on when a compiler is stopped at any
/// moment. Only one that is stopped within the microseconds in which it has the index of the store
/// makes others wait, and those for some seconds at most.
#[test]
fn a_compiler_that_is_stopped_stops_nobody() {
    const MOMENTS: u32 = 8;
    /// So long a process waits for the index.
    const PATIENCE: Duration = Duration::from_secs(5);
    let place = Place::new(&[("main.cm", MAIN), ("plain.cm", PLAIN)]);
    place.write("value.cm", value(7));
    let compile = |output: &str| {
        place.command(&format!("compile -q -o {output} main.cm")).spawn().expect("cm starts")
    };
    let clean = || _ = fs::remove_dir_all(place.path.join(".cm_cache"));
    let start = Instant::now();
    assert_eq!(ended(compile("x"), "compile").exit, 0);
    let whole = start.elapsed();
    let mut waited = 0;
    for moment in 0..MOMENTS {
        clean();
        let stopped = compile("x");
        sleep(whole * moment / MOMENTS);
        let signal = |name: &str| {
            let kill = Command::new("kill").args([name, &stopped.id().to_string()]).output();
            assert!(kill.is_ok(), "`kill` is a command everywhere");
        };
        signal("-STOP");
        let start = Instant::now();
        let other = ended(compile("y"), "compile");
        waited += u32::from(start.elapsed() > PATIENCE);
        signal("-CONT");
        let stopped = ended(stopped, "compile");
        assert_eq!((other.exit, stopped.exit), (0, 0), "{other:?} {stopped:?}");
        for output in ["x", "y"] {
            let status = Command::new(place.path.join(output)).status().expect("it starts");
            assert_eq!(exit_status(status), 7, "{output}, stopped at {moment} of {MOMENTS}");
        }
    }
    assert!(waited <= MOMENTS / 2, "{waited} of {MOMENTS} waited for a compiler that was stopped");
}
