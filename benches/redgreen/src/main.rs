//! `cargo xtask bench --graph`: how long a new process takes to bring a graph of sums up to date after an
//! edit: computing all of it, with redgreen, and with salsa's own persistence.
//!
//! There are files of lines, each the sum of a number and another line; so a query for each line, the sum
//! of each file, and the sum of all. Every way has the same results, and keeps what it needs in one file.

mod by_redgreen;
mod by_salsa;
mod model;

use model::{FILES, LINES, Texts, edited, texts};
use std::{path::Path, time::Instant};

/// A way to compute.
struct Way {
    name: &'static str,
    /// What a process does: it computes the sum of all from what the file holds, if there is one, and
    /// writes the file. How often a line was computed, and the sum.
    process: fn(&Texts, &Path) -> (usize, u64),
}

const WAYS: [Way; 3] = [
    Way { name: "from nothing", process: |texts, _| model::plain(texts) },
    Way { name: "redgreen", process: by_redgreen::process },
    Way { name: "salsa", process: by_salsa::process },
];

/// How often each is measured; the median counts.
const RUNS: usize = 9;

fn main() -> std::io::Result<()> {
    let directory = tempfile::tempdir()?;
    println!("{FILES} files of {LINES} lines, ms; in brackets: lines computed");
    println!("{:<14}{:>20}{:>18}{:>18}{:>12}", "", "first", "unchanged", "one edit", "file, KB");
    let mut sums = Vec::new();
    for Way { name, process } in WAYS {
        let file = directory.path().join(name);
        let mut measured = [const { Vec::new() }; 3];
        let mut sum = [0; 3];
        let mut count = [0; 3];
        for run in 0..RUNS {
            let _ = std::fs::remove_file(&file);
            let original = texts();
            let edit = edited(&original, run as u64);
            for (step, texts) in [&original, &original, &edit].into_iter().enumerate() {
                let start = Instant::now();
                (count[step], sum[step]) = process(texts, &file);
                measured[step].push(start.elapsed().as_secs_f64() * 1e3);
            }
        }
        let shown = |step: usize| {
            let mut times = measured[step].clone();
            times.sort_by(f64::total_cmp);
            format!("{:.2} ({})", times[RUNS / 2], count[step])
        };
        let size = file.metadata().map_or(0, |meta| meta.len()).div_ceil(1024);
        println!("{name:<14}{:>20}{:>18}{:>18}{size:>12}", shown(0), shown(1), shown(2));
        sums.push(sum);
    }
    assert!(sums.iter().all(|sum| *sum == sums[0]), "the sums differ: {sums:?}");
    Ok(())
}
