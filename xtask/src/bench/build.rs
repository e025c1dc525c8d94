//! The compilers: how each builds the program, always in fresh processes.

use super::print::{Files, Language};
use crate::{Result, shell};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// Where `cm` logs its queries.
const LOG: &str = "queries.jsonl";

/// A compiler, a level of optimisation, and a directory with the program.
pub(super) struct Builder {
    pub(super) language: Language,
    level: char,
    compiler: PathBuf,
    dir: PathBuf,
    written: Files,
}

impl Builder {
    /// `None` if what is needed is not installed.
    pub(super) fn new(language: Language, level: char, cm: &Path, dir: PathBuf) -> Option<Builder> {
        let compiler = match language {
            Language::Cm => cm.to_owned(),
            Language::C => shell::find(&["make"]).and_then(|_| shell::find(&["cc"]))?,
            Language::Rust => shell::find(&["rustc"])?,
        };
        Some(Builder { language, level, compiler, dir, written: Files::new() })
    }

    /// Removes everything that a build left.
    pub(super) fn clean(&mut self) -> Result {
        if self.dir.exists() {
            fs::remove_dir_all(&self.dir).map_err(|error| self.error(&error))?;
        }
        fs::create_dir_all(&self.dir).map_err(|error| self.error(&error))?;
        self.written.clear();
        if self.language == Language::C {
            let makefile = format!(
                "objects := $(patsubst %.c,%.o,$(wildcard *.c))\n\
                 main.out: $(objects)\n\tcc -o $@ $^\n\
                 %.o: %.c\n\tcc -O{} -MMD -c -o $@ $<\n-include *.d\n",
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
        match self.language {
            Language::Cm => self.cm(&[&["compile", "-q", "-o", "main.out"], log].concat()),
            Language::C => {
                let jobs = std::thread::available_parallelism().map_or(1, |n| n.get());
                self.time(Command::new("make").args(["-s", &format!("-j{jobs}")]))
            }
            Language::Rust => self.time(
                Command::new(&self.compiler)
                    .args(["-C", "incremental=incremental", "-o", "main.out", "main.rs"])
                    .arg(format!("-Copt-level={level}")),
            ),
        }
    }

    /// Runs `cm` with these arguments, the level, and the main file.
    pub(super) fn cm(&self, arguments: &[&str]) -> Result<Duration> {
        let mut command = Command::new(&self.compiler);
        self.time(command.args(arguments).arg(format!("-O{}", self.level)).arg("main.cm"))
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
