//! `cargo xtask bench --scaling`: how the time to compile grows with the size of a program, for
//! programs that are large in one way each.
//!
//! Each shape is compiled at sizes n, 2n and 4n. The exponent says how time grows from the second to
//! the third, without what an empty program takes: 1 is linear, 2 quadratic.

use super::usage;
use crate::Result;
use cm_test::shapes::SHAPES;
use std::{fs, path::Path, process::Command};

/// Exponents above this are marked. Memory gets slower as more of it is used, so that linear work
/// shows an exponent a little above 1.
const LIMIT: f64 = 1.35;

/// What to measure.
pub(super) struct Options<'a> {
    /// How often each program is compiled; the least time counts.
    pub(super) runs: u32,
    /// Only shapes whose name contains this.
    pub(super) filter: &'a str,
    /// Level of optimisation.
    pub(super) level: u8,
}

/// Compiles all shapes and prints a table.
pub(super) fn bench(options: &Options, cm: &Path) -> Result {
    let dir = tempfile::tempdir().map_err(|error| error.to_string())?;
    let compiler = Compiler { cm, dir: dir.path(), options };
    let empty = compiler.time("int main() { return 0; }\n")?;
    println!("processor time of `cm compile -O{} --no-cache` in ms\n", options.level);
    println!("{:<16}{:>10}{:>10}{:>10}{:>10}{:>10}", "", "n", "n", "2n", "4n", "exponent");
    let mut steep = Vec::new();
    for shape in SHAPES.iter().filter(|shape| shape.name.contains(options.filter)) {
        let mut times = [0.0; 3];
        for (time, factor) in times.iter_mut().zip([1, 2, 4]) {
            *time = compiler.time(&shape.text(shape.size * factor))?;
        }
        let exponent = growth(times.map(|time| time - empty));
        let mark = if exponent > LIMIT { "  steep" } else { "" };
        let [a, b, c] = times.map(|seconds| seconds * 1e3);
        println!(
            "{:<16}{:>10}{a:>10.1}{b:>10.1}{c:>10.1}{exponent:>10.2}{mark}",
            shape.name, shape.size
        );
        if exponent > LIMIT {
            steep.push(shape.name);
        }
    }
    if !steep.is_empty() {
        println!("\nsteeper than linear: {}", steep.join(", "));
    }
    Ok(())
}

/// The exponent of the growth to the last of three times, each at twice the size of the one before.
/// Times of less than two milliseconds tell nothing.
fn growth(times: [f64; 3]) -> f64 {
    let [_, before, last] = times.map(|time| time.max(0.002));
    (last / before).log2()
}

struct Compiler<'a> {
    cm: &'a Path,
    dir: &'a Path,
    options: &'a Options<'a>,
}

impl Compiler<'_> {
    /// The least processor time to compile a program, in seconds.
    fn time(&self, text: &str) -> Result<f64> {
        let file = self.dir.join("main.cm");
        fs::write(&file, text)
            .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
        let mut least = f64::INFINITY;
        for _ in 0..self.options.runs {
            let mut command = Command::new(self.cm);
            command.args(["compile", "-q", "--no-cache", "-o", "main.out", "main.cm"]);
            command.arg(format!("-O{}", self.options.level)).current_dir(self.dir);
            least = usage::time(&mut command)?.0.min(least);
        }
        Ok(least)
    }
}

#[cfg(test)]
mod tests {
    use super::growth;

    #[test]
    fn growth_is_an_exponent() {
        assert_eq!(growth([1.0, 2.0, 4.0]), 1.0);
        assert_eq!(growth([1.0, 4.0, 16.0]), 2.0);
        assert_eq!(growth([0.0, 0.0001, 0.001]), 0.0);
    }
}
