//! The compilers: how each builds the program, always in fresh processes.

use super::print::{BEGINS, Files, Language};
use crate::{Result, shell};
use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// Where `cm` logs its queries.
const LOG: &str = "queries.jsonl";

/// A compiler, and what helps it to build again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Compiler {
    Cm,
    /// The C compiler and make.
    C,
    /// The same with ccache.
    Ccache,
    /// rustc with its own cache.
    Rust,
    /// zig with its own cache.
    Zig,
}

/// All of them.
pub(super) const COMPILERS: &[Compiler] =
    &[Compiler::Cm, Compiler::C, Compiler::Ccache, Compiler::Rust, Compiler::Zig];

impl Compiler {
    /// For tables.
    pub(super) fn name(self) -> &'static str {
        match self {
            Compiler::Cm => "Cm",
            Compiler::C => "C",
            Compiler::Ccache => "ccache",
            Compiler::Rust => "Rust",
            Compiler::Zig => "Zig",
        }
    }
    /// What it compiles.
    pub(super) fn language(self) -> Language {
        match self {
            Compiler::Cm => Language::Cm,
            Compiler::C | Compiler::Ccache => Language::C,
            Compiler::Rust => Language::Rust,
            Compiler::Zig => Language::Zig,
        }
    }
}

/// A compiler, a level of optimisation, and a directory with the program.
pub(super) struct Builder {
    pub(super) compiler: Compiler,
    pub(super) level: char,
    program: PathBuf,
    dir: PathBuf,
    written: Files,
}

impl Builder {
    /// `None` if what is needed is not installed.
    pub(super) fn new(compiler: Compiler, level: char, cm: &Path, dir: PathBuf) -> Option<Builder> {
        let make = || shell::find(&["make"]).and_then(|_| shell::find(&["cc"]));
        let program = match compiler {
            Compiler::Cm => cm.to_owned(),
            Compiler::C => make()?,
            Compiler::Ccache => make().and_then(|_| shell::find(&["ccache"]))?,
            Compiler::Rust => shell::find(&["rustc"])?,
            Compiler::Zig => zig()?,
        };
        Some(Builder { compiler, level, program, dir, written: Files::new() })
    }

    /// Removes everything that a build left.
    pub(super) fn clean(&mut self) -> Result {
        if self.dir.exists() {
            fs::remove_dir_all(&self.dir).map_err(|error| self.error(&error))?;
        }
        fs::create_dir_all(&self.dir).map_err(|error| self.error(&error))?;
        self.written.clear();
        if self.compiler.language() == Language::C {
            let cc = if self.compiler == Compiler::Ccache { "ccache cc" } else { "cc" };
            let makefile = format!(
                "objects := $(patsubst %.c,%.o,$(wildcard *.c))\n\
                 main.out: $(objects)\n\tcc -o $@ $^\n\
                 %.o: %.c\n\t{cc} -O{} -MMD -c -o $@ $<\n-include *.d\n",
                self.level
            );
            fs::write(self.dir.join("Makefile"), makefile).map_err(|error| self.error(&error))?;
        }
        Ok(())
    }

    /// Writes the files that differ from what was written before.
    pub(super) fn write(&mut self, files: Files) -> Result {
        for (name, text) in &files {
            if self.written.get(name) != Some(text) {
                fs::write(self.dir.join(name), text).map_err(|error| self.error(&error))?;
            }
        }
        self.written = files;
        Ok(())
    }

    /// Builds an executable and says how long it took. `cm` logs its queries if it `logs`.
    pub(super) fn build(&self, logs: bool) -> Result<Duration> {
        let level = self.level;
        let log: &[_] = if logs { &["--query-log", LOG] } else { &[] };
        match self.compiler {
            Compiler::Cm => self.cm(&[&["compile", "-q", "-o", "main.out"], log].concat()),
            Compiler::C | Compiler::Ccache => {
                let jobs = std::thread::available_parallelism().map_or(1, |n| n.get());
                let mut make = Command::new("make");
                make.env("CCACHE_DIR", self.dir.join("ccache"));
                self.time(make.args(["-s", &format!("-j{jobs}")]))
            }
            Compiler::Rust => self.time(
                Command::new(&self.program)
                    .args(["-C", "incremental=incremental", "-o", "main.out", "main.rs"])
                    .arg(format!("-Copt-level={level}")),
            ),
            Compiler::Zig => self.zig(),
        }
    }

    /// What is not a part of the program, and stays: Zig compiles its start and its tables of the C
    /// library when they are first used.
    pub(super) fn prepare(&mut self) -> Result {
        if self.compiler != Compiler::Zig {
            return Ok(());
        }
        self.clean()?;
        let empty = Files::from([("main.zig".into(), "pub fn main() void {}\n".into())]);
        self.write(empty)?;
        self.build(false).map(|_| ())
    }

