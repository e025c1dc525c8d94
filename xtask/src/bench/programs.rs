//! `cargo xtask bench --programs`: how fast programs are, next to the equal ones in C.
//!
//! Each program of benches/programs is there in both languages: the same algorithm with the same
//! output. Both are built at level 3 and run by turns; what counts is the processor time they take.

use crate::{Result, dist, shell};
use nix::sys::resource::{UsageWho, getrusage};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Ratios above this are marked.
const TARGET: f64 = 1.10;

/// What to measure.
pub(super) struct Options<'a> {
    /// How often each program runs.
    pub(super) runs: u32,
    /// Only programs whose name contains this.
    pub(super) filter: &'a str,
}

/// Builds, runs, compares and prints a table.
pub(super) fn bench(options: &Options, cm: &Path) -> Result {
    let folder = dist::root()?.join("benches/programs");
    let c = shell::find(&["clang-22", "clang", "cc"]).ok_or("there is no C compiler")?;
    let dir = tempfile::tempdir().map_err(|error| error.to_string())?;
    let names: Vec<String> =
        names(&folder)?.into_iter().filter(|name| name.contains(options.filter)).collect();
    println!("processor time next to {} -O3; {} runs\n", c.display(), options.runs);
    println!("{:<16}{:>10}{:>10}{:>10}{:>10}", "", "C ms", "Cm ms", "median", "best");
    let mut failed = Vec::new();
    for name in names {
        let [c_program, cm_program] = ["c", "cm"].map(|kind| dir.path().join(format!("{name}.{kind}")));
        let source = |extension: &str| folder.join(format!("{name}.{extension}"));
        build(Command::new(&c).arg("-O3").arg("-o").arg(&c_program).arg(source("c")).arg("-lm"))?;
        let mut compile = Command::new(cm);
        compile.args(["compile", "-q", "-O3", "--no-cache", "-o"]).arg(&cm_program);
        build(compile.arg(source("cm")))?;
        let (mut c_times, mut cm_times) = (Vec::new(), Vec::new());
        for _ in 0..options.runs {
            let (c_time, c_output) = run(&c_program)?;
            let (cm_time, cm_output) = run(&cm_program)?;
            c_times.push(c_time);
            cm_times.push(cm_time);
            if c_output != cm_output {
                let [c, cm] = [c_output, cm_output].map(|o| String::from_utf8_lossy(&o).into_owned());
                failed.push(format!("{name}: C prints {c:?}, Cm {cm:?}"));
                break;
            }
        }
        let [(c_median, c_best), (cm_median, cm_best)] = [c_times, cm_times].map(summary);
        let (median, best) = (cm_median / c_median, cm_best / c_best);
        let mark = if best.min(median) > TARGET { "  slow" } else { "" };
        let [c_ms, cm_ms] = [c_best, cm_best].map(|seconds| seconds * 1e3);
        println!("{name:<16}{c_ms:>10.1}{cm_ms:>10.1}{median:>10.3}{best:>10.3}{mark}");
    }
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n")) }
}

/// The programs there are, sorted.
fn names(folder: &Path) -> Result<Vec<String>> {
    let failed = |error: std::io::Error| format!("cannot read {}: {error}", folder.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path: PathBuf = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "cm")
            && let Some(name) = path.file_stem()
        {
            names.push(name.to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn build(command: &mut Command) -> Result {
    shell::run(command.stdin(Stdio::null()))
}

/// The processor time in seconds that a program takes, and what it prints.
fn run(program: &Path) -> Result<(f64, Vec<u8>)> {
    let before = children()?;
    let output = Command::new(program).stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let time = children()? - before;
    match output {
        Ok(output) if output.status.success() => Ok((time, output.stdout)),
        Ok(output) => Err(format!("{} ends with {}", program.display(), output.status)),
        Err(error) => Err(format!("cannot start {}: {error}", program.display())),
    }
}

/// The processor time of all children so far, in seconds.
fn children() -> Result<f64> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).map_err(|error| error.to_string())?;
    let seconds = [usage.user_time(), usage.system_time()]
        .map(|time| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6);
    Ok(seconds[0] + seconds[1])
}

/// Median and minimum.
fn summary(mut times: Vec<f64>) -> (f64, f64) {
    times.sort_by(f64::total_cmp);
    (times[times.len() / 2], times[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_program_is_there_in_both_languages() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../benches/programs");
        let names = names(&folder).expect("the folder exists");
        assert!(names.len() >= 10, "{names:?}");
        assert!(names.iter().all(|name| folder.join(format!("{name}.c")).is_file()));
    }

    #[test]
    fn processor_time_is_counted() {
        let (time, output) = run(Path::new("/bin/pwd")).expect("there is such a program");
        assert!((0.0..10.0).contains(&time) && !output.is_empty());
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(summary(vec![3.0, 1.0, 2.0]), (2.0, 1.0));
    }
}
