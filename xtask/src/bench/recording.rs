//! What recording costs a clean build: the same program with and without, in turn.

use super::{
    build::{Builder, Compiler},
    print::{Language, print},
    program::Program,
};
use crate::Result;
use std::{fs, io, path::Path};

/// So many builds of each kind for each run that was asked for: what is measured is small beside what other
/// work on the machine does to one build.
const BUILDS: u32 = 4;

/// The limit is for recording as such: edges, fingerprints, and what the graph holds of results. The last kind
/// also writes the graph, the MIR, bitcode and objects of all units, what ran, and what people read.
const KINDS: [(&str, &[&str], &str); 3] = [
    ("not recorded (--no-cache)", &["--no-cache"], ""),
    ("recorded (--cache-readonly)", &["--cache-readonly"], "1.03"),
    ("recorded and kept, with all results", &[], ""),
];

/// Measures and prints ratios: the median of those of builds that followed each other.
pub(super) fn bench(cm: &Path, program: &Program, runs: u32) -> Result {
    let dir = tempfile::tempdir().map_err(|error| error.to_string())?;
    let builder = Builder::new(Compiler::Cm, '0', cm, dir.path().join("recording"));
    let mut builder = builder.ok_or("the command is missing")?;
    builder.clean()?;
    builder.write(print(program, Language::Cm))?;
    let rounds = (runs * BUILDS) as usize;
    let mut times = [const { Vec::new() }; KINDS.len()];
    for round in 0..rounds {
        // None is always the first.
        for at in (0..KINDS.len()).map(|at| (at + round) % KINDS.len()) {
            forget(&dir.path().join("recording")).map_err(|error| error.to_string())?;
            let time = builder.cm(&[&["compile", "-q", "-o", "main.out"], KINDS[at].1].concat())?;
            times[at].push(time.as_secs_f64());
        }
    }
    println!("\nrecording, in a clean build at -O0, {rounds} of each kind in turn");
    println!("{:<36}{:>10}{:>10}{:>10}", "", "ms", "ratio", "limit");
    let without = times[0].clone();
    for ((name, _, limit), times) in KINDS.iter().zip(times) {
        let ratios = times.iter().zip(&without).map(|(with, without)| with / without);
        let (ratio, time) = (middle(ratios.collect()), middle(times.clone()) * 1e3);
        println!("{name:<36}{time:>10.1}{ratio:>10.3}{limit:>10}");
    }
    Ok(())
}

/// Removes what a build left.
fn forget(dir: &Path) -> io::Result<()> {
    let gone = |result: io::Result<()>| match result {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    };
    gone(fs::remove_dir_all(dir.join(".cm_cache")))?;
    gone(fs::remove_file(dir.join("main.out")))
}

fn middle(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}
