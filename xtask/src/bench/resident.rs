//! `cm compile --watch`: how long a process that stays takes after edits.

use super::{
    Times,
    build::Builder,
    print::{Language, print},
    program::{Edit, Program},
};
use crate::Result;
use std::{
    io::{BufRead, BufReader},
    process::{Child, Stdio},
    sync::mpsc::{Receiver, channel},
    thread::{self, sleep},
    time::{Duration, Instant},
};

/// What is measured: its names, building alone and until the user is told, and the edit.
const STEPS: [(&str, &str, Edit); 3] = [
    ("resident comment", "  until told", Edit::Comment),
    ("resident body", "  until told", Edit::Body),
    ("resident signature", "  until told", Edit::Signature),
];

/// So many of each edit are made in each run.
const EDITS: usize = 8;

/// An editor is not faster.
const PAUSE: Duration = Duration::from_millis(100);

/// Nothing takes longer.
const LONGEST: Duration = Duration::from_secs(120);

/// Measures edits of a program that is built from nothing by a process that stays.
pub(super) fn measure(
    builder: &mut Builder,
    program: &Program,
    runs: usize,
) -> Result<Vec<(&'static str, Times)>> {
    let mut program = program.clone();
    builder.clean()?;
    builder.write(print(&program, Language::Cm))?;
    let process = Process::start(builder)?;
    process.told()?;
    let mut steps = Vec::new();
    for (building, until_told, edit) in STEPS {
        let (mut built, mut told) = (Vec::new(), Vec::new());
        for round in 0..runs * EDITS {
            sleep(PAUSE);
            let before = builder.executable()?;
            program.edit(edit, round);
            let files = print(&program, Language::Cm);
            let start = Instant::now();
            builder.write(files)?;
            let own = process.told()?;
            told.push(start.elapsed());
            built.push(own);
            let stays = before == builder.executable()?;
            if stays != (edit == Edit::Comment) {
                let change = if stays { "stays" } else { "changes" };
                return Err(format!("resident, {edit:?}: the executable {change}"));
            }
        }
        steps.extend([(building, Times::of(built)), (until_told, Times::of(told))]);
    }
    Ok(steps)
}

/// A process that stays, and the lines that it prints.
struct Process {
    child: Child,
    lines: Receiver<String>,
}

impl Process {
    fn start(builder: &Builder) -> Result<Process> {
        let mut command = builder.command(&["compile", "--watch", "-o", "main.out"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|error| format!("cannot start cm: {error}"))?;
        let out = child.stdout.take().ok_or("cm has no output")?;
        let (sender, lines) = channel();
        thread::spawn(move || {
            BufReader::new(out).lines().map_while(|line| line.ok()).try_for_each(|l| sender.send(l))
        });
        Ok(Process { child, lines })
    }

    /// Waits for the line that says how long a build took.
    fn told(&self) -> Result<Duration> {
        loop {
            let line = self.lines.recv_timeout(LONGEST);
            let line = line.map_err(|_| "`cm compile --watch` says nothing")?;
            let time = line.strip_prefix("main.out (").and_then(|rest| rest.strip_suffix(" ms)"));
            if let Some(time) = time.and_then(|time| time.parse::<f64>().ok()) {
                return Ok(Duration::from_secs_f64(time / 1e3));
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It stays for ever otherwise.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
