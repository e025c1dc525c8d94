//! Running cases in a process of their own, which may panic, hang or take too much memory.

use crate::cases::Cases;
use cm_test::mutate::Case;
use std::{
    env, fs,
    io::{self, BufRead, BufReader, Read},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::Instant,
};

/// KiB of address space.
const MEMORY: u32 = 4 << 20;

/// What is wrong with the case of a step.
#[derive(Debug)]
pub struct Failure {
    /// The step.
    pub step: u64,
    /// The first word says of which kind it is; of panics it is the place.
    pub message: String,
}

impl Failure {
    /// What distinguishes it from other failures.
    pub fn kind(&self) -> &str {
        kind(&self.message)
    }
}

fn kind(message: &str) -> &str {
    message.split(' ').next().unwrap_or_default()
}

fn worker(cases: &Cases, args: &[&str]) -> io::Result<(Child, Receiver<String>)> {
    let this = env::current_exe()?;
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg(format!("ulimit -v {MEMORY}; exec \"$0\" \"$@\""))
        .arg(this)
        .args(cases.argument())
        .args(args);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn()?;
    let lines = child.stdout.take().map(lines).ok_or(io::ErrorKind::BrokenPipe)?;
    Ok((child, lines))
}

fn lines(from: ChildStdout) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            // The receiver is gone when nobody waits any more.
            let _unheard = sender.send(line);
        }
    });
    receiver
}

/// Whether the time is over, if there is an end.
pub fn is_over(end: Option<Instant>) -> bool {
    end.is_some_and(|end| Instant::now() > end)
}

/// Runs the cases from `first` until one fails, the next is `last`, or the time is over; how many were
/// right.
///
/// # Errors
/// If no process can be started.
pub fn run(
    cases: &Cases,
    seed: u64,
    first: u64,
    last: u64,
    end: Option<Instant>,
) -> io::Result<(u64, Option<Failure>)> {
    let (mut child, lines) = worker(cases, &["worker", &seed.to_string(), &first.to_string()])?;
    let mut step = first;
    let failure = loop {
        match lines.recv_timeout(cases.patience()) {
            Ok(line) => match line.split_once(' ') {
                Some((_, message)) => break Some(message.to_owned()),
                None => step = line.parse().unwrap_or(step),
            },
            Err(RecvTimeoutError::Timeout) => break Some("hang".to_owned()),
            Err(RecvTimeoutError::Disconnected) => break Some(death(&mut child)),
        }
        if is_over(end) || step >= last {
            break None;
        }
    };
    // It may be gone already.
    let _gone = child.kill();
    child.wait()?;
    Ok((step - first, failure.map(|message| Failure { step, message })))
}

/// Of which kind the failure of a single case is. `None`: it does not fail.
///
/// # Errors
/// If no process can be started.
pub fn kind_of(cases: &Cases, case: &Case, directory: &Path) -> io::Result<Option<String>> {
    let file = directory.join("case.cm");
    save(case, &file)?;
    let (mut child, lines) = worker(cases, &["case", &file.to_string_lossy()])?;
    let found = match lines.recv_timeout(cases.patience()) {
        Ok(line) if line == "ok" => None,
        Ok(line) => Some(kind(&line).to_owned()),
        Err(RecvTimeoutError::Timeout) => Some("hang".to_owned()),
        Err(RecvTimeoutError::Disconnected) => Some(kind(&death(&mut child)).to_owned()),
    };
    let _gone = child.kill();
    child.wait()?;
    Ok(found)
}

fn death(child: &mut Child) -> String {
    child.wait().map_or("died".to_owned(), |status| format!("died {status}"))
}

/// Writes a case as a file, and beside it `.before` with what it was before the edit.
///
/// # Errors
/// If a file cannot be written.
pub fn save(case: &Case, file: &Path) -> io::Result<()> {
    fs::write(file, &case.text)?;
    let before = file.with_extension("before");
    match &case.before {
        Some(text) => fs::write(before, text),
        None if before.exists() => fs::remove_file(before),
        None => Ok(()),
    }
}

/// Reads what [`save`] wrote.
///
/// # Errors
/// If the file cannot be read.
pub fn load(file: &Path) -> io::Result<Case> {
    let mut text = String::new();
    fs::File::open(file)?.read_to_string(&mut text)?;
    Ok(Case { before: fs::read_to_string(file.with_extension("before")).ok(), text })
}