    /// `-fincremental` is for a process that stays: a fresh one takes longer with it. With `zig build`
    /// a program is built by another one, which takes more than a minute to compile.
    fn zig(&self) -> Result<Duration> {
        let level = if self.level == '0' { "Debug" } else { "ReleaseFast" };
        let mut zig = Command::new(&self.program);
        zig.args(["build-exe", "main.zig", "-lc", "-femit-bin=main.out"]).arg(format!("-O{level}"));
        zig.args(["--cache-dir", "cache", "--global-cache-dir"]);
        self.time(zig.arg(self.dir.with_file_name("zig global")))
    }

    /// Runs `cm` with these arguments, the level, and the main file.
    pub(super) fn cm(&self, arguments: &[&str]) -> Result<Duration> {
        self.time(&mut self.command(arguments))
    }

    /// The same for `cm run`, until the program begins.
    pub(super) fn until_it_runs(&self) -> Result<Duration> {
        let mut command = self.command(&["run"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let start = Instant::now();
        let mut child = command.spawn().map_err(|error| self.error(&error))?;
        let mut lines = BufReader::new(child.stderr.take().ok_or("cm has no errors")?).lines();
        let first = lines.next().transpose().map_err(|error| self.error(&error))?;
        let time = start.elapsed();
        let status = child.wait().map_err(|error| self.error(&error))?;
        match first {
            Some(line) if line == BEGINS && status.success() => Ok(time),
            other => Err(format!("`{}`: {}", shell::show(&command), other.unwrap_or_default())),
        }
    }

    /// The same, not started yet.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.env("CM_SHARED_CACHE", "").current_dir(&self.dir);
        command.args(arguments).arg(format!("-O{}", self.level)).arg("main.cm");
        command
    }

    /// How long one thread takes from the text to MIR, as `cm` says itself.
    pub(super) fn front_end(&self) -> Result<Duration> {
        let mut command = Command::new(&self.program);
        command.args(["compile", "-v", "--no-cache", "-o", "main.out", "main.cm"]);
        command.arg(format!("-O{}", self.level)).current_dir(&self.dir);
        let text = shell::output(command.env("RAYON_NUM_THREADS", "1"));
        let text = text.ok_or_else(|| format!("`{}` fails", shell::show(&command)))?;
        let mut total = 0.0;
        for line in text.lines() {
            // A stage, its time, `ms`.
            let words: Vec<&str> = line.split_whitespace().collect();
            let [stage @ .., time, "ms"] = &words[..] else { continue };
            total += time.parse().unwrap_or(0.0);
            if *stage == ["MIR"] {
                return Ok(Duration::from_secs_f64(total / 1e3));
            }
        }
        Err(format!("`{}` does not say how long MIR takes", shell::show(&command)))
    }

    /// How many units the last build that logged has compiled.
    pub(super) fn units_compiled(&self) -> Result<usize> {
        let log = fs::read_to_string(self.dir.join(LOG)).map_err(|error| self.error(&error))?;
        let compiled = |line: &&str| line.contains("\"query\":\"unit_object\"");
        Ok(log.lines().filter(compiled).count())
    }

    /// The bytes of the executable.
    pub(super) fn executable(&self) -> Result<Vec<u8>> {
        fs::read(self.dir.join("main.out")).map_err(|error| self.error(&error))
    }

    /// What the executable prints.
    pub(super) fn result(&self) -> Result<String> {
        let main = self.dir.join("main.out");
        shell::output(&mut Command::new(&main)).ok_or_else(|| format!("{} fails", main.display()))
    }

    fn time(&self, command: &mut Command) -> Result<Duration> {
        command.current_dir(&self.dir).stdin(Stdio::null()).stdout(Stdio::null());
        let start = Instant::now();
        let output = command.output();
        let time = start.elapsed();
        let shown = shell::show(command);
        let output = output.map_err(|error| format!("cannot start `{shown}`: {error}"))?;
        if output.status.success() {
            return Ok(time);
        }
        let message = String::from_utf8_lossy(&output.stderr);
        let first: Vec<&str> = message.lines().take(10).collect();
        Err(format!("`{shown}` in {} fails:\n{}", self.dir.display(), first.join("\n")))
    }

    fn error(&self, error: &std::io::Error) -> String {
        format!("cannot use {}: {error}", self.dir.display())
    }
}

/// The command, by itself or of the Python package `ziglang`.
fn zig() -> Option<PathBuf> {
    const PACKAGE: &str = "import os, ziglang; print(os.path.dirname(ziglang.__file__))";
    shell::find(&["zig"]).or_else(|| {
        let folder = shell::output(Command::new("python3").args(["-c", PACKAGE]))?;
        Some(PathBuf::from(folder).join("zig")).filter(|program| program.is_file())
    })
}
