//! `cargo xtask bench --programs`: how fast programs are, next to the equal ones in C; and `--library`: how
//! fast the containers of the library are, next to those of Rust and C++.
//!
//! Each program of benches/programs is there in Cm and in C, and each of benches/library in Cm and in the
//! language whose library is the measure: the same algorithm with the same output. Both are built at level 3 and run by turns;
//! what counts is the processor time they take.

use super::usage;
use crate::{Result, shell};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Programs that are compared.
#[derive(Clone, Copy)]
pub(super) struct Suite {
    /// Their folder below benches.
    folder: &'static str,
    /// Ratios above this are marked, for programs whose name is not in `targets`.
    target: f64,
    /// Other limits, by name.
    targets: &'static [(&'static str, f64)],
}

/// What the compiler makes of plain programs.
pub(super) const PROGRAMS: Suite = Suite { folder: "programs", target: 1.10, targets: &[] };

/// The containers of the library.
pub(super) const LIBRARY: Suite =
    Suite { folder: "library", target: 1.20, targets: &[("map", 2.0)] };

impl Suite {
    fn target(&self, name: &str) -> f64 {
        self.targets
            .iter()
            .find(|(other, _)| *other == name)
            .map_or(self.target, |(_, limit)| *limit)
    }

    fn path(&self, root: &Path) -> PathBuf {
        root.join("benches").join(self.folder)
    }
}

/// What to measure.
pub(super) struct Options<'a> {
    /// Which programs.
    pub(super) suite: Suite,
    /// How often each program runs.
    pub(super) runs: u32,
    /// Only programs whose name contains this.
    pub(super) filter: &'a str,
}

/// Builds, runs, compares and prints a table.
pub(super) fn bench(options: &Options, cm: &Path) -> Result {
    let folder = options.suite.path(shell::metadata()?.workspace_root.as_std_path());
    let dir = tempfile::tempdir().map_err(|error| error.to_string())?;
    let names: Vec<String> =
        names(&folder)?.into_iter().filter(|name| name.contains(options.filter)).collect();
    println!("processor time at level 3, of {} runs each\n", options.runs);
    println!(
        "{:<16}{:>10}{:>10}{:>10}{:>10}{:>8}",
        "", "peer ms", "Cm ms", "median", "best", "limit"
    );
    let mut failed = Vec::new();
    for name in names {
        let [c_program, cm_program] =
            ["c", "cm"].map(|kind| dir.path().join(format!("{name}.{kind}")));
        let Some((mut compile, source)) = reference(&folder, &name) else {
            println!("{name:<16}  no compiler for its counterpart");
            continue;
        };
        build(compile.arg("-o").arg(&c_program).arg(source))?;
        let mut compile = Command::new(cm);
        compile.args(["compile", "-q", "-O3", "--no-cache", "-o"]).arg(&cm_program);
        build(compile.arg(folder.join(format!("{name}.cm"))))?;
        let (mut c_times, mut cm_times) = (Vec::new(), Vec::new());
        for _ in 0..options.runs {
            let (c_time, c_output) = usage::time(&mut Command::new(&c_program))?;
            let (cm_time, cm_output) = usage::time(&mut Command::new(&cm_program))?;
            c_times.push(c_time);
            cm_times.push(cm_time);
            if c_output != cm_output {
                let [c, cm] =
                    [c_output, cm_output].map(|o| String::from_utf8_lossy(&o).into_owned());
                failed.push(format!("{name}: its peer prints {c:?}, Cm {cm:?}"));
                break;
            }
        }
        let [(c_median, c_best), (cm_median, cm_best)] = [c_times, cm_times].map(summary);
        let (median, best) = (cm_median / c_median, cm_best / c_best);
        let limit = options.suite.target(&name);
        let mark = if best.min(median) > limit { "  slow" } else { "" };
        let [c_ms, cm_ms] = [c_best, cm_best].map(|seconds| seconds * 1e3);
        println!("{name:<16}{c_ms:>10.1}{cm_ms:>10.1}{median:>10.3}{best:>10.3}{limit:>8.2}{mark}");
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

/// How the counterpart of a program is compiled, and its source.
fn reference(folder: &Path, name: &str) -> Option<(Command, PathBuf)> {
    const COMPILERS: [(&str, &[&str], &[&str]); 3] = [
        ("c", &["clang-22", "clang", "cc"], &["-O3", "-Wl,--no-as-needed", "-lm"]),
        ("cpp", &["clang++-22", "clang++", "c++"], &["-O3"]),
        ("rs", &["rustc"], &["-Copt-level=3"]),
    ];
    COMPILERS.iter().find_map(|(extension, compilers, arguments)| {
        let source = folder.join(format!("{name}.{extension}"));
        let mut command = Command::new(shell::find(compilers).filter(|_| source.is_file())?);
        command.args(*arguments);
        Some((command, source))
    })
}

fn build(command: &mut Command) -> Result {
    shell::run(command.stdin(Stdio::null()))
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
    fn every_program_has_a_counterpart() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for (suite, least) in [(PROGRAMS, 10), (LIBRARY, 2)] {
            let folder = suite.path(&root);
            let names = names(&folder).expect("the folder exists");
            assert!(names.len() >= least, "{names:?}");
            assert!(names.iter().all(|name| {
                ["c", "cpp", "rs"].iter().any(|e| folder.join(format!("{name}.{e}")).is_file())
            }));
            // A limit for a program that is not there would never be looked at.
            assert!(suite.targets.iter().all(|(name, _)| names.iter().any(|other| other == name)));
        }
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(summary(vec![3.0, 1.0, 2.0]), (2.0, 1.0));
    }
}
