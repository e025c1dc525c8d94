//! `--store`: how fast the store of the cache is, next to hits of ccache and sccache where they are
//! installed.

use super::median;
use crate::{Result, shell};
use std::{
    fmt::Write,
    fs,
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

/// Measures and prints.
pub(super) fn bench(runs: u32) -> Result {
    let mut command = shell::cargo();
    command.args(["run", "--release", "--quiet", "--package", "castore", "--example", "bench"]);
    shell::run(&mut command)?;
    let dir = tempfile::tempdir().map_err(|error| error.to_string())?;
    for cache in ["ccache", "sccache"] {
        match shell::find(&[cache]).zip(shell::find(&["cc"])) {
            Some((program, _)) => {
                let time = hit(&program, dir.path(), runs)?;
                println!("{:<44}{:>12.1} us", format!("{cache}: a hit, as a process"), time * 1e6);
            }
            None => println!("{cache} is not installed"),
        }
    }
    Ok(())
}

/// Seconds for an object that the cache of a compiler has.
fn hit(cache: &Path, dir: &Path, runs: u32) -> Result<f64> {
    let mut text = String::new();
    for n in 0..200 {
        writeln!(text, "int f{n}(int a) {{ return a * {n} + 1; }}").expect("it is memory");
    }
    let source = dir.join("program.c");
    fs::write(&source, text).map_err(|error| error.to_string())?;
    let compile = || -> Result<_> {
        let mut command = Command::new(cache);
        command.args(["cc", "-c", "-O0", "-o", "program.o", "program.c"]).current_dir(dir);
        command.env("CCACHE_DIR", dir.join("cache")).env("SCCACHE_DIR", dir.join("cache"));
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let start = Instant::now();
        shell::run(&mut command)?;
        Ok(start.elapsed())
    };
    compile()?;
    let times = (0..runs.max(5)).map(|_| compile()).collect::<Result<Vec<_>>>()?;
    Ok(median(times).as_secs_f64())
}
